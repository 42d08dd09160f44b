import APIModel
import Channels
import Synchronization
import Units
import Values

/// Knows service accounts by their signed tokens, and checks that everything a token is bound to still exists.
///
/// Signatures are checked once per token: `verified` remembers the claims of tokens that passed, guarded by its mutex.
public final class ServiceAccountAuthenticator: TokenAuthenticator {
    private let issuers: Set<String>
    private let audiences: [String]
    private let keys: [TokenVerificationKey]
    let lookup: any ClusterLookup
    /// Told of each secret whose token was shown.
    let secretUsed: @Sendable (JSONValue) -> Void
    private let clock: any ClusterClock
    private let verified = Mutex<[String: JSONValue]>([:])

    /// How many verified tokens are remembered before the memory starts anew.
    private static let memoryLimit = 4096
    /// How far clocks may differ.
    private static let leewaySeconds: Int64 = 10

    /// An authenticator for tokens of `issuers`, signed by one of `keys`, and for those that lie in secrets: `secretUsed` is
    /// told of each secret whose token is shown, and must only take note.
    public init(
        issuers: Set<String>,
        audiences: [String],
        keys: [TokenVerificationKey],
        lookup: any ClusterLookup,
        clock: any ClusterClock,
        secretUsed: @escaping @Sendable (JSONValue) -> Void = { _ in }
    ) {
        self.issuers = issuers
        self.audiences = audiences
        self.keys = keys
        self.lookup = lookup
        self.clock = clock
        self.secretUsed = secretUsed
    }

    /// The service account a token belongs to, if the token is ours and still good.
    public func authenticate(token: String, audiences asked: [String]) async -> AuthenticationDecision {
        let claims: JSONValue
        do throws(TokenError) {
            guard let found = try self.claims(of: token) else { return .none }
            claims = found
        } catch {
            return .failed(reason: error.description)
        }
        let isOfSecret = claims["iss"]?.string == SecretTokenClaims.issuer
        if !isOfSecret, let problem = timeProblem(claims) { return .failed(reason: problem) }
        // A token in a secret is for this server, without saying so.
        let claimed = isOfSecret ? audiences : Self.claimedAudiences(of: claims)
        let accepted = claimed.filter { (asked.isEmpty ? audiences : asked).contains($0) }
        guard !accepted.isEmpty else {
            let wanted = Self.shown(asked.isEmpty ? audiences : asked)
            return .failed(reason: "token audiences \(Self.shown(claimed)) is invalid for the target audiences \(wanted)")
        }
        if isOfSecret { return await user(of: token, inSecret: claims, audiences: accepted) }
        return await user(of: claims, audiences: accepted)
    }

    /// A list as upstream's messages show one.
    private static func shown(_ texts: [String]) -> String { "[" + texts.map { "\"\($0)\"" }.joined(separator: " ") + "]" }

    private func claims(of token: String) throws(TokenError) -> JSONValue? {
        if let known = verified.withLock({ $0[token] }) { return known }
        guard let shown = JSONWebToken.unverifiedClaims(token), let issuer = shown["iss"]?.string else { return nil }
        guard issuers.contains(issuer) || issuer == SecretTokenClaims.issuer else { return nil }
        let claims = try JSONWebToken.verify(token, keys: keys)
        verified.withLock { memory in
            if memory.count >= Self.memoryLimit { memory.removeAll() }
            memory[token] = claims
        }
        return claims
    }

    private func timeProblem(_ claims: JSONValue) -> String? {
        let now = clock.now.unixSeconds
        guard let expires = claims["exp"]?.int else { return "the token has no expiry" }
        if now > expires + Self.leewaySeconds { return "service account token has expired" }
        if let start = claims["nbf"]?.int, now + Self.leewaySeconds < start { return "service account token is not valid yet" }
        return nil
    }

    private static func claimedAudiences(of claims: JSONValue) -> [String] {
        if let one = claims["aud"]?.string { return [one] }
        return claims["aud"]?.array?.compactMap(\.string) ?? []
    }

    private func user(of claims: JSONValue, audiences: [String]) async -> AuthenticationDecision {
        let facts = claims["kubernetes.io"]
        guard let namespace = facts?["namespace"]?.string, let account = TokenBinding(facts?["serviceaccount"]) else {
            return .failed(reason: "the token names no service account")
        }
        guard await exists("serviceaccounts", namespace, account, untilDeleted: true) else {
            return .failed(reason: "service account \(namespace)/\(account.name) has been deleted")
        }
        var extra: [String: [String]] = [:]
        if let secret = TokenBinding(facts?["secret"]) {
            guard await exists("secrets", namespace, secret, untilDeleted: true) else {
                return .failed(reason: "service account token has been invalidated")
            }
        }
        if let pod = TokenBinding(facts?["pod"]) {
            guard await exists("pods", namespace, pod, untilDeleted: true) else {
                return .failed(reason: "service account token has been invalidated")
            }
            extra["authentication.kubernetes.io/pod-name"] = [pod.name]
            extra["authentication.kubernetes.io/pod-uid"] = [pod.uid]
        }
        if let node = TokenBinding(facts?["node"]) {
            if facts?["pod"] == nil, await !exists("nodes", "", node, untilDeleted: false) {
                return .failed(reason: "service account token has been invalidated")
            }
            extra["authentication.kubernetes.io/node-name"] = [node.name]
            extra["authentication.kubernetes.io/node-uid"] = [node.uid]
        }
        if let id = claims["jti"]?.string { extra["authentication.kubernetes.io/credential-id"] = ["JTI=\(id)"] }
        return .user(Self.identity(namespace, account, extra: extra), audiences: audiences)
    }

    static func identity(_ namespace: String, _ account: TokenBinding, extra: [String: [String]]) -> UserIdentity {
        UserIdentity(
            name: "\(UserIdentity.serviceAccountPrefix)\(namespace):\(account.name)",
            uid: account.uid,
            groups: [UserIdentity.serviceAccountsGroup, "\(UserIdentity.serviceAccountsGroup):\(namespace)"],
            extra: extra
        )
    }

    /// Whether the very object (by uid) still exists. An object whose deletion began longer than `grace` ago counts as gone.
    func exists(
        _ resource: String,
        _ namespace: String,
        _ bound: TokenBinding,
        untilDeleted: Bool,
        grace: Duration = .seconds(60)
    ) async -> Bool {
        let kind = GroupResource.core(resource)
        var found = lookup.object(kind, namespace: namespace, name: bound.name)
        if found?.value(at: ["metadata", "uid"])?.string != bound.uid {
            found = await lookup.currentObject(kind, namespace: namespace, name: bound.name)
        }
        guard let found, found.value(at: ["metadata", "uid"])?.string == bound.uid else { return false }
        guard untilDeleted, let text = found.value(at: ["metadata", "deletionTimestamp"])?.string,
            let deleted = Timestamp(text)
        else { return true }
        return clock.now < deleted + grace
    }
}
