import CSQLite
import Glibc
import Store

/// A failure as SQLite reports it.
struct SQLiteFailure: Error, Sendable {
    /// The extended result code.
    let code: Int32
    let message: String

    var primary: Int32 { code & 0xff }
    var isCorruption: Bool { primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB }

    /// Out of space: of the quota, or of the disk underneath (which may only show when syncing).
    func isFull(systemError: Int32) -> Bool {
        primary == SQLITE_FULL || (primary == SQLITE_IOERR && (systemError == ENOSPC || systemError == EDQUOT))
    }

    func storeError(_ context: String, systemError: Int32 = 0) -> StoreError {
        if isFull(systemError: systemError) { return StoreError(.full, "\(context): no space left (\(message))") }
        if isCorruption { return StoreError(.corrupt, "\(context): \(message)") }
        return StoreError(.unavailable, "\(context): \(message)")
    }
}

/// One SQLite connection with its prepared statements. Used by one thread at a time.
final class Connection {
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]
    private var isClosed = false
    /// Pages in the write-ahead log after the last commit on this connection.
    private(set) var walPages = 0

    /// Opens, and creates if asked, the database file.
    init(path: String, readOnly: Bool) throws(SQLiteFailure) {
        var opened: OpaquePointer?
        let access = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let code = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard let opened else { throw SQLiteFailure(code: code, message: "out of memory") }
        guard code == SQLITE_OK else {
            let failure = SQLiteFailure(code: code, message: String(cString: sqlite3_errmsg(opened)))
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        sqlite3_busy_timeout(opened, 5_000)
    }

    deinit {
        close()
    }

    /// Lets go of the file. Nothing may be asked of the connection afterwards.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        statements = [:]
        sqlite3_close_v2(handle)
    }

    /// Starts counting the pages of the write-ahead log.
    func observeWAL() {
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                if let context { Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().walPages = Int(pages) }
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    /// The errno of the last failed system call.
    var systemError: Int32 { sqlite3_system_errno(handle) }

    /// Runs statements that return nothing of interest.
    func execute(_ sql: String) throws(SQLiteFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw failure(code) }
    }

    /// The statement, prepared once.
    func prepare(_ sql: String) throws(SQLiteFailure) -> Statement {
        if let known = statements[sql] { return known }
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw failure(code) }
        let statement = Statement(prepared, of: handle)
        statements[sql] = statement
        return statement
    }

    /// The first column of the first row, as a number; 0 when there is none.
    func number(_ sql: String) throws(SQLiteFailure) -> Int64 {
        let statement = try prepare(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.int64(0) : 0
    }

    /// Copies what the log holds into the database file and returns how many pages the log still needs.
    func checkpoint(truncating: Bool) throws(SQLiteFailure) -> Int {
        var logged: Int32 = 0
        var copied: Int32 = 0
        let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, &logged, &copied)
        if code == SQLITE_BUSY { return walPages }
        if code != SQLITE_OK { throw failure(code) }
        walPages = max(0, Int(logged) - Int(copied))
        return walPages
    }

    /// Whether a transaction is open; a failed statement may have rolled it back already.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private func failure(_ code: Int32) -> SQLiteFailure {
        SQLiteFailure(code: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}

/// A prepared statement. Bound values live only until `step`.
final class Statement {
    private let statement: OpaquePointer
    private let connection: OpaquePointer

    init(_ statement: OpaquePointer, of connection: OpaquePointer) {
        self.statement = statement
        self.connection = connection
    }

    deinit {
        sqlite3_finalize(statement)
    }

    func reset() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    func bind(_ index: Int32, _ value: Int64) {
        sqlite3_bind_int64(statement, index, value)
    }

    func bind(_ index: Int32, _ revision: Revision) {
        sqlite3_bind_int64(statement, index, Int64(bitPattern: revision.rawValue))
    }

    /// Runs the statement to its end with a text and a blob bound for that long only, without copying them.
    func run(text: (index: Int32, value: String), blob: (index: Int32, value: [UInt8])) throws(SQLiteFailure) {
        var key = text.value
        let code: Int32 = key.withUTF8 { characters in
            blob.value.withUnsafeBytes { bytes in
                _ = characters.withMemoryRebound(to: CChar.self) { characters in
                    sqlite3_bind_text(statement, text.index, characters.baseAddress, Int32(characters.count), nil)
                }
                if let base = bytes.baseAddress, !bytes.isEmpty {
                    sqlite3_bind_blob64(statement, blob.index, base, UInt64(bytes.count), nil)
                } else {
                    sqlite3_bind_zeroblob(statement, blob.index, 0)
                }
                let code = sqlite3_step(statement)
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
                return code
            }
        }
        if code != SQLITE_DONE && code != SQLITE_ROW { throw failure(code) }
    }

    /// Runs the statement to its end.
    func run() throws(SQLiteFailure) {
        let code = sqlite3_step(statement)
        reset()
        if code != SQLITE_DONE && code != SQLITE_ROW { throw failure(code) }
    }

    /// Goes to the next row; false at the end.
    func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(statement)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure(code)
        }
    }

    func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func revision(_ column: Int32) -> Revision { Revision(UInt64(bitPattern: int64(column))) }

    /// The text of a column; nil when it is not text or not UTF-8.
    func text(_ column: Int32) -> String? {
        guard sqlite3_column_type(statement, column) == SQLITE_TEXT,
            let characters = sqlite3_column_text(statement, column)
        else { return nil }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(validating: UnsafeBufferPointer(start: characters, count: count), as: UTF8.self)
    }

    /// The bytes of a column; nil when it is not a blob.
    func blob(_ column: Int32) -> [UInt8]? {
        guard sqlite3_column_type(statement, column) == SQLITE_BLOB else { return nil }
        let count = Int(sqlite3_column_bytes(statement, column))
        guard count > 0, let base = sqlite3_column_blob(statement, column) else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(start: base, count: count))
            initialized = count
        }
    }

    private func failure(_ code: Int32) -> SQLiteFailure {
        SQLiteFailure(code: code, message: String(cString: sqlite3_errmsg(connection)))
    }
}
