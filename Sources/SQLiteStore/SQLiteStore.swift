import Channels
import Glibc
import Logging
import Store
import Synchronization

/// The in-memory side of the store, shared between the writer thread and all readers.
final class SharedState: Sendable {
    private let state: Mutex<VersionedState>
    let usedBytes = Atomic<Int64>(0)

    init(_ state: consuming VersionedState) {
        self.state = Mutex(state)
    }

    func withLock<T: Sendable>(_ body: (inout VersionedState) -> T) -> T {
        state.withLock { state in body(&state) }
    }

    func locked<T: Sendable>(_ body: (inout VersionedState) throws(StoreError) -> T) throws(StoreError) -> T {
        let result: Result<T, StoreError> = state.withLock { state in
            do throws(StoreError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

/// The embedded store: one SQLite file, one writer thread, current values in memory.
///
/// - Writes wait on the writer thread's mailbox; all that wait share one transaction and one sync, and are answered after
///   it. Reads and live watches never touch SQL.
/// - Guarded by `state` (what is current) and `mailbox` (what waits); neither lock is held while the other is taken.
public final class SQLiteStore: Store {
    /// How the store is to behave.
    public struct Options: Sendable {
        /// Puts are refused with `.full` above this size; deletes go on.
        public var maximumSize = ByteCount.mebibytes(8 << 10)
        /// How many past revisions can still be watched from and shown.
        public var retainedRevisions = 32_768
        /// How much of that is kept in memory.
        public var recentEvents = 2_048
        /// How many bytes of values that may keep alive.
        public var recentBytes = 8 << 20
        /// Undelivered events before a watch is closed as slow.
        public var watchCapacity = StoreWatch.defaultCapacity
        /// Pages in the write-ahead log that make a checkpoint due (4 KiB each).
        public var checkpointPages = 1_000
        /// SQLite's page cache.
        public var cacheKibibytes = 2_048
        /// The largest value taken.
        public var maximumValue = ByteCount.mebibytes(8)
        /// Writes waiting at most; more are refused at once.
        public var maximumWaiting = 20_000
        /// Writes in one transaction at most.
        public var maximumGroup = 1_024
        /// The time stamped on rows.
        public var unixMilliseconds: @Sendable () -> Int64 = { SQLiteStore.systemMilliseconds() }
        /// Where failures are told.
        public var logger = Logger(label: "apus.store")

        /// The defaults.
        public init() {}
    }

    private struct Mailbox {
        var writes: [WriteRequest] = []
        var compactions: [CompactionRequest] = []
        /// A drain is under way or submitted.
        var isDraining = false
        var isClosed = false
    }

    private let options: Options
    private let state: SharedState
    private let mailbox = Mutex(Mailbox())
    private let thread: SerialThread
    private let writer: LogWriter
    private let reader: LogReader
    private let lock: Mutex<DirectoryLock?>
    /// Rows found damaged when the store was opened; they are still on disk.
    public let damaged: [DamagedRow]

    private static let historyPage = 512

    /// Opens the store of a data directory, creating it if need be. Blocks on file I/O: see `open`.
    public init(directory: String, options: Options = Options()) throws(StoreError) {
        let directoryLock = try DirectoryLock(directory: directory)
        let path = directory + "/" + LogFile.fileName
        let connection: Connection
        let log: LoadedLog
        do throws(SQLiteFailure) {
            connection = try LogFile.openForWriting(path, cacheKibibytes: options.cacheKibibytes)
            log = try LoadedLog.load(connection)
        } catch {
            throw error.storeError("opening \(path)")
        }
        DirectoryLock.sync(directory: directory)
        lock = Mutex(directoryLock)
        let limits = VersionedState.Limits(recentEvents: options.recentEvents, recentBytes: options.recentBytes)
        state = SharedState(
            VersionedState(
                entries: SortedEntries(sorted: log.entries),
                revision: log.revision,
                compacted: log.compacted,
                limits: limits
            )
        )
        for row in log.damaged {
            options.logger.error(
                "damaged row, kept",
                metadata: ["file": "\(path)", "revision": "\(row.revision)", "key": "\(row.key ?? "?")", "reason": "\(row.reason)"]
            )
        }
        damaged = log.damaged
        self.options = options
        writer = LogWriter(connection: connection, path: path, state: state, options: options, swept: log.swept)
        reader = try LogReader(path: path)
        thread = try SerialThread(name: "store-writer")
    }

    /// Opens the store on a thread of its own, without blocking the caller's executor.
    public static func open(
        directory: String,
        options: Options = Options()
    ) async throws(StoreError) -> SQLiteStore {
        let opener = try SerialThread(name: "store-opener")
        defer { opener.stop() }
        return try await opener.run { () throws(StoreError) in
            try SQLiteStore(directory: directory, options: options)
        }
    }

    deinit {
        thread.stop()
    }

    // MARK: Reads

    /// See `Store`; answered from memory.
    public func get(_ key: String) async throws(StoreError) -> (entry: StoredEntry?, revision: Revision) {
        try state.locked { state throws(StoreError) in
            try state.open()
            return (state.entries[key], state.revision)
        }
    }

    /// See `Store`; the newest state is answered from memory.
    public func list(
        prefix: String,
        at revision: Revision?,
        after: String?,
        limit: Int
    ) async throws(StoreError) -> (entries: [StoredEntry], more: Bool, revision: Revision) {
        let (entries, newest) = try state.locked { state throws(StoreError) in
            try state.open()
            if let revision { try state.check(revision) }
            return (state.entries, state.revision)
        }
        let shown = revision ?? newest
        let past = shown == newest ? entries : try await rewind(entries, from: newest, to: shown, prefix: prefix)
        let page = past.page(prefix: prefix, after: after, limit: limit)
        return (page.entries, page.more, shown)
    }

    /// See `Store`; answered from memory.
    public func currentRevision() async throws(StoreError) -> Revision {
        try state.locked { state throws(StoreError) in
            try state.open()
            return state.revision
        }
    }

    /// See `Store`.
    public func size() async throws(StoreError) -> ByteCount {
        try state.locked { state throws(StoreError) in try state.open() }
        return ByteCount(state.usedBytes.load(ordering: .relaxed))
    }

    /// The kept versions of a key, oldest first: what it was and when, until compaction forgets it.
    public func versions(of key: String, limit: Int = 100) async throws(StoreError) -> [KeyVersion] {
        try state.locked { state throws(StoreError) in try state.open() }
        return try await reader.versions(of: key, limit: limit)
    }

    // MARK: Writes

    /// See `Store`.
    public func put(
        _ key: String,
        _ value: [UInt8],
        if precondition: Precondition
    ) async throws(StoreError) -> Revision {
        guard value.count <= options.maximumValue.bytes else {
            throw StoreError(.tooLarge, "\(key): \(value.count) bytes, more than \(options.maximumValue)")
        }
        return try await write(key, .put(value), precondition).revision
    }

    /// See `Store`.
    public func delete(
        _ key: String,
        if precondition: Precondition
    ) async throws(StoreError) -> (previous: StoredEntry?, revision: Revision) {
        try await write(key, .delete, precondition)
    }

    /// See `Store`.
    public func compact(to revision: Revision) async throws(StoreError) {
        try state.locked { state throws(StoreError) in
            try state.open()
            if revision > state.revision { throw .futureRevision(revision, current: state.revision) }
        }
        let result: Result<Void, StoreError> = await withUnsafeContinuation { continuation in
            let refusal = post { $0.compactions.append(CompactionRequest(revision: revision, continuation: continuation)) }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
        try result.get()
    }

    private func write(
        _ key: String,
        _ intent: WriteIntent,
        _ precondition: Precondition
    ) async throws(StoreError) -> (previous: StoredEntry?, revision: Revision) {
        let answer: WriteRequest.Answer = await withUnsafeContinuation { continuation in
            let request = WriteRequest(key: key, intent: intent, precondition: precondition, continuation: continuation)
            if let refusal = post({ $0.writes.append(request) }) { continuation.resume(returning: .failure(refusal)) }
        }
        return try answer.get()
    }

    /// Puts work into the mailbox and sees to it that the writer looks; returns why not.
    private func post(_ add: (inout Mailbox) -> Void) -> StoreError? {
        let (refusal, mustWake) = mailbox.withLock { mailbox -> (StoreError?, Bool) in
            if mailbox.isClosed { return (StoreError(.closed, "the store is closed"), false) }
            if mailbox.writes.count >= options.maximumWaiting {
                return (StoreError(.unavailable, "\(mailbox.writes.count) writes are waiting already"), false)
            }
            add(&mailbox)
            defer { mailbox.isDraining = true }
            return (nil, !mailbox.isDraining)
        }
        if mustWake { thread.submit { [self] in drain() } }
        return refusal
    }

    /// On the writer thread: commits group after group, does small pieces of maintenance in between, until idle.
    private func drain() {
        while true {
            let (writes, compactions) = mailbox.withLock { mailbox in
                defer { mailbox.compactions = [] }
                guard mailbox.writes.count > options.maximumGroup else {
                    defer { mailbox.writes = [] }
                    return (mailbox.writes, mailbox.compactions)
                }
                let group = Array(mailbox.writes.prefix(options.maximumGroup))
                mailbox.writes.removeFirst(group.count)
                return (group, mailbox.compactions)
            }
            if !writes.isEmpty || !compactions.isEmpty {
                writer.commit(writes, compactions)
            } else if !writer.maintain() {
                let isIdle = mailbox.withLock { mailbox in
                    mailbox.isDraining = !mailbox.writes.isEmpty || !mailbox.compactions.isEmpty
                    return !mailbox.isDraining
                }
                if isIdle { return }
            }
        }
    }

    /// See `Store`.
    public func close() async {
        let isFirst = mailbox.withLock { mailbox in
            defer { mailbox.isClosed = true }
            return !mailbox.isClosed
        }
        guard isFirst else { return }
        _ = try? await thread.run { [self] () throws(StoreError) in
            drain()
            writer.finish()
        }
        for buffer in state.withLock({ $0.close() }) { buffer.close(StoreError(.closed, "the store is closed")) }
        await reader.close()
        thread.stop()
        lock.withLock { $0 = nil }
    }

    // MARK: Watches and history

    /// See `Store`.
    public func watch(prefix: String, from revision: Revision) async throws(StoreError) -> StoreWatch {
        let buffer = WatchBuffer(prefix: prefix, from: revision, capacity: options.watchCapacity)
        _ = try state.locked { state throws(StoreError) in try state.attach(buffer, after: revision) }
        return StoreWatch(buffer: buffer, source: source)
    }

    private var source: StoreWatch.Source {
        StoreWatch.Source(
            backlog: { [self] buffer, revision throws(StoreError) in try await backlog(buffer, after: revision) },
            detach: { [self] buffer in state.withLock { $0.watches.remove(buffer) } },
            currentRevision: { [self] in state.withLock { $0.revision } },
            requestProgress: { [self] buffer in state.withLock { buffer.reportProgress($0.revision) }?.resume() }
        )
    }

    /// Joins the live stream, or reads a page of the history that memory no longer has.
    private func backlog(_ buffer: WatchBuffer, after revision: Revision) async throws(StoreError) -> StoreWatch.Backlog {
        let (isAttached, newest) = try state.locked { state throws(StoreError) in
            (try state.attach(buffer, after: revision), state.revision)
        }
        if isAttached { return .attached }
        let page = try await changes(after: revision, through: newest, prefix: buffer.prefix)
        return .page(page.events, through: page.through)
    }

    private func changes(
        after: Revision,
        through: Revision,
        prefix: String
    ) async throws(StoreError) -> (events: [StoreEvent], through: Revision) {
        let page = try await reader.changes(after: after, through: through, prefix: prefix, limit: Self.historyPage)
        // Rows may have been swept while they were read, by a commit that memory has not taken over yet.
        guard after >= page.compacted else { throw .compacted(after, oldest: page.compacted) }
        try state.locked { state throws(StoreError) in try state.check(after) }
        return (page.events, page.through)
    }

    private func rewind(
        _ entries: SortedEntries<StoredEntry>,
        from newest: Revision,
        to shown: Revision,
        prefix: String
    ) async throws(StoreError) -> SortedEntries<StoredEntry> {
        let recent: [StoreEvent]? = state.withLock { state in
            guard shown >= state.recent.floor else { return nil }
            return state.recent.after(shown).filter { $0.revision <= newest }
        }
        if let recent { return VersionedState.rewind(entries, undoing: recent, prefix: prefix) }
        var undone: [String: StoreEvent] = [:]
        var reached = shown
        while reached < newest {
            let page = try await changes(after: reached, through: newest, prefix: prefix)
            for event in page.events where undone[event.key] == nil { undone[event.key] = event }
            reached = page.through
        }
        return VersionedState.rewind(entries, undoing: undone.values, prefix: prefix)
    }

    @usableFromInline
    static func systemMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
