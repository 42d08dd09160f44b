import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

/// What changes of single kinds may and may not do where it is not what one expects.
@Suite struct ChangeRuleTests {
    private static let immutable = "nodeAffinity: Invalid value"

    private static func volume(_ key: String?, values: [String] = ["a"]) throws -> JSONValue {
        var requirement: JSONValue = ["operator": "In", "values": .array(values.map { .string($0) })]
        if let key { requirement["key"] = .string(key) }
        let text = """
            {metadata: {name: v}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], local: {path: /a},
            persistentVolumeReclaimPolicy: Retain, volumeMode: Filesystem, nodeAffinity: {required: {nodeSelectorTerms: [{}]}}}}
            """
        return with(try yaml(text), "spec.nodeAffinity.required.nodeSelectorTerms", [["matchExpressions": [requirement]]])
    }

    @Test(arguments: [
        ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
        ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
        ("beta.kubernetes.io/os", "kubernetes.io/os"), ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
        ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ])
    func `a volume's affinity moves from a beta label to the stable one`(beta: String, stable: String) throws {
        let subject = try Subject("persistentvolumes")
        #expect(subject.problems(try Self.volume(stable), from: try Self.volume(beta)) == [])
        for (new, old) in [(beta, stable), ("other", beta), (stable, "other")] {
            let told = subject.problems(try Self.volume(new), from: try Self.volume(old))
            #expect(told.count == 1 && told[0].hasPrefix(Self.immutable), "\(old) to \(new): \(told)")
        }
        let moved = subject.problems(try Self.volume(stable, values: ["b"]), from: try Self.volume(beta))
        #expect(moved.first?.hasPrefix(Self.immutable) == true)
    }

    @Test func `a label without a stable name is missed for its own sake alone`() throws {
        let told = try Subject("persistentvolumes").problems(try Self.volume(nil), from: try Self.volume("own"))
        #expect(!told.isEmpty && !told.contains { $0.hasPrefix(Self.immutable) })
    }

    private static func job(_ affinity: JSONValue?, suspend: Bool = true) throws -> JSONValue {
        let text = """
            {metadata: {name: j}, spec: {completionMode: NonIndexed, suspend: true, manualSelector: true,
            selector: {matchLabels: {a: b}}, backoffLimit: 6,
            template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, terminationGracePeriodSeconds: 30, dnsPolicy: ClusterFirst,
            schedulerName: s, securityContext: {}, containers: [{name: c, image: i, imagePullPolicy: Always,
            terminationMessagePolicy: File, terminationMessagePath: /x, resources: {}}]}}}}
            """
        return with(with(try yaml(text), "spec.suspend", .bool(suspend)), "spec.template.spec.affinity", affinity)
    }

