import DequeModule
import Synchronization

/// Lets at most so many operations run at a time; the others wait in order. Guarded by `state`.
public final class ConcurrencyLimit: Sendable {
    private struct State {
        var free: Int
        var waiters: Deque<CheckedContinuation<Void, Never>> = []
    }

    private let state: Mutex<State>

    /// So many at a time.
    public init(_ count: Int) {
        state = Mutex(State(free: max(count, 1)))
    }

    /// Runs `body` when its turn comes. Throws what it throws, or `CancellationError`.
    public func run<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        await enter()
        defer { leave() }
        try Task.checkCancellation()
        return try await body()
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if mayGo { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if let waiter = state.waiters.popFirst() { return waiter }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
