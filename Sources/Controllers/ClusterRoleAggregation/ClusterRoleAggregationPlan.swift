import APITypes
import Units
import Values

/// The rules of a cluster role that gathers those of others.
enum ClusterRoleAggregationPlan {
    private static let fields = ["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"]

    /// What the role's rules have to be, when they are something else now. Nil for a role that gathers nothing, too.
    ///
    /// - Parameters:
    ///   - matching: The roles that a selector chooses, in any order.
    /// - Throws: `SelectorError` for a selector that makes no sense; nothing is written then.
    static func rules(
        of role: ClusterRole,
        matching: (LabelSelector) -> [ClusterRole]
    ) throws -> [JSONValue]? {
        guard let rule = role.fields["aggregationRule"], rule.object != nil else { return nil }
        var gathered: [JSONValue] = []
        var known: Set<JSONValue> = []
        for selector in rule["clusterRoleSelectors"]?.array ?? [] {
            let chosen = matching(try LabelSelector(json: selector)).sorted { $0.name < $1.name }
            for other in chosen where other.name != role.name {
                for rule in plain(other) where known.insert(rule).inserted { gathered.append(rule) }
            }
        }
        return gathered == plain(role) ? nil : gathered
    }

    /// The rules without what says nothing: an empty list is as good as none.
    private static func plain(_ role: ClusterRole) -> [JSONValue] {
        (role.fields["rules"]?.array ?? []).map { rule in
            var out: JSONValue = [:]
            for field in fields {
                guard let list = rule[field], list.array?.isEmpty == false else { continue }
                out[field] = list
            }
            return out
        }
    }
}
