import APIModel
import Values

/// Who may do what, compiled from roles and bindings. A value; made anew when one of them changes.
struct RoleGrants: Sendable {
    /// What one subject of a binding is given, everywhere or in one namespace.
    struct Grant: Sendable {
        /// Nil is everywhere.
        let namespace: String?
        let rules: [PolicyRule]
        /// Why a request is allowed by it: the binding, its role and the subject that matched. Of a binding whose role does
        /// not exist: what is missing; it has no rules.
        let reason: String
        /// Bindings are looked at in this order: those of the cluster first, of one binding the subjects as they are named.
        let rank: Int
        /// Whether its role does not exist.
        var isDangling = false
    }

    private var users: [String: [Grant]] = [:]
    private var groups: [String: [Grant]] = [:]
    private var count = 0

    /// The objects as they are stored. What refers to a role that does not exist grants nothing, and is told of.
    struct Objects: Sendable {
        var clusterRoles: [JSONValue] = []
        var roles: [JSONValue] = []
        var clusterRoleBindings: [JSONValue] = []
        var roleBindings: [JSONValue] = []
    }

    init(_ objects: Objects) {
        var clusterRoles: [String: [PolicyRule]] = [:]
        for role in objects.clusterRoles {
            guard let name = role.metadataText("name") else { continue }
            // What a role gathers from others, its controller has written into its rules.
            clusterRoles[name] = PolicyRule.rules(role["rules"])
        }
        var roles: [String: [PolicyRule]] = [:]
        for role in objects.roles {
            guard let name = role.metadataText("name"), let namespace = role.metadataText("namespace") else { continue }
            roles["\(namespace)/\(name)"] = PolicyRule.rules(role["rules"])
        }
        for binding in objects.clusterRoleBindings {
            guard let name = binding.metadataText("name"), let role = Reference(binding) else { continue }
            add(binding, BindingFacts(kind: "ClusterRoleBinding", name: name, role: role), role.isCluster ? clusterRoles[role.name] : nil)
        }
        for binding in objects.roleBindings {
            guard let name = binding.metadataText("name"), let namespace = binding.metadataText("namespace"),
                let role = Reference(binding)
            else { continue }
            let facts = BindingFacts(kind: "RoleBinding", name: "\(name)/\(namespace)", namespace: namespace, role: role)
            add(binding, facts, role.isCluster ? clusterRoles[role.name] : roles["\(namespace)/\(role.name)"])
        }
    }

    /// The role that a binding names.
    private struct Reference {
        let kind: String
        let name: String

        init?(_ binding: JSONValue) {
            guard let name = binding.value(at: ["roleRef", "name"])?.string else { return nil }
            self.name = name
            kind = binding.value(at: ["roleRef", "kind"])?.string ?? ""
        }

        var isCluster: Bool { kind == "ClusterRole" }
        var problem: String { "\(kind.lowercased()).\(BootstrapPolicy.group) \(RoleGrants.quoted(name)) not found" }
    }

    /// A binding, as reasons speak of it.
    private struct BindingFacts {
        let kind: String
        let name: String
        /// Empty for the cluster's.
        var namespace = ""
        let role: Reference

        func reason(_ subject: String) -> String {
            "\(kind) \(RoleGrants.quoted(name)) of \(role.kind) \(RoleGrants.quoted(role.name)) to \(subject)"
        }
    }

    /// Names come from users; a quote in one does not end it.
    private static func quoted(_ name: String) -> String {
        var out = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { out.unicodeScalars.append("\\") }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }

    /// Gives the rules (nil: the role does not exist) to every subject.
    private mutating func add(_ binding: JSONValue, _ facts: BindingFacts, _ rules: [PolicyRule]?) {
        for subject in binding["subjects"]?.array ?? [] {
            guard let name = subject["name"]?.string, !name.isEmpty, let kind = subject["kind"]?.string else { continue }
            let own = subject["namespace"]?.string ?? ""
            let place = own.isEmpty ? facts.namespace : own
            let isAccount = kind == "ServiceAccount"
            let shown = Self.quoted(isAccount ? "\(name)/\(place)" : name)
            let grant = Grant(
                namespace: facts.namespace.isEmpty ? nil : facts.namespace,
                rules: rules ?? [],
                reason: rules == nil ? facts.role.problem : facts.reason("\(kind) \(shown)"),
                rank: count,
                isDangling: rules == nil
            )
            switch kind {
            case "User": users[name, default: []].append(grant)
            case "Group": groups[name, default: []].append(grant)
            case "ServiceAccount" where !place.isEmpty:
                users["\(UserIdentity.serviceAccountPrefix)\(place):\(name)", default: []].append(grant)
            default: continue
            }
            count += 1
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

    /// Why a request is allowed: by the first binding that allows it; nil when nothing does.
    func reason(_ attributes: RequestAttributes) -> String? {
        var first: Grant?
        Self.search(users[attributes.user.name], attributes, &first)
        for group in attributes.user.groups { Self.search(groups[group], attributes, &first) }
        return first?.reason
    }

    /// Each list is in the order of the bindings already.
    private static func search(_ grants: [Grant]?, _ attributes: RequestAttributes, _ first: inout Grant?) {
        for grant in grants ?? [] {
            if let first, first.rank < grant.rank { return }
            if let namespace = grant.namespace, !attributes.isResourceRequest || namespace != attributes.namespace { continue }
            guard grant.rules.contains(where: { $0.allows(attributes) }) else { continue }
            first = grant
            return
        }
    }

    /// So many missing roles are told of.
    private static let maxProblems = 20

    /// What bindings of the user refer to and does not exist, for whom nothing allows; nil when nothing is missing.
    func problem(_ attributes: RequestAttributes) -> String? {
        let namespace = attributes.isResourceRequest ? attributes.namespace : ""
        let dangling = grants(of: attributes.user, in: namespace).filter(\.isDangling).sorted { $0.rank < $1.rank }
        var texts: [String] = []
        for grant in dangling where texts.count < Self.maxProblems && !texts.contains(grant.reason) { texts.append(grant.reason) }
        return texts.count > 1 ? "[\(texts.joined(separator: ", "))]" : texts.first
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
