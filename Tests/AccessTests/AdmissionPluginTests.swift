import APIModel
import Channels
import Testing
import Values

@testable import Access

/// The plugins that upstream runs by default, each with what makes it speak up.
@Suite struct AdmissionPluginTests {
    private static func request(
        _ resource: String,
        group: String = "",
        part: String = "",
        _ object: JSONValue,
        old: JSONValue? = nil,
        user: String = "u"
    ) -> AdmissionRequest {
        AdmissionRequest(
            operation: old == nil ? .create : .update,
            kind: GroupVersionKind(group: group, version: "v1", kind: "X"),
            resource: GroupVersionResource(group: group, version: "v1", resource: resource),
            subresource: part,
            namespace: "n",
            name: object.value(at: ["metadata", "name"])?.string ?? "",
            user: UserIdentity(name: user),
            object: object,
            oldObject: old
        )
    }

    /// The object after the plugin, or what the plugin says against it.
    private static func admit(_ plugin: any Admission, _ request: AdmissionRequest) async -> (object: JSONValue?, words: String) {
        guard plugin.handles(request) else { return (request.object, "") }
        var request = request
        do {
            try await plugin.mutate(&request)
            try await plugin.validate(request)
            return (request.object, "")
        } catch {
            return (nil, error.message)
        }
    }

    @Test func `volumes and claims get their finalizers once`() async {
        let plugin = StorageObjectInUseProtection()
        for (resource, finalizer) in [
            ("persistentvolumes", "kubernetes.io/pv-protection"), ("persistentvolumeclaims", "kubernetes.io/pvc-protection"),
        ] {
            let bare = await Self.admit(plugin, Self.request(resource, ["metadata": ["name": "a", "finalizers": ["x/y"]]]))
            #expect(bare.object?.value(at: ["metadata", "finalizers"]) == ["x/y", .string(finalizer)])
            let has: JSONValue = ["metadata": ["name": "a", "finalizers": [.string(finalizer)]]]
            #expect(await Self.admit(plugin, Self.request(resource, has)).object == has)
            #expect(!plugin.handles(Self.request(resource, has, old: has)))
        }
        let group = "storage.k8s.io"
        let found = await Self.admit(plugin, Self.request("volumeattributesclasses", group: group, ["metadata": ["name": "a"]]))
        #expect(found.object?.value(at: ["metadata", "finalizers"]) == ["kubernetes.io/vac-protection"])
    }

    private static func storageClass(_ name: String, _ made: String, mark: String? = nil, grows: Bool? = nil) -> JSONValue {
        var object: JSONValue = ["metadata": ["name": .string(name), "creationTimestamp": .string(made)]]
        if let mark { object.set("true", at: ["metadata", "annotations", mark]) }
        if let grows { object["allowVolumeExpansion"] = .bool(grows) }
        return object
    }

    @Test func `the newest default class is taken, of the same age the first by name`() async {
        let mark = "storageclass.kubernetes.io/is-default-class"
        var objects: [String: JSONValue] = [
            "storageclasses.storage.k8s.io//old": Self.storageClass("old", "2024-01-01T00:00:00Z", mark: mark),
            "storageclasses.storage.k8s.io//other": Self.storageClass("other", "2026-01-01T00:00:00Z"),
        ]
        func chosen(_ claim: JSONValue) async -> JSONValue? {
            let plugin = DefaultClass.storage(FixedLookup(all: objects))
            let found = await Self.admit(plugin, Self.request("persistentvolumeclaims", claim))
            return found.object?.value(at: ["spec", "storageClassName"])
        }
        #expect(await chosen(["spec": [:]]) == "old")
        for name in ["b", "a"] {
            objects["storageclasses.storage.k8s.io//\(name)"] = Self.storageClass(
                name,
                "2025-01-01T00:00:00Z",
                mark: "storageclass.beta.kubernetes.io/is-default-class"
            )
        }
        #expect(await chosen(["spec": [:]]) == "a")
        #expect(await chosen(["spec": ["storageClassName": ""]]) == "")
        #expect(await chosen(["metadata": ["annotations": ["volume.beta.kubernetes.io/storage-class": "z"]], "spec": [:]]) == nil)
    }

    @Test func `the default class of ingresses`() async {
        var known = Self.storageClass("web", "2025-01-01T00:00:00Z", mark: "ingressclass.kubernetes.io/is-default-class")
        known["spec"] = ["controller": "a/b"]
        let plugin = DefaultClass.ingress(FixedLookup(all: ["ingressclasses.networking.k8s.io//web": known]))
        func chosen(_ ingress: JSONValue) async -> JSONValue? {
            let found = await Self.admit(plugin, Self.request("ingresses", group: "networking.k8s.io", ingress))
            return found.object?.value(at: ["spec", "ingressClassName"])
        }
        #expect(await chosen(["spec": [:]]) == "web")
        #expect(await chosen(["metadata": ["annotations": ["kubernetes.io/ingress.class": "z"]], "spec": [:]]) == nil)
        #expect(await chosen(["spec": ["ingressClassName": "mine"]]) == "mine")
    }

