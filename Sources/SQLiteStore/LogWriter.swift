import CSQLite
import Logging
import Store
import Synchronization

/// A write waiting for its commit.
struct WriteRequest: Sendable {
    typealias Answer = Result<(previous: StoredEntry?, revision: Revision), StoreError>

    let key: String
    let intent: WriteIntent
    let precondition: Precondition
    let continuation: UnsafeContinuation<Answer, Never>

    var weight: Int {
        if case .put(let value) = intent { return value.count + key.utf8.count }
        return key.utf8.count
    }
}

/// A compaction waiting for its commit.
struct CompactionRequest: Sendable {
    let revision: Revision
    let continuation: UnsafeContinuation<Result<Void, StoreError>, Never>
}

/// Turns groups of writes into transactions: one transaction, one sync, then the answers.
///
/// Owned by the writer thread; only `state` is shared, and only this writer changes what is current in it.
final class LogWriter: @unchecked Sendable {
    // Proof of Sendable: all stored variables are confined to the writer thread, which alone calls the methods.
    private let connection: Connection
    private let state: SharedState
    private let options: SQLiteStore.Options
    private let path: String
    private var swept: Revision
    private var maintenanceFailed = false

    /// Rows a sweep looks at in one step, at least.
    private static let sweepStep = 128
    private static let vacuumPages = 64
    /// Free pages are kept for new rows up to this many, or a quarter of the file.
    private static let keptFreePages: Int64 = 2_048
    /// Beyond so many times the usual log size, the checkpoint waits for readers instead of going around them.
    private static let urgentCheckpointFactor = 8

    init(connection: Connection, path: String, state: SharedState, options: SQLiteStore.Options, swept: Revision) {
        self.connection = connection
        self.path = path
        self.state = state
        self.options = options
        self.swept = swept
    }

    // MARK: Commits

    func commit(_ writes: [WriteRequest], _ compactions: [CompactionRequest]) {
        let base = state.withLock { (revision: $0.revision, compacted: $0.compacted) }
        var batch = Batch(revision: base.revision)
        var compacted = base.compacted
        do throws(SQLiteFailure) {
            try connection.execute("BEGIN IMMEDIATE")
            let isFull = try updateUsage()
            for write in writes { try add(write, to: &batch, isFull: isFull) }
            compacted = try markCompacted(compactions, base: base.compacted, newest: batch.revision, isFull: isFull)
            let reached = try sweep(to: compacted, newest: batch.revision, rows: max(Self.sweepStep, writes.count * 2))
            try connection.execute("COMMIT")
            swept = reached
        } catch {
            abort(error, writes, compactions)
            return
        }
        maintenanceFailed = false
        let events = batch.events
        let waiters = state.withLock { state in
            let waiters = state.apply(events)
            state.compact(to: compacted)
            return waiters
        }
        for waiter in waiters { waiter.resume() }
        for (write, answer) in zip(writes, batch.answers) { write.continuation.resume(returning: answer) }
        for compaction in compactions {
            let isKnown = compaction.revision <= batch.revision
            compaction.continuation.resume(
                returning: isKnown
                    ? .success(())
                    : .failure(.futureRevision(compaction.revision, current: batch.revision))
            )
        }
        checkpointIfDue()
    }

    /// The writes of one transaction: what they see of each other and what they are answered once it is durable.
    private struct Batch {
        var revision: Revision
        var changed: [String: StoredEntry?] = [:]
        var events: [StoreEvent] = []
        var answers: [WriteRequest.Answer] = []

        init(revision: Revision) {
            self.revision = revision
        }
    }

    private func add(_ write: WriteRequest, to batch: inout Batch, isFull: Bool) throws(SQLiteFailure) {
        let event: StoreEvent?
        let current = batch.changed[write.key] ?? state.withLock { $0.entries[write.key] }
        do throws(StoreError) {
            event = try write.intent.decide(
                key: write.key,
                current: current,
                if: write.precondition,
                next: batch.revision.next
            )
        } catch {
            batch.answers.append(.failure(error))
            return
        }
        guard let event else {
            batch.answers.append(.success((nil, batch.revision)))
            return
        }
        if isFull, event.current != nil {
            let text = "\(path) has reached its limit of \(options.maximumSize); delete objects or raise the limit"
            batch.answers.append(.failure(StoreError(.full, text)))
            return
        }
        try append(event)
        batch.changed.updateValue(event.current, forKey: write.key)
        batch.revision = event.revision
        batch.events.append(event)
        batch.answers.append(.success((event.previous, event.revision)))
    }