    @Test func `a suspended job's affinity to nodes comes and goes, an empty one with it`() throws {
        let subject = try Subject("jobs.batch")
        let nodes: JSONValue = [
            "nodeAffinity": [
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    "nodeSelectorTerms": [["matchExpressions": [["key": "k", "operator": "Exists"]]]]
                ]
            ]
        ]
        let none: JSONValue = [:]
        for (new, old) in [(nodes, nil), (nil, nodes), (none, nil), (nil, none), (none, nodes), (nodes, none)] as [(JSONValue?, JSONValue?)]
        {
            let free = subject.problems(try Self.job(new), from: try Self.job(old))
            #expect(free == [], "\(String(describing: new))")
            let told = subject.problems(try Self.job(new, suspend: false), from: try Self.job(old, suspend: false))
            #expect(told.contains { $0.hasSuffix("field is immutable") }, "\(String(describing: new))")
        }
        let pods: JSONValue = [
            "podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [["topologyKey": "k", "labelSelector": [:]]]]
        ]
        let told = subject.problems(try Self.job(pods), from: try Self.job(nil))
        #expect(told.contains { $0.hasSuffix("field is immutable") })
    }

    @Test func `a changed replication controller is warned of as it was`() throws {
        let subject = try Subject("replicationcontrollers")
        let old = try yaml(
            """
            {metadata: {name: r, generation: 1}, spec: {replicas: 1, selector: {a: b}, template: {metadata: {labels: {a: b}},
            spec: {containers: [{name: c, image: i}], imagePullSecrets: [{name: s}]}}}}
            """
        )
        var new = with(old, "spec.template.spec.imagePullSecrets", [["name": ""]])
        new.set(2, at: ["metadata", "generation"])
        let words = "spec.template.spec.imagePullSecrets[0].name: invalid empty name \"\""
        #expect(subject.descriptor.hooks.warnings(new, old: nil) == [words])
        #expect(subject.descriptor.hooks.warnings(new, old: old) == [])
        var back = old
        back.set(3, at: ["metadata", "generation"])
        #expect(subject.descriptor.hooks.warnings(back, old: new) == [words])
    }

    @Test func `endpoints that stay are not checked against another type of addresses`() throws {
        let subject = try Subject("endpointslices.discovery.k8s.io")
        let old = try yaml(
            "{metadata: {name: e}, addressType: IPv4, endpoints: [{addresses: [10.1.0.1]}], ports: [{port: 80, protocol: TCP, name: a}]}"
        )
        let other = with(old, "addressType", "IPv6")
        #expect(subject.problems(other) == ["endpoints[0].addresses: Invalid value: \"10.1.0.1\": must be an IPv6 address"])
        #expect(subject.problems(other, from: old) == ["addressType: Invalid value: \"IPv6\": field is immutable"])
        let moved = with(other, "endpoints.0.addresses", ["10.1.0.2"])
        #expect(subject.problems(moved, from: old).count == 2)
        let ports = with(old, "ports.0.protocol", "XYZ")
        #expect(subject.problems(ports, from: old).map { String($0.prefix(17)) } == ["ports[0].protocol"])
    }

    @Test func `a service that is a name has no policy for traffic in the cluster`() throws {
        let subject = try Subject("services")
        let service = try yaml("{metadata: {name: s}, spec: {type: ExternalName, externalName: a.b, internalTrafficPolicy: Local}}")
        #expect(subject.created(service).value(at: ["spec", "internalTrafficPolicy"]) == nil)
        #expect(subject.problems(service) == [])
        let plain = with(service, "spec.internalTrafficPolicy", nil)
        var changed = service
        subject.descriptor.hooks.prepareForUpdate(&changed, old: subject.created(plain), subject.context())
        #expect(changed.value(at: ["spec", "internalTrafficPolicy"]) == nil)
        let wrong = with(service, "spec.internalTrafficPolicy", "Never")
        let words = "spec.internalTrafficPolicy: Unsupported value: \"Never\": supported values: \"Cluster\", \"Local\""
        #expect(subject.problems(wrong) == [words])
    }

    @Test func `a device told of twice is shown by its identity`() throws {
        let subject = try Subject("resourceclaims.resource.k8s.io")
        let device: JSONValue = ["driver": "a.b", "pool": "p", "device": "d"]
        let result: JSONValue = ["request": "one", "driver": "a.b", "pool": "p", "device": "d"]
        let old: JSONValue = [
            "metadata": ["name": "c"], "spec": ["devices": ["requests": [["name": "one", "exactly": ["deviceClassName": "c"]]]]],
            "status": ["allocation": ["devices": ["results": [result]]]],
        ]
        let words = "status.devices[1]: Duplicate value: {\"Driver\":\"a.b\",\"Pool\":\"p\",\"Device\":\"d\",\"ShareID\":\"\"}"
        #expect(subject.statusProblems(with(old, "status.devices", [device, device]), from: old) == [words])
    }

    @Test func `values show pointers to nothing`() throws {
        let template: JSONValue = ["metadata": ["deletionGracePeriodSeconds": 0], "spec": [:]]
        let shown = InternalForm.text(template, as: "resource.ResourceClaimTemplateSpec")
        #expect(shown.hasPrefix("{\"deletionGracePeriodSeconds\":0,\"Spec\":"))
    }
}
