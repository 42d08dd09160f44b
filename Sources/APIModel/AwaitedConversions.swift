import Synchronization
import Values

/// The conversions that one write needs of somebody who takes time, a webhook. The work on field records is synchronous: it asks
/// here, goes on with whatever there is, and is done again once the answer is known. Guarded by its mutex; used by one write.
public final class AwaitedConversions: Sendable {
    /// Converts an object between two versions, for real.
    public typealias Resolve = @Sendable (_ object: JSONValue, _ from: String, _ to: String) async throws(APIError) -> JSONValue

    private struct Question: Hashable {
        let object: JSONValue
        let from: String
        let to: String
    }

    private struct State {
        var known: [Question: JSONValue] = [:]
        /// The first question of a pass that has no answer yet; what is asked after it rests on a wrong object.
        var open: Question?
        var failure: APIError?
    }

    /// A few for every version of a kind; more means that the answers never come to rest.
    private static let passLimit = 512

    private let resolve: Resolve
    private let state = Mutex(State())

    /// Conversions by `resolve`.
    public init(_ resolve: @escaping Resolve) {
        self.resolve = resolve
    }

    /// The object in another version; nil when that is not known yet, and the pass does not count.
    public func converted(_ object: JSONValue, from: String, to: String) -> JSONValue? {
        let question = Question(object: object, from: from, to: to)
        return state.withLock { state in
            if let known = state.known[question] { return known }
            if state.open == nil, state.failure == nil { state.open = question }
            return nil
        }
    }

    /// Says that a conversion cannot be: the pass fails.
    public func refuse(_ error: APIError) {
        state.withLock { state in
            if state.open == nil, state.failure == nil { state.failure = error }
        }
    }

    /// What `body` makes once every conversion it asks for is there. It runs several times and must not leave traces.
    ///
    /// - Throws: What `body` throws, and why a conversion failed.
    public func settled<Outcome>(_ body: () throws(APIError) -> Outcome) async throws(APIError) -> Outcome {
        for _ in 0..<Self.passLimit {
            state.withLock { ($0.open, $0.failure) = (nil, nil) }
            let outcome: Result<Outcome, APIError>
            do throws(APIError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
            let (open, failure) = state.withLock { ($0.open, $0.failure) }
            if let failure { throw failure }
            guard let open else { return try outcome.get() }
            let answer = try await resolve(open.object, open.from, open.to)
            state.withLock { $0.known[open] = answer }
        }
        throw .internalError("the conversions of field records come to no end")
    }
}
