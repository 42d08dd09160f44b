/// Who a request comes from, as authentication found it.
public struct UserIdentity: Sendable, Hashable {
    /// The user name, e.g. `system:node:worker-1`.
    public var name: String
    /// A stable identifier, empty when the authenticator knows none.
    public var uid: String
    /// The groups the user is in.
    public var groups: [String]
    /// Further facts an authenticator vouches for.
    public var extra: [String: [String]]

    /// A user with the groups and facts given.
    public init(name: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// The group of everyone whom an authenticator recognised.
    public static let authenticatedGroup = "system:authenticated"
    /// The group of everyone else.
    public static let unauthenticatedGroup = "system:unauthenticated"
    /// The group that may do everything.
    public static let mastersGroup = "system:masters"
    /// The group of the nodes' kubelets.
    public static let nodesGroup = "system:nodes"
    /// The group of all service accounts.
    public static let serviceAccountsGroup = "system:serviceaccounts"
    /// What a node's user name starts with.
    public static let nodePrefix = "system:node:"
    /// What a service account's user name starts with.
    public static let serviceAccountPrefix = "system:serviceaccount:"

    /// The user of requests that carry no credentials.
    public static let anonymous = UserIdentity(name: "system:anonymous", groups: [unauthenticatedGroup])

    /// The node this user is the kubelet of, if any.
    public var nodeName: String? {
        guard name.hasPrefix(UserIdentity.nodePrefix), groups.contains(UserIdentity.nodesGroup) else { return nil }
        let node = String(name.dropFirst(UserIdentity.nodePrefix.count))
        return node.isEmpty ? nil : node
    }

    /// This user with `system:authenticated` added once.
    public func authenticated() -> UserIdentity {
        guard !groups.contains(UserIdentity.authenticatedGroup), name != UserIdentity.anonymous.name else { return self }
        var user = self
        user.groups.append(UserIdentity.authenticatedGroup)
        return user
    }
}
