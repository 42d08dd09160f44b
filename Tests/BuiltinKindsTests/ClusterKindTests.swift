import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

/// A sound object, and what breaks it.
struct Case: CustomTestStringConvertible, Sendable {
    let resource: String
    let object: String
    let broken: [Broken]

    init(_ resource: String, _ object: String, _ broken: [Broken]) {
        self.resource = resource
        self.object = object
        self.broken = broken
    }

    var testDescription: String { resource }
}

@Suite struct ClusterKindTests {
    static let cases = network + storage + cluster

    private static let network = [
        Case(
            "services",
            "{metadata: {name: s}, spec: {selector: {app: a}, ports: [{port: 80, name: http}]}}",
            [
                Broken("spec.ports", [], "spec.ports: Required value"),
                Broken("spec.ports.0.port", 0, "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
                Broken(
                    "spec.ports.0.targetPort",
                    "a_b",
                    "spec.ports[0].targetPort: Invalid value: \"a_b\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
                ),
                Broken("spec.ports", [["port": 80], ["port": 81]], "spec.ports[0].name: Required value"),
                Broken(
                    "spec.ports",
                    [["port": 80, "name": "a"], ["port": 80, "name": "b"]],
                    "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,\"NodePort\":0}"
                ),
                Broken("spec.ports.0.nodePort", 30000, "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"),
                Broken(
                    "spec.type",
                    "Magic",
                    "spec.type: Unsupported value: \"Magic\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\""
                ),
                Broken("spec.type", "ExternalName", "spec.externalName: Required value"),
                Broken(
                    "spec.sessionAffinity",
                    "Sticky",
                    "spec.sessionAffinity: Unsupported value: \"Sticky\": supported values: \"ClientIP\", \"None\""
                ),
                Broken(
                    "spec.externalTrafficPolicy",
                    "Local",
                    "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services"
                ),
                Broken(
                    "spec.externalIPs",
                    ["127.0.0.1"],
                    "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"
                ),
                Broken(
                    "spec.clusterIP",
                    "10.0.0.300",
                    "spec.clusterIPs[0]: Invalid value: \"10.0.0.300\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
                ),
                Broken(
                    "spec.loadBalancerClass",
                    "a/b",
                    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"
                ),
                Broken(
                    "spec.allocateLoadBalancerNodePorts",
                    true,
                    "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"
                ),
                Broken(
                    "spec.trafficDistribution",
                    "Near",
                    "spec.trafficDistribution: Unsupported value: \"Near\": supported values: \"PreferClose\", \"PreferSameZone\", \"PreferSameNode\""
                ),
            ]
        ),
        Case(
            "endpoints",
            "{metadata: {name: e}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}",
            [
                Broken("subsets.0.addresses", [], "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"),
                Broken(
                    "subsets.0.addresses.0.ip",
                    "169.254.1.1",
                    "subsets[0].addresses[0].ip: Invalid value: \"169.254.1.1\": may not be in the link-local range (169.254.0.0/16, fe80::/10)"
                ),
            ]
        ),
        Case(
            "endpointslices.discovery.k8s.io",
            "{metadata: {name: e}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}], ports: [{name: a, port: 80, protocol: TCP}]}",
            [
                Broken("addressType", "IPv5", "addressType: Unsupported value: \"IPv5\": supported values: \"FQDN\", \"IPv4\", \"IPv6\""),
                Broken("endpoints.0.addresses", [], "endpoints[0].addresses: Required value: must contain at least 1 address"),
                Broken("endpoints.0.addresses", ["fd00::1"], "endpoints[0].addresses: Invalid value: \"fd00::1\": must be an IPv4 address"),
            ]
        ),
        Case(
            "ingresses.networking.k8s.io",
            "{metadata: {name: i}, spec: {rules: [{host: a.b, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}}",
            [
                Broken("spec.rules", nil, "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"),
                Broken(
                    "spec.rules.0.host",
                    "1.2.3.4",
                    "spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address"
                ),
                Broken(
                    "spec.rules.0.http.paths.0.path",
                    "x",
                    "spec.rules[0].http.paths[0].path: Invalid value: \"x\": must be an absolute path"
                ),
                Broken(
                    "spec.rules.0.http.paths.0.path",
                    "/a//b",
                    "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b\": must not contain '//'"
                ),
                Broken(
                    "spec.rules.0.http.paths.0.pathType",
                    nil,
                    "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"
                ),
                Broken(
                    "spec.rules.0.http.paths.0.backend",
                    ["service": ["name": "s"]],
                    "spec.rules[0].http.paths[0].backend: Required value: port name or number is required"
                ),
            ]
        ),
        Case(
            "networkpolicies.networking.k8s.io",
            "{metadata: {name: n}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80, endPort: 90}]}]}}",
            [
                Broken("spec.ingress.0.from.0", [:], "spec.ingress[0].from[0]: Required value: must specify a peer"),
                Broken(
                    "spec.ingress.0.from.0.podSelector",
                    [:],
                    "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"
                ),
                Broken(
                    "spec.ingress.0.from.0.ipBlock.cidr",
                    "10.0.0.1/8",
                    "spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"10.0.0.1/8\": must not have bits set beyond the prefix length"
                ),
                Broken(
                    "spec.ingress.0.from.0.ipBlock.except",
                    ["11.0.0.0/16"],
                    "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`"
                ),
                Broken(
                    "spec.ingress.0.ports.0.endPort",
                    70,
                    "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"
                ),
            ]
        ),
    ]

    private static let storage = [
        Case(
            "persistentvolumeclaims",
            "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
            [
                Broken("spec.accessModes", [], "spec.accessModes: Required value: at least 1 access mode is required"),
                Broken(
                    "spec.accessModes",
                    ["ReadWriteOncePod", "ReadWriteOnce"],
                    "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"
                ),
                Broken("spec.resources.requests.storage", "0", "spec.resources[storage]: Invalid value: \"0\": must be greater than zero"),
                Broken("spec.resources", nil, "spec.resources[storage]: Required value"),
                Broken(
                    "spec.dataSourceRef",
                    ["kind": "VolumeSnapshot", "name": "x"],
                    "spec.dataSourceRef: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                ),
            ]
        ),
        Case(
            "persistentvolumes",
            "{metadata: {name: p}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}}",
            [
                Broken("spec.capacity", nil, "spec.capacity: Required value"),
                Broken("spec.hostPath", nil, "spec: Required value: must specify a volume type"),
                Broken("spec.nfs", ["server": "s", "path": "/x"], "spec.nfs: Forbidden: may not specify more than 1 volume type"),
                Broken(
                    "spec.persistentVolumeReclaimPolicy",
                    "Burn",
                    "spec.persistentVolumeReclaimPolicy: Unsupported value: \"Burn\": supported values: \"Delete\", \"Recycle\", \"Retain\""
                ),
            ]
        ),
        Case(
            "storageclasses.storage.k8s.io",
            "{metadata: {name: s}, provisioner: a.b/c}",
            [
                Broken("provisioner", "", "provisioner: Required value"),
                Broken(
                    "reclaimPolicy",
                    "Recycle",
                    "reclaimPolicy: Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\""
                ),
            ]
        ),
        Case(
            "configmaps",
            "{metadata: {name: c}, data: {a: b}}",
            [
                Broken(
                    "data",
                    ["a b": "c"],
                    "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                ),
                Broken("binaryData", ["a": "eA=="], "data[a]: Invalid value: \"a\": duplicate of key present in binaryData"),
            ]
        ),
        Case(
            "secrets",
            "{metadata: {name: s}, stringData: {a: b}}",
            [
                Broken("type", "kubernetes.io/tls", "data[tls.crt]: Required value"),
                Broken(
                    "type",
                    "kubernetes.io/service-account-token",
                    "metadata.annotations[kubernetes.io/service-account.name]: Required value"
                ),
                Broken("type", "kubernetes.io/basic-auth", "data[username]: Required value"),
            ]
        ),
    ]

    private static let cluster = [
        Case(
            "roles.rbac.authorization.k8s.io",
            "{metadata: {name: 'a:b'}, rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]}",
            [
                Broken("rules.0.verbs", [], "rules[0].verbs: Required value: verbs must contain at least one value"),
                Broken(
                    "rules.0",
                    ["verbs": ["get"], "nonResourceURLs": ["/x"]],
                    "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs"
                ),
                Broken("rules.0.resources", [], "rules[0].resources: Required value: resource rules must supply at least one resource"),
            ]
        ),
        Case(
            "clusterrolebindings.rbac.authorization.k8s.io",
            "{metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}, subjects: [{kind: User, name: u}]}",
            [
                Broken("roleRef.kind", "Role", "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""),
                Broken(
                    "subjects.0.kind",
                    "Robot",
                    "subjects[0].kind: Unsupported value: \"Robot\": supported values: \"ServiceAccount\", \"User\", \"Group\""
                ),
                Broken("subjects", [["kind": "ServiceAccount", "name": "s"]], "subjects[0].namespace: Required value"),
            ]
        ),
        Case(
            "priorityclasses.scheduling.k8s.io",
            "{metadata: {name: p}, value: 5}",
            [
                Broken("value", 1_000_000_001, "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
                Broken(
                    "metadata.name",
                    "system-mine",
                    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class"
                ),
            ]
        ),
        Case("runtimeclasses.node.k8s.io", "{metadata: {name: r}, handler: runc}", [Broken("handler", "", "handler: Required value")]),
        Case(
            "poddisruptionbudgets.policy",
            "{metadata: {name: p}, spec: {minAvailable: 1, selector: {}}}",
            [
                Broken(
                    "spec.maxUnavailable",
                    1,
                    "spec: Invalid value: {\"MinAvailable\":1,\"Selector\":{},\"MaxUnavailable\":1,\"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable cannot be both set"
                ),
                Broken("spec.minAvailable", "120%", "spec.minAvailable: Invalid value: \"120%\": must not be greater than 100%"),
            ]
        ),
        Case(
            "horizontalpodautoscalers.autoscaling",
            "{apiVersion: autoscaling/v2, metadata: {name: h}, spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: d, apiVersion: apps/v1}}}",
            [
                Broken("spec.maxReplicas", 0, "spec.maxReplicas: Required value: must be set and greater than 0"),
                Broken("spec.minReplicas", 9, "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"),
                Broken("spec.scaleTargetRef.name", "", "spec.scaleTargetRef.name: Required value"),
                Broken(
                    "spec.behavior",
                    ["scaleUp": ["stabilizationWindowSeconds": 3601]],
                    "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600"
                ),
                Broken(
                    "spec.metrics",
                    [["type": "Resource"]],
                    "spec.metrics[0].resource: Required value: must populate information for the given metric source"
                ),
            ]
        ),
        Case(
            "resourcequotas",
            "{metadata: {name: q}, spec: {hard: {pods: 5, requests.cpu: 1, count/jobs.batch: 3}}}",
            [
                Broken(
                    "spec.hard",
                    ["gpus": 1],
                    "spec.hard[gpus]: Invalid value: \"gpus\": must be a standard resource type or fully qualified"
                ),
                Broken("spec.hard", ["pods": "1500m"], "spec.hard[pods]: Invalid value: \"1500m\": must be an integer"),
                Broken(
                    "spec.scopes",
                    ["BestEffort"],
                    "spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource"
                ),
            ]
        ),
        Case(
            "limitranges",
            "{metadata: {name: l}, spec: {limits: [{type: Container, max: {cpu: 2}, min: {cpu: 1}}]}}",
            [
                Broken(
                    "spec.limits.0.min.cpu",
                    "3",
                    "spec.limits[0].min[cpu]: Invalid value: \"3\": min value 3 is greater than max value 2"
                ),
                Broken(
                    "spec.limits",
                    [["type": "PersistentVolumeClaim"]],
                    "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"
                ),
            ]
        ),
        Case(
            "leases.coordination.k8s.io",
            "{metadata: {name: l}, spec: {leaseDurationSeconds: 15}}",
            [
                Broken("spec.leaseDurationSeconds", 0, "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0")
            ]
        ),
        Case(
            "nodes",
            "{metadata: {name: n}, spec: {podCIDRs: [10.0.0.0/24]}}",
            [
                Broken("spec.taints", [["key": "a"]], "metadata.taints[0].effect: Required value"),
                Broken(
                    "spec.podCIDRs",
                    ["10.0.0.0/24", "10.0.1.0/24"],
                    "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more than one CIDR for each IP family"
                ),
            ]
        ),
        Case(
            "namespaces",
            "{metadata: {name: n}}",
            [
                Broken("metadata.name", "a.b", "metadata.name: Invalid value: \"a.b\": must not contain dots")
            ]
        ),
        Case(
            "events",
            "{metadata: {name: e, namespace: default}, involvedObject: {kind: Pod, name: p, namespace: default}}",
            [
                Broken(
                    "involvedObject.namespace",
                    "other",
                    "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace"
                ),
                Broken("eventTime", "2026-01-01T00:00:00.000000Z", "reportingComponent: Required value"),
            ]
        ),
        Case(
            "certificatesigningrequests.certificates.k8s.io",
            "{metadata: {name: c}, spec: {request: \(TestCertificates.request), signerName: a.b/c, usages: [client auth]}}",
            [
                Broken(
                    "spec.usages",
                    ["magic", "any"],
                    "spec.usages[0]: Unsupported value: \"magic\": supported values: \"any\", \"cert sign\", \"client auth\", \"code signing\", \"content commitment\", \"crl sign\", \"data encipherment\", \"decipher only\", \"digital signature\", \"email protection\", \"encipher only\", \"ipsec end system\", \"ipsec tunnel\", \"ipsec user\", \"key agreement\", \"key encipherment\", \"microsoft sgc\", \"netscape sgc\", \"ocsp signing\", \"s/mime\", \"server auth\", \"signing\", \"timestamping\""
                ),
                Broken(
                    "spec.signerName",
                    "x",
                    "spec.signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form 'example.com/signer-name'"
                ),
                Broken(
                    "spec.expirationSeconds",
                    60,
                    "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds (10 minutes)"
                ),
            ]
        ),
    ]

    @Test(arguments: cases) func `a sound object passes, a broken one is refused in upstream's words`(_ one: Case) throws {
        let subject = try Subject(one.resource)
        let object = try yaml(one.object)
        #expect(subject.problems(object) == [])
        for broken in one.broken {
            let found = subject.problems(with(object, broken.path, broken.value))
            #expect(found.contains(broken.message), "\(broken.path): \(found)")
        }
    }

    @Test func `defaults of services follow their type`() throws {
        let services = try Subject("services")
        let service = try yaml("{metadata: {name: s}, spec: {ports: [{port: 80}]}}")
        let plain = try #require(services.created(service)["spec"])
        #expect(plain["type"] == "ClusterIP" && plain["internalTrafficPolicy"] == "Cluster" && plain["externalTrafficPolicy"] == nil)
        #expect(plain.value(at: ["ports", "0"]) == ["port": 80, "protocol": "TCP", "targetPort": 80])
        let balanced = try #require(services.created(with(service, "spec.type", "LoadBalancer"))["spec"])
        #expect(balanced["allocateLoadBalancerNodePorts"] == true && balanced["externalTrafficPolicy"] == "Cluster")
        let sticky = try #require(services.created(with(service, "spec.sessionAffinity", "ClientIP"))["spec"])
        #expect(sticky["sessionAffinityConfig"] == ["clientIP": ["timeoutSeconds": 10800]])
        let reachable = try #require(services.created(with(service, "spec.externalIPs", ["1.2.3.4"]))["spec"])
        #expect(reachable["externalTrafficPolicy"] == "Cluster")
        #expect(services.problems(service, from: with(service, "spec.clusterIP", "10.0.0.1")) == [])
    }

    @Test func `a change of a service's type drops what belonged to the old one`() throws {
        let services = try Subject("services")
        let old = services.created(try yaml("{metadata: {name: s}, spec: {type: LoadBalancer, ports: [{port: 80, nodePort: 30001}]}}"))
        var new = with(old, "spec.type", "ClusterIP")
        services.descriptor.hooks.prepareForUpdate(&new, old: old, services.context())
        #expect(new["spec"]?["allocateLoadBalancerNodePorts"] == nil && new["spec"]?["externalTrafficPolicy"] == nil)
        #expect(new.value(at: ["spec", "ports", "0", "nodePort"]) == nil)
        #expect(services.descriptor.hooks.validateUpdate(new, old: old, services.context()).isEmpty)
    }

    @Test func `defaults of autoscalers, network policies and limit ranges`() throws {
        let scalers = try Subject("horizontalpodautoscalers.autoscaling")
        let made = scalers.created(
            try yaml(
                "{apiVersion: autoscaling/v2, metadata: {name: h}, spec: {maxReplicas: 3, behavior: {scaleDown: {stabilizationWindowSeconds: 5}}}}"
            )
        )
        #expect(made.value(at: ["spec", "metrics", "0", "resource", "target", "averageUtilization"]) == 80)
        #expect(made.value(at: ["spec", "behavior", "scaleUp", "selectPolicy"]) == "Max")
        #expect(made.value(at: ["spec", "behavior", "scaleDown", "stabilizationWindowSeconds"]) == 5)
        let policies = try Subject("networkpolicies.networking.k8s.io")
        #expect(policies.created(try yaml("{spec: {podSelector: {}}}")).value(at: ["spec", "policyTypes"]) == ["Ingress"])
        #expect(
            policies.created(try yaml("{spec: {podSelector: {}, egress: [{}]}}")).value(at: ["spec", "policyTypes"]) == [
                "Ingress", "Egress",
            ]
        )
        let ranges = try Subject("limitranges")
        let range = ranges.created(try yaml("{spec: {limits: [{type: Container, max: {cpu: '2'}, min: {memory: 1Gi}}]}}"))
        #expect(range.value(at: ["spec", "limits", "0", "default"]) == ["cpu": "2"])
        #expect(range.value(at: ["spec", "limits", "0", "defaultRequest"]) == ["cpu": "2", "memory": "1Gi"])
    }

    @Test func `what stays as it is`() throws {
        let secrets = try Subject("secrets")
        let sealed = try yaml("{metadata: {name: s}, immutable: true, type: Opaque, data: {a: Yg==}}")
        #expect(
            secrets.problems(with(sealed, "data.a", "Yw=="), from: sealed) == [
                "data: Forbidden: field is immutable when `immutable` is set"
            ]
        )
        let bindings = try Subject("clusterrolebindings.rbac.authorization.k8s.io")
        let binding = try yaml("{metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}}")
        let changed = bindings.problems(with(binding, "roleRef.name", "x"), from: binding)
        #expect(
            changed == [
                "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"ClusterRole\",\"Name\":\"x\"}: cannot change roleRef"
            ]
        )
        let claims = try Subject("persistentvolumeclaims")
        let claim = try yaml(
            "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], volumeName: v, resources: {requests: {storage: 1Gi}}}, status: {phase: Bound, capacity: {storage: 1Gi}}}"
        )
        #expect(claims.problems(with(claim, "spec.resources.requests.storage", "2Gi"), from: claim) == [])
        #expect(
            claims.problems(with(claim, "spec.accessModes", ["ReadOnlyMany"]), from: claim).first?.hasPrefix(
                "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            ) == true
        )
        #expect(
            claims.problems(with(claim, "spec.resources.requests.storage", "512Mi"), from: claim) == [
                "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
            ]
        )
    }

    @Test func `a namespace knows its name and finalizer`() throws {
        let namespaces = try Subject("namespaces")
        let made = namespaces.created(["metadata": ["name": "n"]])
        #expect(made.value(at: ["metadata", "labels", "kubernetes.io/metadata.name"]) == "n")
        #expect(made.value(at: ["spec", "finalizers"]) == ["kubernetes"])
        let ending = with(made, "status.phase", "Terminating")
        #expect(
            namespaces.statusProblems(ending, from: made) == [
                "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"
            ]
        )
    }
}
