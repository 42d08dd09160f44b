import APIModel
import Values

/// The claims of a token that lies in a secret: it names its account and its secret, and does not expire.
enum SecretTokenClaims {
    /// Who says that such a token comes from it, whatever the cluster's issuer is called.
    static let issuer = "kubernetes/serviceaccount"
    private static let prefix = "kubernetes.io/serviceaccount/"

    static func json(namespace: String, account: TokenBinding, secret: String) -> JSONValue {
        var claims: JSONValue = [
            "iss": .string(issuer),
            "sub": .string("\(UserIdentity.serviceAccountPrefix)\(namespace):\(account.name)"),
        ]
        claims[prefix + "namespace"] = .string(namespace)
        claims[prefix + "secret.name"] = .string(secret)
        claims[prefix + "service-account.name"] = .string(account.name)
        claims[prefix + "service-account.uid"] = .string(account.uid)
        return claims
    }

    /// What the claims say; nil when one is missing or the subject is another account.
    static func read(_ claims: JSONValue) -> (namespace: String, account: TokenBinding, secret: String)? {
        func claim(_ name: String) -> String? { claims[prefix + name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        guard let namespace = claim("namespace"), let secret = claim("secret.name"), let name = claim("service-account.name"),
            let uid = claim("service-account.uid"),
            claims["sub"]?.string == "\(UserIdentity.serviceAccountPrefix)\(namespace):\(name)"
        else { return nil }
        return (namespace, TokenBinding(name: name, uid: uid), secret)
    }
}

extension ServiceAccountTokenIssuer {
    /// A signed token to lie in a secret of type `kubernetes.io/service-account-token`: it is good as long as the secret holds it.
    public func issue(namespace: String, serviceAccount: TokenBinding, secret: String) throws -> String {
        try sign(SecretTokenClaims.json(namespace: namespace, account: serviceAccount, secret: secret))
    }
}

extension ServiceAccountAuthenticator {
    /// The label of a secret whose token is no longer taken; its value says since when.
    static let invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since"

    /// The service account whose secret holds this token. The secret, not the token, decides whether it is still good.
    func user(of token: String, inSecret claims: JSONValue, audiences accepted: [String]) async -> AuthenticationDecision {
        guard let named = SecretTokenClaims.read(claims) else { return .failed(reason: "the token names no service account") }
        let (namespace, account, name) = named
        var secret = lookup.object(.core("secrets"), namespace: namespace, name: name)
        if !Self.holds(secret, token) { secret = await lookup.currentObject(.core("secrets"), namespace: namespace, name: name) }
        guard let secret, secret.value(at: ["metadata", "deletionTimestamp"]) == nil else {
            return .failed(reason: "Token has been invalidated")
        }
        guard Self.holds(secret, token) else { return .failed(reason: "Token does not match server's copy") }
        guard await exists("serviceaccounts", namespace, account, untilDeleted: true, grace: .zero) else {
            return .failed(reason: "ServiceAccount \(namespace)/\(account.name) has been deleted")
        }
        secretUsed(secret)
        guard secret.value(at: ["metadata", "labels", Self.invalidSinceLabel])?.string ?? "" == "" else {
            return .failed(
                reason: "the token in secret \(namespace)/\(name) for service account \(namespace)/\(account.name) has been marked "
                    + "invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the "
                    + "'\(Self.invalidSinceLabel)' label from the secret to temporarily allow use of this token"
            )
        }
        return .user(Self.identity(namespace, account, extra: [:]), audiences: accepted)
    }

    private static func holds(_ secret: JSONValue?, _ token: String) -> Bool {
        guard let text = secret?.value(at: ["data", "token"])?.string, let held = Base64.decode(text) else { return false }
        // Whoever guesses must not learn from the time taken how far the guess was right.
        let given = Array(token.utf8)
        guard held.count == given.count else { return false }
        return zip(held, given).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
