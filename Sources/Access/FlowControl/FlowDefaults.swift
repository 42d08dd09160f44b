import Values

/// The flow schemas and priority levels every cluster has, as upstream makes them.
public enum FlowDefaults {
    /// Says that the server keeps the object's spec as it should be; on by default, users may turn it off.
    public static let autoUpdateKey = "apf.kubernetes.io/autoupdate-spec"

    /// The objects that are put back whatever anybody does to them.
    public static let mandatory: Set<String> = ["exempt", "catch-all"]

    /// The priority levels.
    public static let levels: [JSONValue] =
        [
            object(
                "PriorityLevelConfiguration",
                "exempt",
                ["type": "Exempt", "exempt": ["nominalConcurrencyShares": 0, "lendablePercent": 0]]
            ),
            object(
                "PriorityLevelConfiguration",
                "catch-all",
                [
                    "type": "Limited",
                    "limited": ["nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": ["type": "Reject"]],
                ]
            ),
        ]
        + [
            ("system", 30, 33, 64, 6), ("node-high", 40, 25, 64, 6), ("leader-election", 10, 0, 16, 4), ("workload-high", 40, 50, 128, 6),
            ("workload-low", 100, 90, 128, 6), ("global-default", 20, 50, 128, 6),
        ].map { level($0.0, shares: $0.1, lendable: $0.2, queues: $0.3, hand: $0.4) }

    /// The flow schemas.
    public static let schemas: [JSONValue] = [
        schema("exempt", "exempt", 1, nil, groups("system:masters"), resources: [everything], paths: ["*"]),
        schema("probes", "exempt", 2, nil, everyone, resources: [], paths: ["/healthz", "/readyz", "/livez"], pathVerbs: ["get"]),
        schema(
            "system-leader-election",
            "leader-election",
            100,
            "ByUser",
            users("system:kube-controller-manager", "system:kube-scheduler") + kubeSystem,
            resources: [rule(["get", "create", "update"], ["coordination.k8s.io"], ["leases"], clusterScope: nil)]
        ),
        schema(
            "system-node-high",
            "node-high",
            400,
            "ByUser",
            groups("system:nodes"),
            resources: [
                rule(["*"], [""], ["nodes", "nodes/status"], clusterScope: true),
                rule(["*"], ["coordination.k8s.io"], ["leases"], clusterScope: nil),
            ]
        ),
        schema("system-nodes", "system", 500, "ByUser", groups("system:nodes"), resources: [everything], paths: ["*"]),
        schema(
            "kube-controller-manager",
            "workload-high",
            800,
            "ByNamespace",
            users("system:kube-controller-manager"),
            resources: [everything],
            paths: ["*"]
        ),
        schema(
            "kube-scheduler",
            "workload-high",
            800,
            "ByNamespace",
            users("system:kube-scheduler"),
            resources: [everything],
            paths: ["*"]
        ),
        schema(
            "kube-system-service-accounts",
            "workload-high",
            900,
            "ByNamespace",
            kubeSystem,
            resources: [everything],
            paths: ["*"]
        ),
        schema(
            "service-accounts",
            "workload-low",
            9000,
            "ByUser",
            groups("system:serviceaccounts"),
            resources: [everything],
            paths: ["*"]
        ),
        schema("global-default", "global-default", 9900, "ByUser", everyone, resources: [everything], paths: ["*"]),
        schema("catch-all", "catch-all", 10000, "ByUser", everyone, resources: [everything], paths: ["*"]),
    ]

    // MARK: Parts

    private static let everyone = groups("system:unauthenticated", "system:authenticated")
    private static let kubeSystem: [JSONValue] = [
        ["kind": "ServiceAccount", "serviceAccount": ["name": "*", "namespace": "kube-system"]]
    ]
    private static let everything = rule(["*"], ["*"], ["*"], clusterScope: true)

    private static func object(_ kind: String, _ name: String, _ spec: JSONValue) -> JSONValue {
        [
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": .string(kind),
            "metadata": ["name": .string(name), "annotations": [autoUpdateKey: "true"]], "spec": spec,
        ]
    }

    private static func level(_ name: String, shares: Int, lendable: Int, queues: Int, hand: Int) -> JSONValue {
        let queuing: JSONValue = ["queues": JSONValue(queues), "handSize": JSONValue(hand), "queueLengthLimit": 50]
        let limited: JSONValue = [
            "nominalConcurrencyShares": JSONValue(shares), "lendablePercent": JSONValue(lendable),
            "limitResponse": ["type": "Queue", "queuing": queuing],
        ]
        return object("PriorityLevelConfiguration", name, ["type": "Limited", "limited": limited])
    }

    private static func schema(
        _ name: String,
        _ level: String,
        _ precedence: Int,
        _ distinguisher: String?,
        _ subjects: [JSONValue],
        resources: [JSONValue],
        paths: [String] = [],
        pathVerbs: [String] = ["*"]
    ) -> JSONValue {
        var rule: JSONValue = ["subjects": .array(subjects)]
        if !resources.isEmpty { rule["resourceRules"] = .array(resources) }
        if !paths.isEmpty { rule["nonResourceRules"] = [["verbs": JSONValue(pathVerbs), "nonResourceURLs": JSONValue(paths)]] }
        var spec: JSONValue = [
            "matchingPrecedence": JSONValue(precedence), "priorityLevelConfiguration": ["name": .string(level)], "rules": [rule],
        ]
        if let distinguisher { spec["distinguisherMethod"] = ["type": .string(distinguisher)] }
        return object("FlowSchema", name, spec)
    }

    private static func groups(_ names: String...) -> [JSONValue] {
        names.map { ["kind": "Group", "group": ["name": .string($0)]] }
    }

    private static func users(_ names: String...) -> [JSONValue] {
        names.map { ["kind": "User", "user": ["name": .string($0)]] }
    }

    private static func rule(_ verbs: [String], _ groups: [String], _ resources: [String], clusterScope: Bool?) -> JSONValue {
        var rule: JSONValue = [
            "verbs": JSONValue(verbs), "apiGroups": JSONValue(groups), "resources": JSONValue(resources), "namespaces": ["*"],
        ]
        if let clusterScope { rule["clusterScope"] = .bool(clusterScope) }
        return rule
    }
}
