import Access
import CEL
import Synchronization

/// `authorizer` of one request: remembers every answer, so that all policies and webhooks ask each question once.
///
/// Evaluation does not wait, but authorizers may have to. So a question that has no answer yet is answered with a refusal and
/// noted; `settle` then gets the answers and evaluates again, until nothing was refused for want of an answer.
///
/// Source: apiserver/pkg/admission/plugin/authorizer/caching_authorizer.go.
public final class RequestAuthorizer: CELAuthorizer {
    private struct State {
        var answers: [CELAuthorizationQuery: CELAuthorizationDecision] = [:]
        var open: [CELAuthorizationQuery] = []
    }

    private let request: AdmissionRequest
    private let authorizer: any Authorizer
    private let state = Mutex(State())

    /// A check costs 350,000 and an evaluation at most ten million, so no more rounds can be needed than this.
    private static let mostRounds = 64

    /// Asks `authorizer` about the user of `request`.
    public init(_ request: AdmissionRequest, _ authorizer: any Authorizer) {
        self.request = request
        self.authorizer = authorizer
    }

    /// The answer that is known; else a refusal, and the question is noted.
    public func decide(_ query: CELAuthorizationQuery) -> CELAuthorizationDecision {
        state.withLock { state in
            if let known = state.answers[query] { return known }
            state.open.append(query)
            return CELAuthorizationDecision(isAllowed: false)
        }
    }

    /// What `evaluate` returns once all its questions are answered.
    public func settle<Outcome: Sendable>(_ evaluate: () -> Outcome) async -> Outcome {
        var outcome = evaluate()
        for _ in 0..<Self.mostRounds {
            let open = state.withLock { state in
                defer { state.open = [] }
                return state.open
            }
            guard !open.isEmpty else { break }
            for query in open {
                let decision = await authorizer.authorize(attributes(query))
                let answer = CELAuthorizationDecision(isAllowed: decision.isAllowed, reason: decision.reason)
                state.withLock { $0.answers[query] = answer }
            }
            outcome = evaluate()
        }
        return outcome
    }

    /// `authorizer.requestResource`.
    var requestResource: CELAuthorizationQuery {
        var query = CELAuthorizationQuery()
        query.isResource = true
        query.group = request.resource.group
        query.resource = request.resource.resource
        query.subresource = request.subresource
        query.namespace = request.objectNamespace
        query.name = request.objectName
        return query
    }

    private func attributes(_ query: CELAuthorizationQuery) -> RequestAttributes {
        let user = query.serviceAccount.map(Self.user) ?? request.user
        guard query.isResource else { return RequestAttributes(user: user, verb: query.verb, path: query.path) }
        return RequestAttributes(
            user: user,
            verb: query.verb,
            apiGroup: query.group,
            apiVersion: "*",
            resource: query.resource,
            subresource: query.subresource,
            namespace: query.namespace,
            name: query.name,
            fieldSelector: query.fieldSelector,
            labelSelector: query.labelSelector
        )
    }

    private static func user(_ account: CELAuthorizationQuery.ServiceAccount) -> UserIdentity {
        let group = UserIdentity.serviceAccountsGroup
        return UserIdentity(
            name: "\(UserIdentity.serviceAccountPrefix)\(account.namespace):\(account.name)",
            groups: [group, "\(group):\(account.namespace)"]
        )
    }
}
