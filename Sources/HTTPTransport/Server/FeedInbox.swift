import NIOCore
import Synchronization

/// The exchanges of one event loop whose feeds have something to send: gathered from any thread, asked in one turn of the
/// loop, so that an event for a thousand watchers wakes the loop once. Guarded by `state`.
final class FeedInbox: Sendable {
    private struct State {
        var ready: [ServerExchange] = []
        var isScheduled = false
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func add(_ exchange: ServerExchange) {
        let isFirst = state.withLock { state in
            state.ready.append(exchange)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { eventLoop.execute { self.turn() } }
    }

    private func turn() {
        let ready = state.withLock { state in
            defer { state = State() }
            return state.ready
        }
        for exchange in ready { exchange.pull() }
    }
}
