/// What an authorizer thinks of a request.
public enum AuthorizationDecision: Sendable, Equatable {
    /// Allowed; later authorizers are not asked.
    case allow(reason: String)
    /// Refused; later authorizers are not asked.
    case deny(reason: String)
    /// This authorizer has nothing to say; the next one is asked.
    case noOpinion(reason: String)

    /// Whether the request may go on.
    public var isAllowed: Bool {
        if case .allow = self { return true }
        return false
    }

    /// The reason given, possibly empty.
    public var reason: String {
        switch self {
        case .allow(let reason), .deny(let reason), .noOpinion(let reason): reason
        }
    }
}

/// Decides whether a request is allowed. Implementations keep no per-request state and may be called concurrently.
public protocol Authorizer: Sendable {
    /// The decision on one request.
    func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision
}

/// Asks authorizers in order until one has an opinion. Nobody's opinion means no.
public struct AuthorizerChain: Authorizer {
    private let authorizers: [any Authorizer]
    var members: [any Authorizer] { authorizers }

    /// A chain asked in the order given.
    public init(_ authorizers: [any Authorizer]) {
        self.authorizers = authorizers
    }

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        var reasons: [String] = []
        for authorizer in authorizers {
            let decision = await authorizer.authorize(attributes)
            guard case .noOpinion(let reason) = decision else { return decision }
            if !reason.isEmpty { reasons.append(reason) }
        }
        return .noOpinion(reason: reasons.joined(separator: "\n"))
    }
}

/// Allows everything to the members of some groups, `system:masters` by default.
public struct PrivilegedGroupAuthorizer: Authorizer {
    private let groups: Set<String>

    /// Allows everything to the members of `groups`.
    public init(groups: Set<String> = [UserIdentity.mastersGroup]) {
        self.groups = groups
    }

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        isPrivileged(attributes.user) ? .allow(reason: "") : .noOpinion(reason: "")
    }

    func isPrivileged(_ user: UserIdentity) -> Bool { user.groups.contains { groups.contains($0) } }
}

/// What upstream's bootstrap roles give to everyone: health and version to whoever came through authentication, known or
/// not; discovery and the reviews of one's own rights to the authenticated.
///
/// A user that an access review merely names has no groups but those the review names.
public struct BasicAuthorizer: Authorizer {
    /// The authorizer of `system:public-info-viewer`, `system:discovery` and `system:basic-user`.
    public init() {}

    private static let publicPaths: Set<String> = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
    private static let discoveryPrefixes = ["/api/", "/apis/", "/openapi/"]
    private static let discoveryPaths: Set<String> = ["/api", "/apis", "/openapi"]
    private static let issuerPaths: Set<String> = ["/.well-known/openid-configuration", "/openid/v1/jwks"]
    private static let selfReviews: Set<String> = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        let known = attributes.user.groups.contains(UserIdentity.authenticatedGroup)
        if attributes.isResourceRequest {
            return known && Self.isSelfReview(attributes) ? .allow(reason: "") : .noOpinion(reason: "")
        }
        guard attributes.verb == "get" || attributes.verb == "head" else { return .noOpinion(reason: "") }
        let came = known || attributes.user.groups.contains(UserIdentity.unauthenticatedGroup)
        if came, Self.publicPaths.contains(attributes.path) { return .allow(reason: "") }
        guard known else { return .noOpinion(reason: "") }
        let path = attributes.path
        if Self.issuerPaths.contains(path), attributes.user.groups.contains(UserIdentity.serviceAccountsGroup) {
            return .allow(reason: "")
        }
        let discovery = Self.discoveryPaths.contains(path) || Self.discoveryPrefixes.contains { path.hasPrefix($0) }
        return discovery ? .allow(reason: "") : .noOpinion(reason: "")
    }

    private static func isSelfReview(_ attributes: RequestAttributes) -> Bool {
        guard attributes.verb == "create" else { return false }
        switch attributes.apiGroup {
        case "authorization.k8s.io": return selfReviews.contains(attributes.resource)
        case "authentication.k8s.io": return attributes.resource == "selfsubjectreviews"
        default: return false
        }
    }
}
