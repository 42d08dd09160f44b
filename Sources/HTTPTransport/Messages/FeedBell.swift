import Synchronization

/// Rung by a feed, heard by the one task that asks it. A ring that nobody waits for is kept. Guarded by `state`.
final class FeedBell: Sendable {
    private enum State {
        /// Exits: `waiting`, `rung`.
        case silent
        /// Exits: `silent`.
        case waiting(UnsafeContinuation<Void, Never>)
        /// Exits: `silent`.
        case rung
    }

    private let state = Mutex(State.silent)

    func ring() {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard case .waiting(let continuation) = state else {
                state = .rung
                return nil
            }
            state = .silent
            return continuation
        }
        waiter?.resume()
    }

    func wait() async {
        await withUnsafeContinuation { continuation in
            let isRung = state.withLock { state in
                if case .rung = state {
                    state = .silent
                    return true
                }
                state = .waiting(continuation)
                return false
            }
            if isRung { continuation.resume() }
        }
    }
}
