import Synchronization

/// An operation that did not end in time. Not the same as cancellation.
public struct DeadlineExceeded: Error, Sendable, CustomStringConvertible {
    /// The time it was given.
    public let limit: Duration

    /// An operation had `limit`.
    public init(limit: Duration) {
        self.limit = limit
    }

    /// "deadline of … exceeded".
    public var description: String { "deadline of \(limit) exceeded" }
}

/// Runs `operation`, but not longer than `limit`.
///
/// Returns at the deadline even if the operation ignores its cancellation; it then ends unobserved.
/// - Throws: what `operation` throws, or `DeadlineExceeded`.
public func withDeadline<T: Sendable>(
    _ limit: Duration,
    clock: any ClusterClock = SystemClock(),
    _ operation: @escaping @Sendable () async throws -> T
) async throws -> T {
    let race = Race<T>()
    // unstructured: a child task of a group would have to be awaited even when it ignores cancellation
    let work = Task { race.finish(await Result(catching: { try await operation() })) }
    let timer = Task {  // unstructured: as above
        do { try await clock.sleep(for: limit) } catch { return }
        race.finish(.failure(DeadlineExceeded(limit: limit)))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    return try await withTaskCancellationHandler {
        try await race.value()
    } onCancel: {
        work.cancel()
        race.finish(.failure(CancellationError()))
    }
}

extension Result where Failure == any Error {
    init(catching body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }

}

/// The first result given wins. Guarded by `state`.
private final class Race<T: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<T, any Error>)
        case finished(Result<T, any Error>)
        case taken
    }

    private let state = Mutex(State.open)

    func finish(_ result: Result<T, any Error>) {
        let waiter = state.withLock { state -> CheckedContinuation<T, any Error>? in
            switch state {
            case .open:
                state = .finished(result)
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .finished, .taken:
                return nil
            }
        }
        waiter?.resume(with: result)
    }

    func value() async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let result = state.withLock { state -> Result<T, any Error>? in
                if case .finished(let result) = state {
                    state = .taken
                    return result
                }
                state = .waiting(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
