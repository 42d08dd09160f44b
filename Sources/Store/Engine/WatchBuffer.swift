import Synchronization

/// What one watch still has to be told; the store appends, the watch's owner takes.
///
/// Guarded by `state`. Locks are taken in the order store, then buffer; continuations resume with no lock held.
package final class WatchBuffer: Sendable {
    package let prefix: String
    package let capacity: Int

    /// How the watch goes on.
    enum Phase {
        /// Reads history from the store up to the live stream. Exits: `live`, `closed`.
        case backlog(after: Revision)
        /// Receives what is written. Exits: `closed`.
        case live
        /// Terminal; nil means the owner ended it.
        case closed(StoreError?)
    }

    struct State {
        var phase: Phase
        var events: [StoreEvent] = []
        /// How many of `events` are history the owner asked for; they do not count against the capacity.
        var exempt = 0
        /// Everything under the prefix up to here was put into `events` at some time.
        var published: Revision
        /// Everything up to here was handed to the owner.
        var progress: Revision
        /// The owner was given a batch and has not come back for the next.
        var handedOut = false
        var progressWanted = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    package init(prefix: String, from revision: Revision, capacity: Int) {
        self.prefix = prefix
        self.capacity = capacity
        state = Mutex(State(phase: .backlog(after: revision), published: revision, progress: revision))
    }

    /// What the owner has been given: every change up to this revision.
    package var progress: Revision { state.withLock { $0.progress } }

    /// Whether the owner has taken, and come back from, everything up to what was published.
    package var isDrained: Bool {
        state.withLock { state in
            guard case .live = state.phase else { return false }
            return state.events.isEmpty && !state.handedOut
        }
    }

    // MARK: The store's side

    /// Adds a change. A buffer that overflows drops what it holds and closes as slow.
    package func append(_ event: StoreEvent) {
        state.withLock { state in
            guard case .live = state.phase else { return }
            if state.events.count - state.exempt >= capacity {
                state.events = []
                state.phase = .closed(.slow(capacity: capacity))
                return
            }
            state.events.append(event)
            state.published = event.revision
        }
    }

    /// Starts the live phase with the changes since the backlog's end.
    package func goLive(with events: [StoreEvent], at revision: Revision) {
        state.withLock { state in
            guard case .backlog = state.phase else { return }
            state.events.append(contentsOf: events)
            state.exempt = state.events.count
            state.phase = .live
            state.published = revision
        }
    }

    /// Tells that nothing else was written up to `revision`, and wakes the owner so that it learns of it.
    package func reportProgress(_ revision: Revision) -> UnsafeContinuation<Void, Never>? {
        state.withLock { state in
            switch state.phase {
            case .closed: return nil
            // Kept until the watch is live: who asks now must not wait for the next write.
            case .backlog: state.progressWanted = true
            case .live:
                state.published = max(state.published, revision)
                state.progressWanted = true
            }
            return state.takeWaiter()
        }
    }

    /// The owner's continuation when it waits and there is something to tell. Resume it with no lock held.
    package func takeWaiter() -> UnsafeContinuation<Void, Never>? {
        state.withLock { state in
            if case .live = state.phase, state.events.isEmpty { return nil }
            return state.takeWaiter()
        }
    }

    /// Ends the watch with an error, or quietly when the owner asked.
    package func close(_ error: StoreError?) {
        let waiter = state.withLock { state in
            if case .closed = state.phase { return nil as UnsafeContinuation<Void, Never>? }
            state.phase = .closed(error)
            if error == nil { state.events = [] }
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    var isClosed: Bool {
        state.withLock { state in
            if case .closed = state.phase { return true }
            return false
        }
    }

    // MARK: The owner's side

    enum Step {
        case deliver([StoreEvent])
        case load(after: Revision)
        case wait
        case end(StoreError?)
    }

    func next() -> Step {
        state.withLock { state in
            state.handedOut = false
            if !state.events.isEmpty {
                let events = state.events
                state.events = []
                state.exempt = 0
                state.progress = max(state.published, events.last?.revision ?? .zero)
                if case .live = state.phase { state.progressWanted = false }
                state.handedOut = true
                return .deliver(events)
            }
            switch state.phase {
            case .backlog(let revision): return .load(after: revision)
            case .closed(let error): return .end(error)
            case .live:
                guard state.progressWanted else { return .wait }
                state.progressWanted = false
                state.progress = state.published
                state.handedOut = true
                return .deliver([])
            }
        }
    }

    /// A page of history was read; the next begins after `revision`.
    func backlogLoaded(through revision: Revision, _ events: [StoreEvent]) {
        state.withLock { state in
            guard case .backlog = state.phase else { return }
            state.events.append(contentsOf: events)
            state.phase = .backlog(after: revision)
            state.published = revision
        }
    }

    /// Keeps the continuation until there is something to tell; returns it at once when there is already.
    func park(_ continuation: UnsafeContinuation<Void, Never>) {
        let ready = state.withLock { state in
            guard case .live = state.phase, state.events.isEmpty, !state.progressWanted else { return true }
            state.waiter = continuation
            return false
        }
        if ready { continuation.resume() }
    }
}

extension WatchBuffer.State {
    mutating func takeWaiter() -> UnsafeContinuation<Void, Never>? {
        let waiter = waiter
        self.waiter = nil
        return waiter
    }
}
