/// Which part of a resource a watch is about, as far as it can be told without calling its filter.
///
/// The cache finds the watchers of a change by it, so a thousand watchers of one pod each cost a change nothing.
public enum WatchScope: Sendable, Hashable {
    case all
    case namespace(String)
    /// One object (`metadata.name=x` within a namespace, or a cluster-scoped one with namespace "").
    case object(namespace: String, name: String)
    /// Objects of that name in any namespace.
    case name(String)
    /// Objects whose selectable field has the value.
    case field(String, String)
}

extension WatchScope {
    /// Whether a change can concern the scope. What an object is called never changes; its fields are the filter's part.
    func admits(_ change: CacheChange) -> Bool {
        guard let object = change.subject else { return false }
        switch self {
        case .all, .field: return true
        case .namespace(let namespace): return object.namespace == namespace
        case .object(let namespace, let name): return object.namespace == namespace && object.name == name
        case .name(let name): return object.name == name
        }
    }
}

/// The changes of one watcher, in batches: all that came since it last asked. One task iterates it.
///
/// Ends by throwing `.slow` when the watcher does not keep up, `.compacted` when the cache had to start over and cannot
/// tell what was missed, `.closed` at shutdown; `cancel()` and dropping it end it quietly.
public final class CacheWatch: AsyncSequence, Sendable {
    /// One batch.
    public typealias Element = [CacheEvent]
    /// Why the sequence ends early.
    public typealias Failure = StoreError

    /// How many undelivered events a watcher may have before it is closed as slow.
    public static let defaultCapacity = 4096

    /// Where the watch starts: changes after this revision are delivered.
    public let start: Revision
    /// What it is about.
    public var scope: WatchScope { watcher.scope }
    let watcher: Watcher
    private let detach: @Sendable (Watcher) -> Void

    init(watcher: Watcher, start: Revision, detach: @escaping @Sendable (Watcher) -> Void) {
        self.watcher = watcher
        self.start = start
        self.detach = detach
    }

    deinit {
        cancel()
    }

    /// Ends the watch quietly.
    public func cancel() {
        watcher.close(nil)
        detach(watcher)
    }

    /// What `poll` finds.
    public enum Poll: Sendable {
        /// All that came since the last poll; never empty. Unless it has more, it is as `.wait` afterwards.
        case events([CacheEvent], hasMore: Bool)
        /// Nothing now; what `onReady` was given is called once when there is.
        case wait
        /// The watch has ended, with the error that `next` would throw.
        case end(StoreError?)
    }

    /// What is to be called, from any thread and with no lock held, after a poll that found nothing.
    public func onReady(_ wake: @escaping @Sendable () -> Void) {
        watcher.setBell(wake)
    }

    /// As `next`, without waiting: for an owner that has a loop of its own. One caller at a time.
    public func poll() -> Poll {
        while true {
            switch watcher.step(arms: true) {
            case .deliver(let events, let hasMore): return .events(events, hasMore: hasMore)
            case .replay(let changes):
                let events = seen(changes)
                if !events.isEmpty { return .events(events, hasMore: true) }
            case .end(let error):
                detach(watcher)
                return .end(error)
            case .wait: return .wait
            }
        }
    }

    private func seen(_ changes: [CacheChange]) -> [CacheEvent] {
        changes.compactMap { change in
            watcher.scope.admits(change) ? change.event(filter: watcher.filter) : nil
        }
    }

    /// The next batch, all that came since the last; nil when the watch or the task was cancelled.
    public func next() async throws(StoreError) -> [CacheEvent]? {
        while true {
            switch watcher.step() {
            case .deliver(let events, _):
                return events
            case .replay(let changes):
                let events = seen(changes)
                if !events.isEmpty { return events }
            case .end(let error):
                detach(watcher)
                if let error { throw error }
                return nil
            case .wait:
                let watcher = watcher
                await withTaskCancellationHandler {
                    await withUnsafeContinuation { watcher.park($0) }
                } onCancel: {
                    watcher.close(nil)
                }
            }
        }
    }

    /// Takes the batches, for one task.
    public func makeAsyncIterator() -> Iterator {
        Iterator(watch: self)
    }

    /// Takes the batches of one watch.
    public struct Iterator: AsyncIteratorProtocol {
        let watch: CacheWatch

        /// The next element; nil at the end.
        public mutating func next() async throws(StoreError) -> [CacheEvent]? {
            try await watch.next()
        }

        /// The next batch; nil when the watch was cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(StoreError) -> [CacheEvent]? {
            try await watch.next()
        }
    }
}
