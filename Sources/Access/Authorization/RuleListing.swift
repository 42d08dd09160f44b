/// An authorizer that can tell all that a user may do, for `kubectl auth can-i --list`.
public protocol RuleListing: Sendable {
    /// The rules that hold for a user in a namespace, those for the whole cluster included.
    func rules(of user: UserIdentity, in namespace: String) -> [PolicyRule]
}

extension RBACAuthorizer: RuleListing {}

extension PrivilegedGroupAuthorizer: RuleListing {
    /// Everything, for the members.
    public func rules(of user: UserIdentity, in namespace: String) -> [PolicyRule] {
        guard isPrivileged(user) else { return [] }
        return [PolicyRule(["*"], groups: ["*"], resources: ["*"]), PolicyRule(["*"], paths: ["*"])]
    }
}

extension ComponentAuthorizer: RuleListing {
    /// The component's own rules.
    public func rules(of user: UserIdentity, in namespace: String) -> [PolicyRule] { rules(ofComponent: user.name) }
}

extension AuthorizerChain: RuleListing {
    /// The rules of every member that can tell, each once.
    public func rules(of user: UserIdentity, in namespace: String) -> [PolicyRule] {
        var found: [PolicyRule] = []
        for authorizer in members {
            guard let listing = authorizer as? any RuleListing else { continue }
            for rule in listing.rules(of: user, in: namespace) where !found.contains(rule) { found.append(rule) }
        }
        return found
    }
}
