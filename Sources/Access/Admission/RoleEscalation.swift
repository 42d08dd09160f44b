import APIModel
import Values

/// Nobody writes a role with more rights than his own, unless he may `escalate`, nor binds one he does not hold, unless he
/// may `bind` it.
public struct RoleEscalation: Admission {
    /// The plugin's name. Upstream checks this in its role storage, where it has none.
    public let name = "RoleEscalation"
    private let authorizer: RBACAuthorizer
    private let others: any Authorizer

    /// - Parameters:
    ///   - authorizer: Knows the rules of users and roles.
    ///   - others: Decides about `escalate` and `bind`; it includes who may do everything.
    public init(authorizer: RBACAuthorizer, others: any Authorizer) {
        self.authorizer = authorizer
        self.others = others
    }

    /// Whether the request writes a role or a binding, by somebody who may not do everything anyway.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.resource.group == BootstrapPolicy.group && request.subresource.isEmpty
            && (request.operation == .create || request.operation == .update)
            && !request.user.groups.contains(UserIdentity.mastersGroup)
    }

    /// Checks roles and bindings that are created or changed.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let object = request.object else { return }
        switch request.resource.resource {
        case "roles", "clusterroles": try await checkRole(request, object)
        case "rolebindings", "clusterrolebindings": try await checkBinding(request, object)
        default: return
        }
    }

    private func checkRole(_ request: AdmissionRequest, _ object: JSONValue) async throws(APIError) {
        if object["rules"] == request.oldObject?["rules"], object["aggregationRule"] == request.oldObject?["aggregationRule"] { return }
        if await may(request, "escalate", request.resource.resource, request.name, group: BootstrapPolicy.group) { return }
        var wanted = PolicyRule.rules(object["rules"])
        // What gathers other roles may come to hold anything.
        if object["aggregationRule"]?.object != nil {
            wanted = [PolicyRule(["*"], groups: ["*"], resources: ["*"]), PolicyRule(["*"], paths: ["*"])]
        }
        try refuse(request, wanted)
    }

    private func checkBinding(_ request: AdmissionRequest, _ object: JSONValue) async throws(APIError) {
        if let old = request.oldObject, old["subjects"] == object["subjects"], old["roleRef"] == object["roleRef"] { return }
        let kind = object.value(at: ["roleRef", "kind"])?.string ?? ""
        let name = object.value(at: ["roleRef", "name"])?.string ?? ""
        let resource = kind == "ClusterRole" ? "clusterroles" : "roles"
        if await may(request, "bind", resource, name, group: BootstrapPolicy.group) { return }
        guard let rules = authorizer.rules(ofRole: kind, name, in: request.namespace) else {
            throw .notFound(GroupResource(group: BootstrapPolicy.group, resource: resource), name)
        }
        try refuse(request, rules)
    }

    private func may(_ request: AdmissionRequest, _ verb: String, _ resource: String, _ name: String, group: String) async -> Bool {
        let attributes = RequestAttributes(
            user: request.user,
            verb: verb,
            apiGroup: group,
            resource: resource,
            namespace: request.namespace,
            name: name
        )
        return await others.authorize(attributes).isAllowed
    }

    private func refuse(_ request: AdmissionRequest, _ wanted: [PolicyRule]) throws(APIError) {
        let owned = authorizer.rules(of: request.user, in: request.namespace)
        let missing = RuleCoverage.missing(wanted, from: owned)
        guard !missing.isEmpty else { return }
        let groups = request.user.groups.map { "\"\($0)\"" }.joined(separator: " ")
        let words = "user \"\(request.user.name)\" (groups=[\(groups)]) is attempting to grant RBAC permissions not currently held:\n"
        throw .forbidden(
            request.resource.groupResource,
            request.name,
            words + missing.map(Self.text).joined(separator: "\n")
        )
    }

    private static func text(_ rule: PolicyRule) -> String {
        func list(_ items: [String]) -> String { "[" + items.map { "\"\($0)\"" }.joined(separator: " ") + "]" }
        var parts: [String] = []
        if !rule.apiGroups.isEmpty { parts.append("APIGroups:\(list(rule.apiGroups))") }
        if !rule.resources.isEmpty { parts.append("Resources:\(list(rule.resources))") }
        if !rule.resourceNames.isEmpty { parts.append("ResourceNames:\(list(rule.resourceNames))") }
        if !rule.nonResourceURLs.isEmpty { parts.append("NonResourceURLs:\(list(rule.nonResourceURLs))") }
        parts.append("Verbs:\(list(rule.verbs))")
        return "{" + parts.joined(separator: ", ") + "}"
    }
}
