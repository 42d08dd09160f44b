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

    /// The next batch, all that came since the last; nil when the watch or the task was cancelled.
    public func next() async throws(StoreError) -> [CacheEvent]? {
        while true {
            switch watcher.step() {
            case .deliver(let events):
                return events
            case .replay(let changes):
                let events = changes.compactMap { change in
                    watcher.scope.admits(change) ? change.event(frames: SharedFrames(), filter: watcher.filter) : nil
                }
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
