import CSQLite
import Store

/// The file format: one table to which every write appends one row, and one row of bookkeeping.
///
/// A row names the row it supersedes (`previous`), so history can be followed backwards without an index, and a value is
/// written once. Compaction removes superseded rows; the newest row of a key is the current state.
enum LogFile {
    static let fileName = "state.db"
    /// Marks the file as ours: "APUS".
    static let applicationID: Int64 = 0x4150_5553
    static let version: Int64 = 1

    static let createTables = """
        CREATE TABLE IF NOT EXISTS log(
            revision INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            created INTEGER NOT NULL,
            previous INTEGER NOT NULL,
            deleted INTEGER NOT NULL,
            written INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            value BLOB NOT NULL
        );
        CREATE TABLE IF NOT EXISTS bookkeeping(
            id INTEGER PRIMARY KEY CHECK (id = 1),
            compacted INTEGER NOT NULL,
            swept INTEGER NOT NULL
        );
        INSERT OR IGNORE INTO bookkeeping VALUES (1, 0, 0);
        """

    /// Opens the file for writing: durable at every commit (the log is synced), space given back in small steps.
    static func openForWriting(_ path: String, cacheKibibytes: Int) throws(SQLiteFailure) -> Connection {
        let connection = try Connection(path: path, readOnly: false)
        // Before the first table exists this decides the format; later it does nothing.
        try connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        try connection.execute("PRAGMA journal_mode = WAL")
        try connection.execute("PRAGMA synchronous = FULL")
        try connection.execute("PRAGMA wal_autocheckpoint = 0")
        try connection.execute("PRAGMA journal_size_limit = \(16 << 20)")
        try connection.execute("PRAGMA cache_size = -\(cacheKibibytes)")
        try connection.execute("PRAGMA temp_store = MEMORY")
        let known = try connection.number("PRAGMA user_version")
        guard known <= version else {
            throw SQLiteFailure(
                code: SQLITE_NOTADB,
                message: "written by a newer version (format \(known), this one knows \(version))"
            )
        }
        try connection.execute(createTables)
        if known < version {
            try connection.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
        }
        connection.observeWAL()
        return connection
    }

    /// A quick check that a value is what was written; not a defence against an attacker.
    static func checksum(_ value: [UInt8]) -> Int64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(value.count)
        value.withUnsafeBytes { bytes in
            let words = bytes.count / 8
            for word in 0..<words {
                let part = bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self).littleEndian
                hash = (hash ^ part) &* 0xFF51_AFD7_ED55_8CCD
                hash ^= hash >> 32
            }
            for index in (words * 8)..<bytes.count {
                hash = (hash ^ UInt64(bytes[index])) &* 0xC4CE_B9FE_1A85_EC53
                hash ^= hash >> 29
            }
        }
        return Int64(bitPattern: hash)
    }
}

/// A row of the log that cannot be trusted. It is reported and served as far as possible, never deleted.
public struct DamagedRow: Sendable, Hashable {
    /// The revision of the row.
    public let revision: Revision
    /// Its key, where it can be read.
    public let key: String?
    /// What is wrong with it.
    public let reason: String
}

/// What the log says when the store opens.
struct LoadedLog {
    var entries: [StoredEntry] = []
    var revision = Revision.initial
    var compacted = Revision.zero
    var swept = Revision.zero
    var damaged: [DamagedRow] = []

    private static let beyondAll = Revision(UInt64(Int64.max))
    /// How many writes an unreadable end of the log is taken to hold at most.
    private static let unreadableTail: UInt64 = 1_000_000

    /// Reads the newest row of every key; goes around what cannot be read and reports it.
    static func load(_ connection: Connection) throws(SQLiteFailure) -> LoadedLog {
        var log = LoadedLog()
        let marks = try log.readMarks(connection)
        var seen: Set<String> = []
        var lowest = beyondAll
        do throws(SQLiteFailure) {
            try log.scan(connection, descending: true, below: lowest, seen: &seen) { lowest = $0 }
        } catch {
            guard error.isCorruption else { throw error }
            try log.goAround(connection, failure: error, below: lowest, seen: &seen)
        }
        log.take(marks)
        log.entries.sort { KeyOrder.compare($0.key, $1.key) < 0 }
        return log
    }

