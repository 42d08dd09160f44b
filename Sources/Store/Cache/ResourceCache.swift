import Channels
import Logging
import Synchronization

/// The watch cache of one resource: what lists, gets and watches are served from.
///
/// Encoded bytes are kept once, shared with the store. `run()` fills it and keeps it current; readers take snapshots that
/// cost nothing. Guarded by `state` (objects, history, waiters) and `table` (watchers), taken in that order if both.
public final class ResourceCache: Sendable {
    /// Changes kept for watches that start in the past.
    public static let defaultHistory = 8_192
    /// What those may weigh in encoded bytes.
    public static let historyBytes = 12 << 20
    private static let retryDelay = Duration.milliseconds(250)

    struct State {
        var entries = SortedEntries<CachedObject>()
        var revision = Revision.zero
        var history: CacheHistory
        var isReady = false
        var isClosed = false
        var waiters: [Waiter] = []
        var nextWaiter: UInt64 = 0
        var feed: StoreWatch?
    }

    struct Waiter {
        let id: UInt64
        let revision: Revision
        let continuation: UnsafeContinuation<Result<Void, StoreError>, Never>
    }

    struct Dispatch {
        var watchers = DispatchTable()
        /// Changes up to here were offered to every watcher.
        var revision = Revision.zero
        var isBookmarkDue = false
        /// Who is to have a bookmark with the next dispatch though not all are.
        var dueBookmarks: [Watcher] = []
    }

    /// The key prefix of the resource, for example `/registry/core/pods/`.
    public let prefix: String
    let store: any Store
    let indexer: @Sendable (StoredEntry) -> CachedObject
    let state: Mutex<State>
    let table = Mutex(Dispatch())
    private let historyCapacity: Int
    private let clock: any ClusterClock
    private let logger: Logger

    /// A cache that is empty until `run()` has filled it.
    ///
    /// - Parameter indexer: Finds labels, fields and the splice offset. It never fails: what it cannot decode it flags in
    ///   `ObjectIndex.damage`, and the object is kept.
    public init(
        prefix: String,
        store: any Store,
        indexer: @escaping @Sendable (StoredEntry) -> CachedObject,
        historyCapacity: Int = ResourceCache.defaultHistory,
        clock: any ClusterClock = SystemClock(),
        logger: Logger = Logger(label: "apus.cache")
    ) {
        self.prefix = prefix
        self.store = store
        self.indexer = indexer
        self.historyCapacity = historyCapacity
        self.clock = clock
        self.logger = logger
        let history = CacheHistory(capacity: historyCapacity, maximumWeight: Self.historyBytes, floor: .zero)
        state = Mutex(State(history: history))
    }

    // MARK: Keeping it current

    /// Fills the cache and follows the store until cancelled or until the store closes.
    public func run() async {
        while !Task.isCancelled {
            do throws(StoreError) {
                let feed = try await fill()
                while let batch = try await feed.next() { apply(batch, through: feed.progress) }
            } catch {
                state.withLock { $0.feed = nil }
                if error.code == .closed { break }
                logger.warning("cache starts over", metadata: ["prefix": "\(prefix)", "reason": "\(error.message)"])
                if case .unavailable = error.code { try? await clock.sleep(for: Self.retryDelay) }
            }
        }
        shutDown()
    }

    /// Lists the resource, takes over what differs, and returns the watch that continues from there.
    private func fill() async throws(StoreError) -> StoreWatch {
        let list = try await store.list(prefix: prefix, at: nil, after: nil, limit: 0)
        let feed = try await store.watch(prefix: prefix, from: list.revision)
        let known = state.withLock { $0.isReady ? $0.entries : nil }
        if let known {
            takeOver(changes(from: known, to: list.entries, at: list.revision), through: list.revision)
        } else {
            let objects = list.entries.map(indexer)
            let waiters = state.withLock { state in
                state.entries = SortedEntries(sorted: objects)
                state.history = CacheHistory(
                    capacity: historyCapacity,
                    maximumWeight: Self.historyBytes,
                    floor: list.revision
                )
                state.isReady = true
                return state.advance(to: list.revision)
            }
            table.withLock { $0.revision = list.revision }
            for waiter in waiters { waiter.continuation.resume(returning: .success(())) }
        }
        state.withLock { $0.feed = feed }
        // A waiter may have come while there was no feed to ask.
        if state.withLock({ !$0.waiters.isEmpty }) { feed.requestProgress() }
        return feed
    }

