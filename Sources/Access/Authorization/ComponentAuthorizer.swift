/// What each component of the cluster may do, by user name, until roles are stored as objects.
public struct ComponentAuthorizer: Authorizer {
    private let rules: [String: [PolicyRule]]

    /// The rights of the components named; the defaults follow upstream's bootstrap roles.
    public init(rules: [String: [PolicyRule]] = ComponentAuthorizer.bootstrapRules) {
        self.rules = rules
    }

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        guard let own = rules[attributes.user.name] else { return .noOpinion(reason: "") }
        return own.contains { $0.allows(attributes) } ? .allow(reason: "") : .noOpinion(reason: "")
    }

    func rules(ofComponent name: String) -> [PolicyRule] { rules[name] ?? [] }

    /// Verbs that only look.
    public static let read = ["get", "list", "watch"]
    private static let write = ["create", "update", "patch", "delete", "deletecollection"]

    /// The rules by user name.
    public static let bootstrapRules: [String: [PolicyRule]] = [
        "system:kube-controller-manager": controllerManager,
        "system:kube-scheduler": scheduler,
        "system:kube-proxy": proxy,
        "system:cluster-dns": dns,
        "system:cluster-network": network,
        "system:serviceaccount:kube-system:certificate-controller": certificates,
    ]

    /// Beyond upstream's role, with which people have to approve nodes' serving certificates: this controller approves them
    /// once it has compared their names with the node's.
    private static let certificates = [
        PolicyRule(["approve"], groups: ["certificates.k8s.io"], resources: ["signers"], names: ["kubernetes.io/kubelet-serving"])
    ]

    /// The controllers create, change and delete objects of every kind (garbage collection, namespace deletion).
    private static let controllerManager = [
        PolicyRule(read + write, groups: ["*"], resources: ["*"]),
        // Who puts roles together writes rules that he does not hold himself.
        PolicyRule(["escalate"], groups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"]),
        PolicyRule(["get"], paths: ["*"]),
    ]

    private static let events = PolicyRule(["create", "patch", "update"], groups: ["", "events.k8s.io"], resources: ["events"])

    private static let scheduler = [
        events,
        PolicyRule(["create"], groups: ["coordination.k8s.io"], resources: ["leases"]),
        PolicyRule(["get", "update", "patch"], groups: ["coordination.k8s.io"], resources: ["leases"], names: ["kube-scheduler"]),
        PolicyRule(read, groups: [""], resources: ["nodes", "namespaces"]),
        PolicyRule(read + ["delete"], groups: [""], resources: ["pods"]),
        PolicyRule(["create"], groups: [""], resources: ["bindings", "pods/binding"]),
        PolicyRule(["patch", "update"], groups: [""], resources: ["pods/status", "nodes/status"]),
        PolicyRule(read, groups: [""], resources: ["replicationcontrollers", "services"]),
        PolicyRule(read, groups: ["apps"], resources: ["replicasets", "statefulsets"]),
        PolicyRule(read, groups: ["policy"], resources: ["poddisruptionbudgets"]),
        PolicyRule(read + ["update", "patch"], groups: [""], resources: ["persistentvolumeclaims", "persistentvolumes"]),
        PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
        PolicyRule(["create"], groups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"]),
        PolicyRule(
            read,
            groups: ["storage.k8s.io"],
            resources: [
                "csinodes", "csidrivers", "csistoragecapacities", "storageclasses", "volumeattachments",
            ]
        ),
        PolicyRule(read, groups: ["scheduling.k8s.io"], resources: ["priorityclasses", "podgroups", "workloads"]),
        PolicyRule(read, groups: ["resource.k8s.io"], resources: ["deviceclasses", "resourceslices", "resourceclaims"]),
        PolicyRule(["update", "patch"], groups: ["resource.k8s.io"], resources: ["resourceclaims", "resourceclaims/status"]),
    ]

    private static let proxy = [
        events,
        PolicyRule(read, groups: [""], resources: ["services", "endpoints", "nodes", "namespaces"]),
        PolicyRule(read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(read, groups: ["networking.k8s.io"], resources: ["servicecidrs"]),
    ]

    private static let dns = [
        PolicyRule(read, groups: [""], resources: ["services", "endpoints", "pods", "namespaces", "nodes"]),
        PolicyRule(read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
    ]

    private static let network = [
        events,
        PolicyRule(read, groups: [""], resources: ["pods", "nodes", "namespaces", "services", "endpoints"]),
        PolicyRule(["patch", "update"], groups: [""], resources: ["nodes/status"]),
        PolicyRule(read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
        PolicyRule(read, groups: ["networking.k8s.io"], resources: ["networkpolicies"]),
    ]
}