    private func readMarks(_ connection: Connection) throws(SQLiteFailure) -> (compacted: Int64, swept: Int64)? {
        let marks = try connection.prepare("SELECT compacted, swept FROM bookkeeping")
        defer { marks.reset() }
        do throws(SQLiteFailure) {
            return try marks.step() ? (marks.int64(0), marks.int64(1)) : nil
        } catch {
            guard error.isCorruption else { throw error }
            return nil
        }
    }

    /// Believes the marks as far as they agree with the rows. Without them no history is offered, and none is removed
    /// before it is known again what may be.
    private mutating func take(_ marks: (compacted: Int64, swept: Int64)?) {
        let newest = Int64(revision.rawValue)
        if let marks, (0...newest).contains(marks.compacted), (0...newest).contains(marks.swept) {
            compacted = Revision(UInt64(marks.compacted))
            swept = Revision(UInt64(marks.swept))
        } else {
            compacted = revision
            swept = revision
            damaged.append(DamagedRow(revision: .zero, key: nil, reason: "the marks of compaction cannot be read"))
        }
    }

    /// Reads from the other end up to the unreadable place.
    private mutating func goAround(
        _ connection: Connection,
        failure: SQLiteFailure,
        below limit: Revision,
        seen: inout Set<String>
    ) throws(SQLiteFailure) {
        var reached = Revision.zero
        var older = LoadedLog()
        var known: Set<String> = []
        do throws(SQLiteFailure) {
            try older.scan(connection, descending: false, below: limit, seen: &known) { reached = $0 }
        } catch {
            guard error.isCorruption else { throw error }
        }
        // Ascending, so the last row of a key is its newest below the gap.
        var newest: [String: StoredEntry] = [:]
        for entry in older.entries where !seen.contains(entry.key) { newest[entry.key] = entry }
        for key in older.tombstones where newest[key.key].map({ $0.revision < key.revision }) ?? false {
            newest[key.key] = nil
        }
        entries.append(contentsOf: newest.values)
        revision = max(revision, older.revision)
        // The end of the log is among what cannot be read: leave room, so that no revision is given twice.
        if limit == Self.beyondAll { revision.rawValue += Self.unreadableTail }
        damaged += older.damaged
        damaged.append(
            DamagedRow(
                revision: reached.next,
                key: nil,
                reason: "rows between revisions \(reached) and \(limit) cannot be read: \(failure.message)"
            )
        )
    }

    private var tombstones: [(key: String, revision: Revision)] = []

    private mutating func scan(
        _ connection: Connection,
        descending: Bool,
        below: Revision,
        seen: inout Set<String>,
        reached: (Revision) -> Void
    ) throws(SQLiteFailure) {
        let order = descending ? "DESC" : "ASC"
        let rows = try connection.prepare(
            """
            SELECT revision, key, created, deleted, checksum, value FROM log
            WHERE revision > 0 AND revision < ?1 ORDER BY revision \(order)
            """
        )
        defer { rows.reset() }
        rows.bind(1, below)
        while try rows.step() {
            let revision = rows.revision(0)
            reached(revision)
            self.revision = max(self.revision, revision)
            guard let key = rows.text(1) else {
                damaged.append(DamagedRow(revision: revision, key: nil, reason: "the key is not text"))
                continue
            }
            if descending && !seen.insert(key).inserted { continue }
            if rows.int64(3) != 0 {
                if !descending { tombstones.append((key, revision)) }
                continue
            }
            let value = rows.blob(5)
            if value == nil {
                damaged.append(DamagedRow(revision: revision, key: key, reason: "the value is not a blob"))
            } else if let value, LogFile.checksum(value) != rows.int64(4) {
                damaged.append(DamagedRow(revision: revision, key: key, reason: "the checksum does not match"))
            }
            entries.append(
                StoredEntry(key: key, value: value ?? [], revision: revision, createRevision: rows.revision(2))
            )
        }
    }
}