    private func apply(_ events: [StoreEvent], through revision: Revision) {
        var changes: [CacheChange] = []
        changes.reserveCapacity(events.count)
        var latest: [String: CachedObject?] = [:]
        for event in events {
            let previous = latest[event.key] ?? state.withLock { $0.entries[event.key] }
            let current = event.current.map(indexer)
            if events.count > 1 { latest.updateValue(current, forKey: event.key) }
            changes.append(CacheChange(current: current, previous: previous, revision: event.revision))
        }
        takeOver(changes, through: revision)
    }

    /// What happened between two states of which only the ends are known, in the order of the revisions.
    private func changes(
        from known: SortedEntries<CachedObject>,
        to entries: [StoredEntry],
        at revision: Revision
    ) -> [CacheChange] {
        var gone = Set<String>()
        var position = known.start
        while position < known.end {
            gone.insert(known[position].key)
            position = known.position(after: position)
        }
        var changes: [CacheChange] = []
        for entry in entries {
            gone.remove(entry.key)
            let previous = known[entry.key]
            guard previous?.revision != entry.revision else { continue }
            changes.append(CacheChange(current: indexer(entry), previous: previous, revision: entry.revision))
        }
        changes.sort { $0.revision < $1.revision }
        for key in gone.sorted() {
            changes.append(CacheChange(current: nil, previous: known[key], revision: revision))
        }
        return changes
    }

    private func takeOver(_ changes: [CacheChange], through revision: Revision) {
        let resumed = state.withLock { state in
            for change in changes {
                if let current = change.current {
                    state.entries.insert(current)
                } else if let previous = change.previous {
                    state.entries.remove(previous.key)
                }
                state.history.append(change)
            }
            return state.advance(to: revision)
        }
        for waiter in resumed { waiter.continuation.resume(returning: .success(())) }
        dispatch(changes, through: revision)
    }

    private func dispatch(_ changes: [CacheChange], through revision: Revision) {
        let waiting = table.withLock { table in
            var waiting: [Watcher.Wake] = []
            if table.watchers.count > 0 {
                for change in changes {
                    var events = ChangeEvents(change)
                    table.watchers.forEach(concernedBy: change) { watcher in
                        if let waiter = watcher.offer(&events) { waiting.append(waiter) }
                    }
                }
            }
            table.revision = max(table.revision, revision)
            if !table.dueBookmarks.isEmpty {
                let revision = table.revision
                waiting += table.dueBookmarks.compactMap { $0.bookmark(revision) }
                table.dueBookmarks = []
            }
            guard table.isBookmarkDue else { return waiting }
            table.isBookmarkDue = false
            table.watchers.forEach { watcher in
                guard watcher.wantsBookmarks, let waiter = watcher.bookmark(table.revision) else { return }
                waiting.append(waiter)
            }
            return waiting
        }
        for wake in waiting { wake() }
    }

    private func shutDown() {
        let closed = StoreError.closed
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .failure(closed)) }
        for watcher in table.withLock({ $0.watchers.removeAll() }) { watcher.close(closed) }
    }
}

extension ResourceCache.State {
    /// Moves the revision on and returns the waiters that waited for it.
    mutating func advance(to revision: Revision) -> [ResourceCache.Waiter] {
        self.revision = max(self.revision, revision)
        guard isReady, !waiters.isEmpty else { return [] }
        let reached = self.revision
        let due = waiters.filter { $0.revision <= reached }
        if !due.isEmpty { waiters.removeAll { $0.revision <= reached } }
        return due
    }
}
