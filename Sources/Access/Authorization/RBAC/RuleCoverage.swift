/// Whether rules hold everything that other rules do: nobody gives away what he does not have.
enum RuleCoverage {
    /// The rules of `wanted` that `owned` does not hold, each broken down to what is missing.
    static func missing(_ wanted: [PolicyRule], from owned: [PolicyRule]) -> [PolicyRule] {
        wanted.flatMap(parts).filter { part in !owned.contains { covers($0, part) } }
    }

    /// So many combinations of one rule are looked at; a rule with more is not given away by anybody who does not own `*`.
    private static let maxParts = 10_000

    /// A rule as rules of one verb, one group, one resource, one name or path each.
    private static func parts(_ rule: PolicyRule) -> [PolicyRule] {
        var parts: [PolicyRule] = []
        for verb in rule.verbs {
            for path in rule.nonResourceURLs { parts.append(PolicyRule([verb], paths: [path])) }
            for group in rule.apiGroups {
                for resource in rule.resources {
                    guard parts.count < maxParts else { return [PolicyRule(["*"], groups: ["*"], resources: ["*"])] }
                    if rule.resourceNames.isEmpty {
                        parts.append(PolicyRule([verb], groups: [group], resources: [resource]))
                    } else {
                        for name in rule.resourceNames {
                            parts.append(PolicyRule([verb], groups: [group], resources: [resource], names: [name]))
                        }
                    }
                }
            }
        }
        return parts
    }

    private static func covers(_ owner: PolicyRule, _ part: PolicyRule) -> Bool {
        guard let verb = part.verbs.first, has(owner.verbs, verb) else { return false }
        if let path = part.nonResourceURLs.first { return owner.nonResourceURLs.contains { covers($0, path: path) } }
        guard let group = part.apiGroups.first, has(owner.apiGroups, group) else { return false }
        guard let resource = part.resources.first, coversResource(owner.resources, resource) else { return false }
        if owner.resourceNames.isEmpty { return true }
        guard let name = part.resourceNames.first else { return false }
        return owner.resourceNames.contains(name)
    }

    private static func coversResource(_ owned: [String], _ wanted: String) -> Bool {
        if has(owned, wanted) { return true }
        guard let slash = wanted.firstIndex(of: "/") else { return false }
        return owned.contains("*" + wanted[slash...])
    }

    private static func covers(_ owned: String, path: String) -> Bool {
        if owned == "*" || owned == path { return true }
        return owned.hasSuffix("*") && path.hasPrefix(owned.dropLast())
    }

    private static func has(_ list: [String], _ wanted: String) -> Bool {
        list.contains { $0 == "*" || $0 == wanted }
    }
}
