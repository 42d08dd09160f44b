import APIModel
import Channels
import Units
import Values

/// An object a token is bound to: the token dies with it.
public struct TokenBinding: Sendable, Hashable {
    /// The object's name.
    public var name: String
    /// The object's uid.
    public var uid: String

    /// A bound object.
    public init(name: String, uid: String) {
        self.name = name
        self.uid = uid
    }
}

/// What a service-account token shall say.
public struct TokenSubject: Sendable {
    /// The service account's namespace.
    public var namespace: String
    /// The service account.
    public var serviceAccount: TokenBinding
    /// The pod the token is bound to.
    public var pod: TokenBinding?
    /// The node the token's pod runs on, or the token is bound to.
    public var node: TokenBinding?
    /// The secret the token is bound to.
    public var secret: TokenBinding?

    /// A subject.
    public init(
        namespace: String,
        serviceAccount: TokenBinding,
        pod: TokenBinding? = nil,
        node: TokenBinding? = nil,
        secret: TokenBinding? = nil
    ) {
        self.namespace = namespace
        self.serviceAccount = serviceAccount
        self.pod = pod
        self.node = node
        self.secret = secret
    }
}

/// Signs service-account tokens.
public struct ServiceAccountTokenIssuer: Sendable {
    /// The `iss` claim.
    public let issuer: String
    /// The audiences of a token that asks for none.
    public let audiences: [String]
    private let key: TokenSigningKey
    private let clock: any ClusterClock
    private let random: any RandomSource

    /// The lifetime of the token mounted into pods; such a token is really valid for `extendedLifetime`.
    public static let mountedTokenSeconds: Int64 = 3607
    private static let extendedLifetime: Int64 = 365 * 24 * 3600

    /// An issuer that signs with `key`.
    public init(
        issuer: String,
        audiences: [String]? = nil,
        key: TokenSigningKey,
        clock: any ClusterClock,
        random: any RandomSource
    ) {
        self.issuer = issuer
        self.audiences = audiences ?? [issuer]
        self.key = key
        self.clock = clock
        self.random = random
    }

    /// The public keys as a JWK set.
    public var keySet: JSONValue { ["keys": [key.verification.jwk]] }
    /// The signature algorithm's name.
    public var algorithm: String { key.verification.algorithm }

    /// A signed token and the moment its holder is told it expires.
    public func issue(
        _ subject: TokenSubject,
        audiences asked: [String],
        seconds: Int64
    ) throws -> (token: String, expires: Timestamp) {
        let now = clock.now
        let issued = now.unixSeconds
        let audiences = asked.isEmpty ? self.audiences : asked
        let forServer = audiences.allSatisfy { self.audiences.contains($0) }
        let extended = subject.pod != nil && seconds == Self.mountedTokenSeconds && forServer
        var facts: JSONValue = [
            "namespace": .string(subject.namespace),
            "serviceaccount": subject.serviceAccount.json,
        ]
        facts["pod"] = subject.pod?.json
        facts["node"] = subject.node?.json
        facts["secret"] = subject.secret?.json
        if extended { facts["warnafter"] = .integer(issued + seconds) }
        let claims: JSONValue = [
            "aud": .array(audiences.map { .string($0) }),
            "exp": .integer(issued + (extended ? Self.extendedLifetime : seconds)),
            "iat": .integer(issued),
            "iss": .string(issuer),
            "jti": .string(random.uuid()),
            "kubernetes.io": facts,
            "nbf": .integer(issued),
            "sub": .string("\(UserIdentity.serviceAccountPrefix)\(subject.namespace):\(subject.serviceAccount.name)"),
        ]
        return (try sign(claims), now + .seconds(seconds))
    }

    func sign(_ claims: JSONValue) throws -> String { try JSONWebToken.sign(claims, with: key) }
}

extension TokenBinding {
    var json: JSONValue { ["name": .string(name), "uid": .string(uid)] }

    init?(_ json: JSONValue?) {
        guard let name = json?["name"]?.string, let uid = json?["uid"]?.string else { return nil }
        self.init(name: name, uid: uid)
    }
}
