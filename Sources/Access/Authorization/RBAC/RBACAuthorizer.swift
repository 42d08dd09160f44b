import APIModel
import Synchronization
import Values

/// Allows what roles and bindings say. Compiles them when they have changed since the last question; guarded by its mutex.
public final class RBACAuthorizer: Authorizer {
    private struct State {
        var revisions: [UInt64] = []
        var grants = RoleGrants(RoleGrants.Objects())
    }

    static let resources = ["clusterroles", "roles", "clusterrolebindings", "rolebindings"].map {
        GroupResource(group: BootstrapPolicy.group, resource: $0)
    }

    private let lookup: any ClusterLookup
    private let state = Mutex(State())

    /// An authorizer that reads the objects of `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        let grants = grants
        if let reason = grants.reason(attributes) { return .allow(reason: "RBAC: allowed by \(reason)") }
        return .noOpinion(reason: grants.problem(attributes).map { "RBAC: \($0)" } ?? "")
    }

    /// What the objects grant now.
    var grants: RoleGrants {
        let revisions = Self.resources.map { lookup.revision($0) }
        if let known = state.withLock({ $0.revisions == revisions ? $0.grants : nil }) { return known }
        let objects = Self.resources.map { lookup.objects($0, namespace: nil) }
        let made = RoleGrants(
            RoleGrants.Objects(clusterRoles: objects[0], roles: objects[1], clusterRoleBindings: objects[2], roleBindings: objects[3])
        )
        state.withLock { state in
            state.revisions = revisions
            state.grants = made
        }
        return made
    }

    /// All the rules that hold for a user in a namespace, for `kubectl auth can-i --list`.
    public func rules(of user: UserIdentity, in namespace: String) -> [PolicyRule] {
        grants.grants(of: user, in: namespace).flatMap(\.rules)
    }

    /// The rules of the role that a binding refers to; nil when there is none.
    func rules(ofRole kind: String, _ name: String, in namespace: String) -> [PolicyRule]? {
        let resource = GroupResource(group: BootstrapPolicy.group, resource: kind == "ClusterRole" ? "clusterroles" : "roles")
        guard let role = lookup.object(resource, namespace: kind == "ClusterRole" ? "" : namespace, name: name) else { return nil }
        return PolicyRule.rules(role["rules"])
    }
}
