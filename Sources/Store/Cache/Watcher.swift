import Synchronization

/// What one cache watch has to be told: the cache offers, the watch's owner takes. Guarded by `state`.
///
/// Locks are taken in the order cache, then watcher; continuations resume with no lock held.
final class Watcher: Sendable {
    /// Whether offers are taken.
    enum Phase {
        /// Registered, but its start is not settled; offers are covered by the coming replay. Exits: `live`, `closed`.
        case starting
        /// Takes offers. Exits: `closed`.
        case live
        /// Terminal; nil means the owner ended it.
        case closed(StoreError?)
    }

    fileprivate struct State {
        var phase = Phase.starting
        /// Changes from before the watch went live, not filtered yet.
        var replay: [CacheChange] = []
        var events: [CacheEvent] = []
        /// Changes up to here are in `replay`, or are from before the watch. Later ones are offered in order, each once.
        var start = Revision.zero
        /// Changes up to here are in `events`, were delivered, or do not concern this watch.
        var covered = Revision.zero
        var waiter: UnsafeContinuation<Void, Never>?
        /// Called instead of resuming a waiter when the owner polls; armed by a poll that found nothing.
        var bell: (@Sendable () -> Void)?
        var isArmed = false
    }

    /// How an owner is told that there is something. To be done with no lock held.
    enum Wake {
        case resume(UnsafeContinuation<Void, Never>)
        case ring(@Sendable () -> Void)

        func callAsFunction() {
            switch self {
            case .resume(let continuation): continuation.resume()
            case .ring(let bell): bell()
            }
        }
    }

    let scope: WatchScope
    let filter: (@Sendable (CachedObject) -> Bool)?
    let wantsBookmarks: Bool
    private let capacity: Int
    private let state = Mutex(State())

    init(
        scope: WatchScope,
        filter: (@Sendable (CachedObject) -> Bool)?,
        wantsBookmarks: Bool,
        capacity: Int
    ) {
        self.scope = scope
        self.filter = filter
        self.wantsBookmarks = wantsBookmarks
        self.capacity = capacity
    }

    // MARK: The cache's side

    /// Begins to take offers: first come `replay`, then every change after `revision`.
    func goLive(replaying replay: [CacheChange], after revision: Revision) {
        state.withLock { state in
            guard case .starting = state.phase else { return }
            state.phase = .live
            state.replay = replay
            state.start = revision
            state.covered = revision
        }
    }

    /// Offers a change; returns the owner to wake if it waits. Resume it with no lock held.
    func offer(_ change: inout ChangeEvents) -> Wake? {
        let events = change.events(filter: filter)
        let revision = change.change.revision
        return state.withLock { state in
            // Not `covered`: after a new list many deletions share one revision.
            guard case .live = state.phase, revision > state.start else { return nil }
            state.covered = max(state.covered, revision)
            guard !events.isEmpty else { return nil }
            if state.events.isEmpty, capacity > 0 {
                state.events = events
            } else if state.events.count < capacity {
                state.events += events
            } else {
                state.events = []
                state.replay = []
                state.phase = .closed(.slow(capacity: capacity))
            }
            return state.takeWaiter()
        }
    }

    /// Tells a watcher that wants bookmarks how far it has come, unless it has events to learn it from.
    func bookmark(_ revision: Revision) -> Wake? {
        state.withLock { state in
            guard case .live = state.phase, state.events.isEmpty, state.replay.isEmpty else { return nil }
            guard state.covered <= revision else { return nil }
            state.covered = revision
            state.events.append(CacheEvent(.bookmark, object: nil, revision: revision))
            return state.takeWaiter()
        }
    }

    func close(_ error: StoreError?) {
        let wake = state.withLock { state -> Wake? in
            if case .closed = state.phase { return nil }
            state.phase = .closed(error)
            return state.takeWaiter()
        }
        wake?()
    }

    // MARK: The owner's side

    enum Step {
        /// The bell is armed unless there is more to ask for.
        case deliver([CacheEvent], hasMore: Bool)
        case replay([CacheChange])
        case end(StoreError?)
        case wait
    }

    /// - Parameter arms: Whether the bell is to be rung once when there is something again.
    func step(arms: Bool = false) -> Step {
        state.withLock { state in
            if !state.replay.isEmpty {
                defer { state.replay = [] }
                return .replay(state.replay)
            }
            if !state.events.isEmpty {
                defer { state.events = [] }
                guard arms, case .live = state.phase else { return .deliver(state.events, hasMore: true) }
                state.isArmed = true
                return .deliver(state.events, hasMore: false)
            }
            if case .closed(let error) = state.phase { return .end(error) }
            state.isArmed = arms
            return .wait
        }
    }

    func setBell(_ bell: @escaping @Sendable () -> Void) {
        state.withLock { $0.bell = bell }
    }

    func park(_ continuation: UnsafeContinuation<Void, Never>) {
        let isReady = state.withLock { state in
            if case .closed = state.phase { return true }
            guard state.events.isEmpty, state.replay.isEmpty else { return true }
            state.waiter = continuation
            return false
        }
        if isReady { continuation.resume() }
    }
}

extension Watcher.State {
    fileprivate mutating func takeWaiter() -> Watcher.Wake? {
        if isArmed, let bell {
            isArmed = false
            return .ring(bell)
        }
        guard let waiting = waiter else { return nil }
        waiter = nil
        return .resume(waiting)
    }
}
