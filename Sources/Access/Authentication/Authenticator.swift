import HTTPTransport
import Values

/// What an authenticator made of a request's credentials.
public enum AuthenticationDecision: Sendable, Equatable {
    /// The user is known. `audiences` are the ones the credential was checked for, empty when it carries none.
    case user(UserIdentity, audiences: [String])
    /// The request has no credential this authenticator understands.
    case none
    /// The request has a credential that is wrong.
    case failed(reason: String)
}

/// Finds out who sends a request. May be called concurrently.
public protocol Authenticator: Sendable {
    /// The decision on one request.
    func authenticate(_ request: HTTPRequest) async -> AuthenticationDecision
}

/// An authenticator of bearer tokens, which TokenReview asks too.
public protocol TokenAuthenticator: Sendable {
    /// The decision on one token for the audiences asked for (empty: the API server's own).
    func authenticate(token: String, audiences: [String]) async -> AuthenticationDecision
}

/// Asks authenticators in order; the first that knows the user wins. A wrong credential is reported only when no other
/// authenticator recognises the request.
public struct AuthenticatorChain: Authenticator {
    private let authenticators: [any Authenticator]

    /// A chain asked in the order given.
    public init(_ authenticators: [any Authenticator]) {
        self.authenticators = authenticators
    }

    /// The decision on one request.
    public func authenticate(_ request: HTTPRequest) async -> AuthenticationDecision {
        var failure: AuthenticationDecision?
        for authenticator in authenticators {
            switch await authenticator.authenticate(request) {
            case .user(let user, let audiences): return .user(user.authenticated(), audiences: audiences)
            case .failed(let reason): failure = failure ?? .failed(reason: reason)
            case .none: continue
            }
        }
        return failure ?? .none
    }
}

/// Believes the identity of a caller inside this process; a peer over the network never has one.
public struct InProcessAuthenticator: Authenticator {
    /// The authenticator of in-process peers.
    public init() {}

    /// The decision on one request.
    public func authenticate(_ request: HTTPRequest) async -> AuthenticationDecision {
        guard let user = request.peer.inProcessUser else { return .none }
        return .user(UserIdentity(name: user.name, groups: user.groups), audiences: [])
    }
}

/// Reads the user from the client certificate that TLS has verified: common name and organizations.
public struct ClientCertificateAuthenticator: Authenticator {
    /// The authenticator of verified client certificates.
    public init() {}

    /// The decision on one request.
    public func authenticate(_ request: HTTPRequest) async -> AuthenticationDecision {
        guard let certificate = request.peer.clientCertificate, !certificate.commonName.isEmpty else { return .none }
        var user = UserIdentity(name: certificate.commonName, uid: certificate.uid ?? "", groups: certificate.organizations)
        if !certificate.fingerprint.isEmpty {
            user.extra = ["authentication.kubernetes.io/credential-id": ["X509SHA256=\(certificate.fingerprint.lowercased())"]]
        }
        return .user(user, audiences: [])
    }
}

/// Believes the user named in the headers of a front proxy that TLS has verified against the request-header CA.
public struct RequestHeaderAuthenticator: Authenticator {
    private let proxies: Set<String>
    private static let extraPrefix = "x-remote-extra-"

    /// Trusts proxies whose certificate has one of the names; none given trusts every verified proxy.
    public init(allowedNames: Set<String> = []) {
        proxies = allowedNames
    }

    /// The decision on one request.
    public func authenticate(_ request: HTTPRequest) async -> AuthenticationDecision {
        guard let proxy = request.peer.proxyCertificate, let name = request.headers["x-remote-user"], !name.isEmpty else {
            return .none
        }
        guard proxies.isEmpty || proxies.contains(proxy.commonName) else { return .none }
        var user = UserIdentity(
            name: name,
            uid: request.headers["x-remote-uid"] ?? "",
            groups: request.headers.all("x-remote-group")
        )
        for field in request.headers {
            let header = field.name.lowercased()
            guard header.hasPrefix(Self.extraPrefix) else { continue }
            let key = PercentCoding.decoded(header.dropFirst(Self.extraPrefix.count))
            user.extra[key, default: []].append(field.value)
        }
        return .user(user, audiences: [])
    }
}

/// Takes `Authorization: Bearer …`, or the token a browser puts into the WebSocket protocol list, to token authenticators.
public struct BearerTokenAuthenticator: Authenticator {
    private let tokens: [any TokenAuthenticator]
    private static let webSocketPrefix = "base64url.bearer.authorization.k8s.io."

    /// Asks the token authenticators in order.
    public init(_ tokens: [any TokenAuthenticator]) {
        self.tokens = tokens
    }

    /// The decision on one request.
    public func authenticate(_ request: HTTPRequest) async -> AuthenticationDecision {
        guard let token = Self.token(of: request), !token.isEmpty else {
            return Self.offersUnusableToken(request) ? .failed(reason: "unusable token among the subprotocols") : .none
        }
        var failure = AuthenticationDecision.failed(reason: "invalid bearer token")
        for authenticator in tokens {
            switch await authenticator.authenticate(token: token, audiences: []) {
            case .user(let user, let audiences): return .user(user, audiences: audiences)
            case .failed(let reason): failure = .failed(reason: reason)
            case .none: continue
            }
        }
        return failure
    }

    /// The bearer token a request carries.
    public static func token(of request: HTTPRequest) -> String? {
        if let header = request.headers["authorization"] {
            let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
            let token = parts[1].drop { $0 == " " }
            return token.isEmpty ? nil : String(token)
        }
        guard WebSocketHandshake.isRequested(request) else { return nil }
        let offered = request.headers.elements("sec-websocket-protocol")
        let carriers = offered.filter { $0.hasPrefix(webSocketPrefix) }
        // The token's entry is not answered, so another one has to stand beside it.
        guard let carrier = carriers.first, carriers.count == 1, offered.count > 1,
            let bytes = Base64.decodeURL(String(carrier.dropFirst(webSocketPrefix.count)))
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether a token stands among the protocols of a WebSocket that nobody can read, or alone.
    private static func offersUnusableToken(_ request: HTTPRequest) -> Bool {
        guard !request.headers.contains("authorization"), WebSocketHandshake.isRequested(request) else { return false }
        return request.headers.elements("sec-websocket-protocol").contains { $0.hasPrefix(webSocketPrefix) && $0 != webSocketPrefix }
    }

    /// A WebSocket request without the token in its protocol list: nobody further on needs to see it.
    public static func withoutToken(_ request: HTTPRequest) -> HTTPRequest {
        guard WebSocketHandshake.isRequested(request) else { return request }
        let offered = request.headers.elements("sec-websocket-protocol")
        let kept = offered.filter { !$0.hasPrefix(webSocketPrefix) }
        guard kept.count < offered.count else { return request }
        var request = request
        request.headers["Sec-WebSocket-Protocol"] = kept.isEmpty ? nil : kept.joined(separator: ", ")
        return request
    }
}