    @Test func `claims grow when bound and of a class that allows it`() async {
        func claim(_ size: String, _ name: String? = "grows", phase: String = "Bound") -> JSONValue {
            var claim: JSONValue = ["metadata": ["name": "c"], "spec": ["resources": ["requests": ["storage": .string(size)]]]]
            if let name { claim.set(.string(name), at: ["spec", "storageClassName"]) }
            claim.set(.string(phase), at: ["status", "phase"])
            return claim
        }
        let plugin = VolumeClaimResize(
            lookup: FixedLookup(all: [
                "storageclasses.storage.k8s.io//grows": Self.storageClass("grows", "", grows: true),
                "storageclasses.storage.k8s.io//fixed": Self.storageClass("fixed", "", grows: false),
            ])
        )
        func words(_ new: JSONValue, _ old: JSONValue) async -> String {
            await Self.admit(plugin, Self.request("persistentvolumeclaims", new, old: old)).words
        }
        let start = "persistentvolumeclaims \"c\" is forbidden: "
        let refusal =
            start + "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
        #expect(await words(claim("2Gi"), claim("1Gi")) == "")
        #expect(await words(claim("1Gi"), claim("1024Mi", phase: "Pending")) == "")
        #expect(await words(claim("2Gi"), claim("1Gi", phase: "Pending")) == start + "Only bound persistent volume claims can be expanded")
        for name in ["fixed", "unknown", nil] { #expect(await words(claim("2Gi", name), claim("1Gi", name)) == refusal) }
        #expect(await words(claim("2Gi", "grows"), claim("1Gi", "fixed")) == refusal)
    }

    /// Lets `ann` do one verb for one signer or domain.
    private struct OneRight: Authorizer {
        let verb: String
        let name: String

        func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
            let isRight =
                attributes.user.name == "ann" && attributes.verb == verb && attributes.resource == "signers"
                && attributes.apiGroup == "certificates.k8s.io" && attributes.name == name
            return isRight ? .allow(reason: "") : .noOpinion(reason: "")
        }
    }

    @Test func `who approves, signs and attests must be allowed to for the signer`() async {
        let request: JSONValue = ["metadata": ["name": "r"], "spec": ["signerName": "d.io/s"]]
        var signed = request
        signed.set("eA==", at: ["status", "certificate"])
        let group = "certificates.k8s.io"
        func ask(_ right: String, _ name: String, _ user: String) async -> String {
            let plugin = CertificateAdmission(authorizer: OneRight(verb: right, name: name))
            let write =
                switch right {
                case "approve":
                    Self.request("certificatesigningrequests", group: group, part: "approval", request, old: request, user: user)
                case "sign": Self.request("certificatesigningrequests", group: group, part: "status", signed, old: request, user: user)
                default: Self.request("clustertrustbundles", group: group, request, user: user)
                }
            return await Self.admit(plugin, write).words
        }
        for name in ["d.io/s", "d.io/*"] {
            for right in ["approve", "sign", "attest"] { #expect(await ask(right, name, "ann") == "", "\(right) \(name)") }
        }
        let start = "certificatesigningrequests.certificates.k8s.io \"r\" is forbidden: user not permitted to "
        #expect(await ask("approve", "d.io/s", "bob") == start + "approve requests with signerName \"d.io/s\"")
        #expect(await ask("sign", "e.io/*", "ann") == start + "sign requests with signerName \"d.io/s\"")
        #expect(
            await ask("attest", "d.io", "ann")
                == "clustertrustbundles.certificates.k8s.io \"r\" is forbidden: user not permitted to attest for signerName \"d.io/s\""
        )
        let unchanged = Self.request("certificatesigningrequests", group: group, part: "status", request, old: request, user: "bob")
        #expect(await Self.admit(CertificateAdmission(authorizer: OneRight(verb: "", name: "")), unchanged).words == "")
    }

