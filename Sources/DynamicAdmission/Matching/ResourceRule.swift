import APIModel
import Access
import Values

/// One rule of a webhook or of a policy: which operations on which resources it is about.
///
/// Source: admissionregistration/v1 RuleWithOperations and NamedRuleWithOperations.
public struct ResourceRule: Sendable, Hashable {
    /// Which resources by where they live.
    public enum Scope: String, Sendable, Hashable {
        /// All.
        case all = "*"
        /// Those in no namespace; namespaces themselves are among them.
        case cluster = "Cluster"
        /// Those in a namespace.
        case namespaced = "Namespaced"
    }

    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.
    public var operations: [String]
    /// The groups, or `*`.
    public var apiGroups: [String]
    /// The versions, or `*`.
    public var apiVersions: [String]
    /// `pods`, `pods/log`, `*`, `*/*`, `pods/*` or `*/status`.
    public var resources: [String]
    /// Nil when the scope is one that nobody knows, which matches nothing.
    public var scope: Scope?
    /// The names of the objects; empty for all. Only policies have these.
    public var resourceNames: [String]

    /// Reads a rule.
    public init(_ rule: JSONValue) {
        operations = Self.texts(rule["operations"])
        apiGroups = Self.texts(rule["apiGroups"])
        apiVersions = Self.texts(rule["apiVersions"])
        resources = Self.texts(rule["resources"])
        scope = rule["scope"]?.string.map { Scope(rawValue: $0) } ?? .all
        resourceNames = Self.texts(rule["resourceNames"])
    }

    private static func texts(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }

    /// Whether the rule is about the request, were it one for `resource`.
    public func matches(_ request: AdmissionRequest, as resource: GroupVersionResource) -> Bool {
        operations.contains { $0 == "*" || $0 == request.operation.rawValue }
            && apiGroups.contains { $0 == "*" || $0 == resource.group }
            && apiVersions.contains { $0 == "*" || $0 == resource.version }
            && resources.contains { Self.matches($0, resource.resource, request.subresource) }
            && holds(scope, request, resource)
    }

    /// Whether the rule names the request's object, or any.
    func names(_ request: AdmissionRequest) -> Bool {
        resourceNames.isEmpty || resourceNames.contains(request.objectName)
    }

    private static func matches(_ pattern: String, _ resource: String, _ subresource: String) -> Bool {
        guard let slash = pattern.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            return subresource.isEmpty && (pattern == "*" || pattern == resource)
        }
        let own = pattern[..<slash]
        let sub = pattern[pattern.utf8.index(after: slash)...]
        return (own == "*" || own == resource) && (sub == "*" || sub == subresource)
    }

    private func holds(_ scope: Scope?, _ request: AdmissionRequest, _ resource: GroupVersionResource) -> Bool {
        let isCluster = resource == Self.namespaces || request.objectNamespace.isEmpty
        switch scope {
        case .all: return true
        case .cluster: return isCluster
        case .namespaced: return !isCluster
        case nil: return false
        }
    }

    private static let namespaces = GroupVersionResource(group: "", version: "v1", resource: "namespaces")
}

extension AdmissionRequest {
    /// Upstream's name of the request: that of the path, or of the object when the path has none. Empty while it is still to
    /// be generated.
    public var objectName: String {
        name.isEmpty ? object?.value(at: ["metadata", "name"])?.string ?? "" : name
    }

    /// Upstream's namespace of the request: for a namespace itself it is its own name.
    public var objectNamespace: String {
        guard namespace.isEmpty, resource.resource == "namespaces", resource.group.isEmpty else { return namespace }
        return objectName
    }

    /// Whether the request changes what configures admission, which nothing configured may intercept: a mistake could then
    /// never be taken back.
    public var isExemptFromConfiguredAdmission: Bool {
        kind.group == "admissionregistration.k8s.io" && Self.exemptKinds.contains(kind.kind)
    }

    private static let exemptKinds: Set<String> = [
        "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
    ]
}
