/// One rule of what is allowed, as an RBAC role holds it.
public struct PolicyRule: Sendable, Hashable {
    /// The verbs, or `*`.
    public var verbs: [String]
    /// The API groups, or `*`.
    public var apiGroups: [String]
    /// Resources as `pods`, `pods/status`, `*/scale` or `*`.
    public var resources: [String]
    /// The only names allowed; empty means any.
    public var resourceNames: [String]
    /// Paths of requests that name no resource; a trailing `*` matches any rest.
    public var nonResourceURLs: [String]

    /// A rule on resources.
    public init(_ verbs: [String], groups: [String], resources: [String], names: [String] = []) {
        self.verbs = verbs
        self.apiGroups = groups
        self.resources = resources
        self.resourceNames = names
        self.nonResourceURLs = []
    }

    /// A rule on paths.
    public init(_ verbs: [String], paths: [String]) {
        self.verbs = verbs
        self.apiGroups = []
        self.resources = []
        self.resourceNames = []
        self.nonResourceURLs = paths
    }

    /// Whether the rule allows the request.
    public func allows(_ attributes: RequestAttributes) -> Bool {
        guard Self.has(verbs, attributes.verb) else { return false }
        guard attributes.isResourceRequest else {
            return nonResourceURLs.contains { Self.path($0, matches: attributes.path) }
        }
        guard Self.has(apiGroups, attributes.apiGroup), matchesResource(attributes) else { return false }
        return resourceNames.isEmpty || resourceNames.contains(attributes.name)
    }

    private func matchesResource(_ attributes: RequestAttributes) -> Bool {
        let subresource = attributes.subresource
        let wanted = subresource.isEmpty ? attributes.resource : "\(attributes.resource)/\(subresource)"
        return resources.contains { rule in
            rule == "*" || rule == wanted || (!subresource.isEmpty && rule == "*/\(subresource)")
        }
    }

    private static func has(_ list: [String], _ wanted: String) -> Bool {
        list.contains { $0 == "*" || $0 == wanted }
    }

    private static func path(_ rule: String, matches path: String) -> Bool {
        if rule == "*" || rule == path { return true }
        return rule.hasSuffix("*") && path.hasPrefix(rule.dropLast())
    }
}
