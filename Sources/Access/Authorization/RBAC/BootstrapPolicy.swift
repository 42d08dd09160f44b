import APIModel
import Values

/// The roles and bindings every cluster has, as upstream makes them.
public enum BootstrapPolicy {
    /// Says that the server keeps the object complete; users may turn it off.
    public static let autoUpdateKey = "rbac.authorization.kubernetes.io/autoupdate"
    static let group = "rbac.authorization.k8s.io"

    /// One default object.
    public struct Entry: Sendable {
        /// Where it is stored.
        public let resource: GroupResource
        /// Its namespace; empty for the cluster's.
        public let namespace: String
        /// Its name.
        public let name: String
        /// The object without what the server adds.
        public let object: JSONValue
    }

    /// All default objects, roles before bindings.
    public static func entries() -> [Entry] {
        BootstrapPolicyData.text.split(separator: "\n").compactMap { line in
            (try? JSONParser.parse(Array(line.utf8))).flatMap(entry)
        }
    }

    private static let resources = [
        "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings", "Role": "roles", "RoleBinding": "rolebindings",
    ]

    private static func entry(_ line: JSONValue) -> Entry? {
        guard let kind = line["k"]?.string, let name = line["n"]?.string, let resource = resources[kind] else { return nil }
        var labels = line["l"] ?? [:]
        labels["kubernetes.io/bootstrapping"] = "rbac-defaults"
        var object: JSONValue = ["metadata": ["name": .string(name), "labels": labels, "annotations": [autoUpdateKey: "true"]]]
        let namespace = line["s"]?.string ?? ""
        if !namespace.isEmpty { object.set(.string(namespace), at: ["metadata", "namespace"]) }
        if kind.hasSuffix("Role") {
            object["rules"] = line["r"] ?? .null
            if let aggregation = line["a"] { object["aggregationRule"] = aggregation }
        } else {
            guard let role = line["f"]?.string?.split(separator: "/", maxSplits: 1).map(String.init), role.count == 2 else { return nil }
            object["roleRef"] = ["apiGroup": .string(group), "kind": .string(role[0]), "name": .string(role[1])]
            object["subjects"] = .array((line["b"]?.array ?? []).compactMap { $0.string.flatMap(subject) })
        }
        return Entry(resource: GroupResource(group: group, resource: resource), namespace: namespace, name: name, object: object)
    }

    private static func subject(_ text: String) -> JSONValue? {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        guard parts[0] == "ServiceAccount" else {
            return ["apiGroup": .string(group), "kind": .string(parts[0]), "name": .string(parts[1])]
        }
        let account = parts[1].split(separator: "/", maxSplits: 1).map(String.init)
        guard account.count == 2 else { return nil }
        return ["kind": "ServiceAccount", "namespace": .string(account[0]), "name": .string(account[1])]
    }
}