    @Test func `a pod learns where its node is`() async {
        let node: JSONValue = [
            "metadata": ["name": "w", "labels": ["topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r", "other": "o"]]
        ]
        let plugin = PodTopologyLabels(lookup: FixedLookup(all: ["nodes//w": node]))
        let expected: JSONValue = ["topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r"]
        let binding: JSONValue = ["metadata": ["name": "p"], "target": ["kind": "Node", "name": "w"]]
        let bound = await Self.admit(plugin, Self.request("pods", part: "binding", binding))
        #expect(bound.object?.value(at: ["metadata", "labels"]) == expected)
        let placed = await Self.admit(plugin, Self.request("pods", ["metadata": ["name": "p"], "spec": ["nodeName": "w"]]))
        #expect(placed.object?.value(at: ["metadata", "labels"]) == expected)
        let free: JSONValue = ["metadata": ["name": "p"], "spec": ["nodeName": ""]]
        #expect(await Self.admit(plugin, Self.request("pods", free)).object == free)
    }

    @Test func `a pod does not grow beyond its node`() async {
        func pod(_ cpu: String, _ memory: String, generation: Int64) -> JSONValue {
            [
                "metadata": ["name": "p", "generation": .integer(generation)],
                "spec": [
                    "nodeName": "w",
                    "containers": [["name": "c", "resources": ["requests": ["cpu": .string(cpu), "memory": .string(memory)]]]],
                ],
            ]
        }
        func words(_ labels: JSONValue, _ new: JSONValue, _ old: JSONValue) async -> String {
            let node: JSONValue = ["metadata": ["name": "w", "labels": labels], "status": ["allocatable": ["cpu": "2", "memory": "1Gi"]]]
            let plugin = PodResizeValidator(lookup: FixedLookup(all: ["nodes//w": node]))
            return await Self.admit(plugin, Self.request("pods", part: "resize", new, old: old)).words
        }
        let old = pod("1", "1Gi", generation: 1)
        #expect(await words([:], pod("2", "1Gi", generation: 2), old) == "")
        #expect(await words([:], pod("9", "9Gi", generation: 1), old) == "")
        #expect(
            await words([:], pod("2100m", "2Gi", generation: 2), old)
                == "pods \"p\" is forbidden: node didn't have enough allocatable resources: cpu, requested: 2100, allocatable: 2000; "
                + "memory, requested: 2147483648, allocatable: 1073741824"
        )
        #expect(
            await words(["kubernetes.io/os": "windows"], pod("1", "1Gi", generation: 2), old)
                == "pods \"p\" is forbidden: pod resize is only supported on linux nodes, node \"w\" is \"windows\""
        )
    }

    @Test func `an account that limits secrets is held to`() async {
        var account: JSONValue = [
            "metadata": ["name": "a", "namespace": "n", "annotations": ["kubernetes.io/enforce-mountable-secrets": "true"]],
            "secrets": [["name": "ok"]], "imagePullSecrets": [["name": "pull"]], "automountServiceAccountToken": false,
        ]
        func words(_ spec: JSONValue, old: JSONValue? = nil) async -> String {
            var spec = spec
            spec["serviceAccountName"] = "a"
            let plugin = ServiceAccountAdmission(
                lookup: FixedLookup(all: ["serviceaccounts/n/a": account]),
                random: SeededRandom(seed: 1),
                clock: ManualClock()
            )
            let pod: JSONValue = ["metadata": ["name": "p"], "spec": spec]
            return await Self.admit(plugin, Self.request("pods", part: old == nil ? "" : "ephemeralcontainers", pod, old: old)).words
        }
        let environment: JSONValue = [["name": "c", "env": [["name": "E", "valueFrom": ["secretKeyRef": ["name": "no", "key": "k"]]]]]]
        let imported: JSONValue = [["name": "c", "envFrom": [["secretRef": ["name": "no"]]]]]
        let end = "is not allowed because service account a does not reference that secret"
        let rules: [(JSONValue, String)] = [
            (["volumes": [["name": "v", "secret": ["secretName": "no"]]]], "volume with secret.secretName=\"no\" \(end)"),
            (["volumes": [["name": "v", "secret": ["secretName": "ok"]]]], ""),
            (["containers": environment], "container c with envVar E referencing secret.secretName=\"no\" \(end)"),
            (["initContainers": imported], "init container c with envFrom referencing secret.secretName=\"no\" \(end)"),
            (
                ["imagePullSecrets": [["name": "no"]]],
                "imagePullSecrets[0].name=\"no\" is not allowed because service account a does not reference that imagePullSecret"
            ),
        ]
        for (spec, problem) in rules {
            #expect(await words(spec) == (problem.isEmpty ? "" : "pods \"p\" is forbidden: \(problem)"))
        }
        let attached = await words(["ephemeralContainers": environment], old: [:])
        #expect(attached == "ephemeral container c with envVar E referencing secret.secretName=\"no\" \(end)")
        account.set("false", at: ["metadata", "annotations", "kubernetes.io/enforce-mountable-secrets"])
        #expect(await words(["containers": environment]) == "")
    }
}
