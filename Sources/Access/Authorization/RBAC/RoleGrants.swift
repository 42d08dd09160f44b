import APIModel
import Units
import Values

/// Who may do what, compiled from roles and bindings. A value; made anew when one of them changes.
struct RoleGrants: Sendable {
    /// The rules of one binding, everywhere or in one namespace.
    struct Grant: Sendable {
        /// Nil is everywhere.
        let namespace: String?
        let rules: [PolicyRule]
        /// The binding and its role, for the reason.
        let reason: String
    }

    private var users: [String: [Grant]] = [:]
    private var groups: [String: [Grant]] = [:]

    /// The objects as they are stored. What refers to a role that does not exist grants nothing.
    struct Objects: Sendable {
        var clusterRoles: [JSONValue] = []
        var roles: [JSONValue] = []
        var clusterRoleBindings: [JSONValue] = []
        var roleBindings: [JSONValue] = []
    }

    init(_ objects: Objects) {
        let clusterRoles = Self.clusterRules(objects.clusterRoles)
        var roles: [String: [PolicyRule]] = [:]
        for role in objects.roles {
            guard let name = role.metadataText("name"), let namespace = role.metadataText("namespace") else { continue }
            roles["\(namespace)/\(name)"] = PolicyRule.rules(role["rules"])
        }
        for binding in objects.clusterRoleBindings {
            guard let name = binding.metadataText("name"), let role = binding.value(at: ["roleRef", "name"])?.string,
                let rules = clusterRoles[role]
            else { continue }
            let reason = "ClusterRoleBinding \"\(name)\" of ClusterRole \"\(role)\" to \(Self.about(binding))"
            add(binding, Grant(namespace: nil, rules: rules, reason: reason), namespace: "")
        }
        for binding in objects.roleBindings {
            guard let name = binding.metadataText("name"), let namespace = binding.metadataText("namespace"),
                let role = binding.value(at: ["roleRef", "name"])?.string
            else { continue }
            let kind = binding.value(at: ["roleRef", "kind"])?.string ?? ""
            guard let rules = kind == "ClusterRole" ? clusterRoles[role] : roles["\(namespace)/\(role)"] else { continue }
            let reason = "RoleBinding \"\(name)/\(namespace)\" of \(kind) \"\(role)\" to \(Self.about(binding))"
            add(binding, Grant(namespace: namespace, rules: rules, reason: reason), namespace: namespace)
        }
    }

    private static func about(_ binding: JSONValue) -> String {
        guard let first = binding["subjects"]?[0] else { return "nobody" }
        let kind = first["kind"]?.string ?? ""
        let name = first["name"]?.string ?? ""
        guard kind == "ServiceAccount" else { return "\(kind) \"\(name)\"" }
        return "ServiceAccount \"\(name)/\(first["namespace"]?.string ?? "")\""
    }

    /// So deep may roles gather each other.
    private static let maxGathering = 8

    /// The rules of every cluster role, those of the roles it gathers included.
    private static func clusterRules(_ roles: [JSONValue]) -> [String: [PolicyRule]] {
        var rules: [String: [PolicyRule]] = [:]
        for role in roles {
            guard let name = role.metadataText("name") else { continue }
            rules[name] = PolicyRule.rules(role["rules"])
        }
        // Roles gather roles that gather: admin takes edit in, and edit view.
        for _ in 0..<Self.maxGathering {
            let before = rules
            for role in roles {
                guard let name = role.metadataText("name"), let selectors = role.value(at: ["aggregationRule", "clusterRoleSelectors"])?.array
                else { continue }
                rules[name] = gathered(selectors, roles, before, except: name)
            }
            if rules == before { break }
        }
        return rules
    }

    private static func gathered(
        _ selectors: [JSONValue],
        _ roles: [JSONValue],
        _ rules: [String: [PolicyRule]],
        except own: String
    ) -> [PolicyRule] {
        var found: [PolicyRule] = []
        for role in roles {
            guard let name = role.metadataText("name"), name != own else { continue }
            let labels = role.value(at: ["metadata", "labels"])
            guard selectors.contains(where: { matches($0, labels) }) else { continue }
            for rule in rules[name] ?? [] where !found.contains(rule) { found.append(rule) }
        }
        return found
    }

    /// Labels and expressions of a selector. What is not understood matches nothing.
    private static func matches(_ selector: JSONValue, _ labels: JSONValue?) -> Bool {
        for (key, value) in selector["matchLabels"]?.object ?? [:] where labels?[key] != value { return false }
        for expression in selector["matchExpressions"]?.array ?? [] {
            guard let key = expression["key"]?.string else { return false }
            let value = labels?[key]
            let values = expression["values"]?.array ?? []
            switch expression["operator"]?.string {
            case "In": if value.map({ values.contains($0) }) != true { return false }
            case "NotIn": if value.map({ values.contains($0) }) == true { return false }
            case "Exists": if value == nil { return false }
            case "DoesNotExist": if value != nil { return false }
            default: return false
            }
        }
        return true
    }

    private mutating func add(_ binding: JSONValue, _ grant: Grant, namespace: String) {
        for subject in binding["subjects"]?.array ?? [] {
            guard let name = subject["name"]?.string, !name.isEmpty else { continue }
            switch subject["kind"]?.string {
            case "User": users[name, default: []].append(grant)
            case "Group": groups[name, default: []].append(grant)
            case "ServiceAccount":
                let own = subject["namespace"]?.string ?? ""
                let place = own.isEmpty ? namespace : own
                if !place.isEmpty { users["\(UserIdentity.serviceAccountPrefix)\(place):\(name)", default: []].append(grant) }
            default: continue
            }
        }
    }

    /// Everything a user was granted for a namespace (empty: for the cluster).
    func grants(of user: UserIdentity, in namespace: String) -> [Grant] {
        var found: [Grant] = []
        func take(_ grants: [Grant]?) {
            for grant in grants ?? [] where grant.namespace == nil || (!namespace.isEmpty && grant.namespace == namespace) {
                found.append(grant)
            }
        }
        take(users[user.name])
        for group in user.groups { take(groups[group]) }
        return found
    }

    /// Why a request is allowed; nil when nothing allows it.
    func reason(_ attributes: RequestAttributes) -> String? {
        if let reason = Self.reason(users[attributes.user.name], attributes) { return reason }
        for group in attributes.user.groups {
            if let reason = Self.reason(groups[group], attributes) { return reason }
        }
        return nil
    }

    private static func reason(_ grants: [Grant]?, _ attributes: RequestAttributes) -> String? {
        guard let grants else { return nil }
        for grant in grants {
            if let namespace = grant.namespace, !attributes.isResourceRequest || namespace != attributes.namespace { continue }
            for rule in grant.rules where rule.allows(attributes) { return grant.reason }
        }
        return nil
    }
}

extension PolicyRule {
    /// The rules of a role's object.
    static func rules(_ list: JSONValue?) -> [PolicyRule] {
        (list?.array ?? []).map { rule in
            func strings(_ name: String) -> [String] { rule[name]?.array?.compactMap(\.string) ?? [] }
            var made = PolicyRule(
                strings("verbs"),
                groups: strings("apiGroups"),
                resources: strings("resources"),
                names: strings("resourceNames")
            )
            made.nonResourceURLs = strings("nonResourceURLs")
            return made
        }
    }
}

extension JSONValue {
    fileprivate func metadataText(_ field: String) -> String? {
        guard let text = value(at: ["metadata", field])?.string, !text.isEmpty else { return nil }
        return text
    }
}
