import Synchronization

/// A store that forgets everything when the process ends: for tests, simulation and throw-away clusters.
///
/// Guarded by `state`; nothing ever waits.
public final class MemoryStore: Store {
    /// How many past changes are kept; older ones are compacted as new ones come.
    public static let defaultHistory = 10_000

    private let state: Mutex<VersionedState>
    private let watchCapacity: Int
    private let maximumSize: ByteCount?

    /// An empty store.
    public init(
        history: Int = MemoryStore.defaultHistory,
        watchCapacity: Int = StoreWatch.defaultCapacity,
        maximumSize: ByteCount? = nil
    ) {
        let limits = VersionedState.Limits(recentEvents: max(1, history), recentBytes: .max)
        state = Mutex(VersionedState(entries: .init(), revision: .initial, compacted: .zero, limits: limits))
        self.watchCapacity = watchCapacity
        self.maximumSize = maximumSize
    }

    /// See `Store`; answered from memory.
    public func get(_ key: String) async throws(StoreError) -> (entry: StoredEntry?, revision: Revision) {
        try read { state throws(StoreError) in (state.entries[key], state.revision) }
    }

    /// See `Store`; the newest state is answered from memory.
    public func list(
        prefix: String,
        at revision: Revision?,
        after: String?,
        limit: Int
    ) async throws(StoreError) -> (entries: [StoredEntry], more: Bool, revision: Revision) {
        let (entries, shown, undone) = try read { state throws(StoreError) in
            guard let revision, revision != state.revision else {
                return (state.entries, state.revision, [] as [StoreEvent])
            }
            try state.check(revision)
            guard revision >= state.recent.floor else { throw .compacted(revision, oldest: state.recent.floor) }
            return (state.entries, revision, Array(state.recent.after(revision)))
        }
        let past = undone.isEmpty ? entries : VersionedState.rewind(entries, undoing: undone, prefix: prefix)
        let page = past.page(prefix: prefix, after: after, limit: limit)
        return (page.entries, page.more, shown)
    }

    /// See `Store`.
    public func put(
        _ key: String,
        _ value: [UInt8],
        if precondition: Precondition
    ) async throws(StoreError) -> Revision {
        try write(key, .put(value), precondition).revision
    }

    /// See `Store`.
    public func delete(
        _ key: String,
        if precondition: Precondition
    ) async throws(StoreError) -> (previous: StoredEntry?, revision: Revision) {
        try write(key, .delete, precondition)
    }

    /// See `Store`.
    public func watch(prefix: String, from revision: Revision) async throws(StoreError) -> StoreWatch {
        let buffer = WatchBuffer(prefix: prefix, from: revision, capacity: watchCapacity)
        try join(buffer, after: revision)
        return StoreWatch(buffer: buffer, source: source)
    }

    /// See `Store`; answered from memory.
    public func currentRevision() async throws(StoreError) -> Revision {
        try read { state throws(StoreError) in state.revision }
    }

    /// See `Store`.
    public func compact(to revision: Revision) async throws(StoreError) {
        try locked { state throws(StoreError) in
            try state.open()
            if revision > state.revision { throw .futureRevision(revision, current: state.revision) }
            state.compact(to: revision)
        }
    }

    /// See `Store`.
    public func size() async throws(StoreError) -> ByteCount {
        try read { state throws(StoreError) in ByteCount(state.valueBytes) }
    }

    /// See `Store`.
    public func close() async {
        for buffer in state.withLock({ $0.close() }) { buffer.close(.closed) }
    }

    // MARK: Inside

    private var source: StoreWatch.Source {
        StoreWatch.Source(
            backlog: { [self] buffer, revision throws(StoreError) in
                try join(buffer, after: revision)
                return .attached
            },
            detach: { [self] buffer in state.withLock { $0.watches.remove(buffer) } },
            currentRevision: { [self] in state.withLock { $0.revision } },
            requestProgress: { [self] buffer in state.withLock { buffer.reportProgress($0.revision) }?.resume() }
        )
    }

    private func join(_ buffer: WatchBuffer, after revision: Revision) throws(StoreError) {
        try locked { state throws(StoreError) in
            guard try state.attach(buffer, after: revision) else {
                throw .compacted(revision, oldest: state.recent.floor)
            }
        }
    }

    private func write(
        _ key: String,
        _ intent: WriteIntent,
        _ precondition: Precondition
    ) throws(StoreError) -> (previous: StoredEntry?, revision: Revision) {
        typealias Outcome = (StoredEntry?, Revision, [UnsafeContinuation<Void, Never>])
        let (previous, revision, waiters) = try locked { state throws(StoreError) -> Outcome in
            try state.open()
            let next = state.revision.next
            let event = try intent.decide(key: key, current: state.entries[key], if: precondition, next: next)
            guard let event else { return (nil, state.revision, []) }
            if let maximumSize, let entry = event.current, state.valueBytes + Int64(entry.value.count) > maximumSize.bytes {
                throw StoreError(.full, "the store holds \(state.valueBytes) bytes and may hold \(maximumSize)")
            }
            return (event.previous, event.revision, state.apply([event]))
        }
        for waiter in waiters { waiter.resume() }
        return (previous, revision)
    }

    private func read<T: Sendable>(_ body: (borrowing VersionedState) throws(StoreError) -> T) throws(StoreError) -> T {
        try locked { state throws(StoreError) in
            try state.open()
            return try body(state)
        }
    }

    private func locked<T: Sendable>(_ body: (inout VersionedState) throws(StoreError) -> T) throws(StoreError) -> T {
        let result: Result<T, StoreError> = state.withLock { state in
            do throws(StoreError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
