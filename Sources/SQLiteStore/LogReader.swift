import Store

/// Reads history on a thread and a connection of its own, so that it never holds up a write.
///
/// `connection` is touched only by jobs on `thread`.
final class LogReader: @unchecked Sendable {
    // Proof of Sendable: `connection` is confined to `thread`.
    private let thread: SerialThread
    private let path: String
    private var connection: Connection?

    init(path: String) throws(StoreError) {
        self.path = path
        thread = try SerialThread(name: "store-reader")
    }

    /// The changes in `(after, through]`, at most `limit`, with their previous values; and how far the log was compacted
    /// when they were read: rows up to there may be missing, though memory does not know of it yet.
    func changes(
        after: Revision,
        through: Revision,
        prefix: String,
        limit: Int
    ) async throws(StoreError) -> (events: [StoreEvent], through: Revision, compacted: Revision) {
        try await run { connection throws(SQLiteFailure) in
            // One transaction: all is read as of one commit.
            if connection.isInTransaction { try connection.execute("ROLLBACK") }
            try connection.execute("BEGIN")
            defer { try? connection.execute("COMMIT") }
            let compacted = Revision(UInt64(max(0, try connection.number("SELECT compacted FROM bookkeeping"))))
            let rows = try connection.prepare(
                """
                SELECT revision, key, created, previous, deleted, value FROM log
                WHERE revision > ?1 AND revision <= ?2 ORDER BY revision LIMIT ?3
                """
            )
            defer { rows.reset() }
            rows.bind(1, after)
            rows.bind(2, through)
            rows.bind(3, Int64(limit))
            var events: [StoreEvent] = []
            var seen = 0
            var reached = through
            while try rows.step() {
                seen += 1
                if seen == limit { reached = rows.revision(0) }
                guard let key = rows.text(1), KeyOrder.hasPrefix(key, prefix) else { continue }
                let previous = try Self.entry(connection, rows.revision(3), key: key)
                if rows.int64(4) != 0 {
                    guard let previous else { continue }
                    events.append(.deleted(key: key, previous: previous, at: rows.revision(0)))
                } else {
                    let entry = StoredEntry(
                        key: key,
                        value: rows.blob(5) ?? [],
                        revision: rows.revision(0),
                        createRevision: rows.revision(2)
                    )
                    events.append(.put(entry, previous: previous))
                }
            }
            return (events, reached, compacted)
        }
    }

    /// Every kept version of a key, oldest first.
    func versions(of key: String, limit: Int) async throws(StoreError) -> [KeyVersion] {
        try await run { connection throws(SQLiteFailure) in
            let rows = try connection.prepare("SELECT revision, written, deleted, value, key FROM log ORDER BY revision")
            defer { rows.reset() }
            var versions: [KeyVersion] = []
            while try rows.step() {
                guard rows.text(4) == key else { continue }
                if versions.count == limit { versions.removeFirst() }
                let value = rows.int64(2) == 0 ? rows.blob(3) : nil
                versions.append(KeyVersion(revision: rows.revision(0), unixMilliseconds: rows.int64(1), value: value))
            }
            return versions
        }
    }

    func close() async {
        _ = try? await thread.run { () throws(StoreError) in self.connection = nil }
        thread.stop()
    }

    private static func entry(
        _ connection: Connection,
        _ revision: Revision,
        key: String
    ) throws(SQLiteFailure) -> StoredEntry? {
        guard revision > .zero else { return nil }
        let row = try connection.prepare("SELECT created, value FROM log WHERE revision = ?1")
        defer { row.reset() }
        row.bind(1, revision)
        guard try row.step() else { return nil }
        return StoredEntry(key: key, value: row.blob(1) ?? [], revision: revision, createRevision: row.revision(0))
    }

    private func run<T: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(SQLiteFailure) -> T
    ) async throws(StoreError) -> T {
        try await thread.run { [self] () throws(StoreError) in
            do throws(SQLiteFailure) {
                if connection == nil { connection = try Connection(path: path, readOnly: false) }
                guard let connection else { throw SQLiteFailure(code: 0, message: "not open") }
                return try body(connection)
            } catch {
                throw error.storeError("reading history from \(path)")
            }
        }
    }
}

/// One version a key had.
public struct KeyVersion: Sendable, Hashable {
    /// The write that made it.
    public let revision: Revision
    /// When that write was committed, in milliseconds since 1970.
    public let unixMilliseconds: Int64
    /// The value; nil when the write removed the key.
    public let value: [UInt8]?
}