    private func append(_ event: StoreEvent) throws(SQLiteFailure) {
        let insert = try connection.prepare("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        let value = event.current?.value ?? []
        insert.bind(1, event.revision)
        insert.bind(3, event.current?.createRevision ?? event.previous?.createRevision ?? .zero)
        insert.bind(4, event.previous?.revision ?? .zero)
        insert.bind(5, event.current == nil ? 1 : 0)
        insert.bind(6, options.unixMilliseconds())
        insert.bind(7, LogFile.checksum(value))
        try insert.run(text: (2, event.key), blob: (8, value))
    }

    private func abort(_ failure: SQLiteFailure, _ writes: [WriteRequest], _ compactions: [CompactionRequest]) {
        let error = failure.storeError("writing \(path)", systemError: connection.systemError)
        if connection.isInTransaction { try? connection.execute("ROLLBACK") }
        options.logger.error("write failed", metadata: ["file": "\(path)", "error": "\(failure.message)"])
        for write in writes { write.continuation.resume(returning: .failure(error)) }
        for compaction in compactions { compaction.continuation.resume(returning: .failure(error)) }
    }

    /// Measures the file and tells whether it has reached its limit.
    private func updateUsage() throws(SQLiteFailure) -> Bool {
        let pages = try connection.number("PRAGMA page_count")
        let free = try connection.number("PRAGMA freelist_count")
        let pageSize = try connection.number("PRAGMA page_size")
        state.usedBytes.store((pages - free) * pageSize, ordering: .relaxed)
        return (pages - free) * pageSize >= options.maximumSize.bytes
    }

    // MARK: Compaction

    /// Moves the forgotten horizon: as asked, by the bound on history, or to make room.
    private func markCompacted(
        _ requests: [CompactionRequest],
        base: Revision,
        newest: Revision,
        isFull: Bool
    ) throws(SQLiteFailure) -> Revision {
        var target = base
        for request in requests where request.revision <= newest { target = max(target, request.revision) }
        let kept = UInt64(isFull ? 0 : options.retainedRevisions)
        // In strides, so that the mark is not rewritten with every commit.
        if newest.rawValue > target.rawValue + kept + kept / 8 { target = Revision(newest.rawValue - kept) }
        guard target > base else { return base }
        let update = try connection.prepare("UPDATE bookkeeping SET compacted = ?1")
        update.bind(1, target)
        try update.run()
        return target
    }

    /// Removes what was superseded up to `target`, looking at no more than `rows` rows, and returns how far it came.
    ///
    /// The newest row always stays, so that revisions never go back after a restart.
    private func sweep(to target: Revision, newest: Revision, rows limit: Int) throws(SQLiteFailure) -> Revision {
        let end = min(target, Revision(newest.rawValue - 1))
        guard swept < end else { return swept }
        let rows = try connection.prepare(
            "SELECT revision, previous, deleted FROM log WHERE revision > ?1 AND revision <= ?2 ORDER BY revision LIMIT ?3"
        )
        rows.bind(1, swept)
        rows.bind(2, end)
        rows.bind(3, Int64(limit))
        var superseded: [Revision] = []
        var seen = 0
        var reached = end
        do throws(SQLiteFailure) {
            while try rows.step() {
                seen += 1
                if seen == limit { reached = rows.revision(0) }
                if rows.int64(1) != 0 { superseded.append(rows.revision(1)) }
                if rows.int64(2) != 0 { superseded.append(rows.revision(0)) }
            }
            rows.reset()
        } catch {
            rows.reset()
            throw error
        }
        let delete = try connection.prepare("DELETE FROM log WHERE revision = ?1")
        for revision in superseded {
            delete.bind(1, revision)
            try delete.run()
        }
        let update = try connection.prepare("UPDATE bookkeeping SET swept = ?1")
        update.bind(1, reached)
        try update.run()
        return reached
    }

    // MARK: Maintenance

    /// Does one small piece of what can wait; false when nothing is left to do.
    func maintain() -> Bool {
        guard !maintenanceFailed else { return false }
        let (newest, compacted) = state.withLock { ($0.revision, $0.compacted) }
        do throws(SQLiteFailure) {
            if swept < min(compacted, Revision(newest.rawValue - 1)) {
                try connection.execute("BEGIN IMMEDIATE")
                let reached = try sweep(to: compacted, newest: newest, rows: Self.sweepStep)
                try connection.execute("COMMIT")
                swept = reached
                checkpointIfDue()
                return true
            }
            let free = try connection.number("PRAGMA freelist_count")
            if free > max(Self.keptFreePages, try connection.number("PRAGMA page_count") / 4) {
                try connection.execute("PRAGMA incremental_vacuum(\(Self.vacuumPages))")
                checkpointIfDue()
                return true
            }
            _ = try updateUsage()
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            maintenanceFailed = true
            options.logger.error("compaction failed", metadata: ["file": "\(path)", "error": "\(error.message)"])
        }
        return false
    }

    /// Moves the write-ahead log into the file before it grows long.
    private func checkpointIfDue() {
        guard connection.walPages >= options.checkpointPages else { return }
        let isUrgent = connection.walPages >= options.checkpointPages * Self.urgentCheckpointFactor
        do throws(SQLiteFailure) {
            _ = try connection.checkpoint(truncating: isUrgent)
        } catch {
            // Nothing is lost: the log keeps what was not copied, and the next commit tries again.
            options.logger.warning("checkpoint failed", metadata: ["file": "\(path)", "error": "\(error.message)"])
        }
    }

    /// Leaves one file behind, without a log.
    func finish() {
        _ = try? connection.checkpoint(truncating: true)
        connection.close()
    }
}
