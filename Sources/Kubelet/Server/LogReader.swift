import Channels
import Glibc
import Units

/// Turns lines of a log file into what the user sees. A value; used by one request.
struct LogFormatter {
    let options: LogOptions
    private var left: Int?
    private var isLineStart = true

    init(_ options: LogOptions) {
        self.options = options
        left = options.limitBytes
    }

    /// Whether the limit of bytes is reached.
    var isFull: Bool { left == 0 }

    /// Appends one line (without its line feed) to `output`.
    mutating func append(_ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard !isFull, let entry = LogLine(line) else { return }
        if let onlyErrors = options.onlyErrors, entry.isError != onlyErrors { return }
        if let since = options.since, let time = Timestamp(entry.time), time < since { return }
        if options.timestamps, isLineStart { add(Array("\(entry.time) ".utf8)[...], to: &output) }
        add(entry.text, to: &output)
        if !entry.isPartial { add([UInt8(ascii: "\n")], to: &output) }
        isLineStart = !entry.isPartial
    }

    private mutating func add(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard let limit = left else {
            output.append(contentsOf: bytes)
            return
        }
        let count = min(limit, bytes.count)
        output.append(contentsOf: bytes.prefix(count))
        left = limit - count
    }
}

/// Reads one container's log file, piece by piece, and goes on after the runtime was told to write to a new one. Not for
/// use by two tasks at once: every method is called on the blocking pool by the one request that owns it.
final class LogFile: @unchecked Sendable {
    // Proof for @unchecked: `LogStream` awaits each call before it makes the next.
    static let chunk = 64 << 10
    /// A line longer than this is passed on in pieces.
    static let longestLine = 1 << 20

    private let path: String
    private var descriptor: Int32
    private var pending: [UInt8] = []

    init(_ path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Moves to where the last `lines` lines begin.
    func seekToTail(_ lines: Int) {
        var position = lseek(descriptor, 0, SEEK_END)
        guard lines > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        var missing = lines
        var isEnd = true
        while position > 0 {
            let size = min(off_t(Self.chunk), position)
            position -= size
            let count = pread(descriptor, &buffer, Int(size), position)
            guard count > 0 else { break }
            for index in stride(from: count - 1, through: 0, by: -1) where buffer[index] == UInt8(ascii: "\n") {
                // The line feed at the very end closes the last line instead of opening one.
                if isEnd, position + off_t(index) == lseek(descriptor, 0, SEEK_END) - 1 {
                    isEnd = false
                    continue
                }
                missing -= 1
                if missing == 0 {
                    _ = lseek(descriptor, position + off_t(index) + 1, SEEK_SET)
                    return
                }
            }
        }
        _ = lseek(descriptor, 0, SEEK_SET)
    }

    /// The next complete lines; none at the end of what is written so far.
    func nextLines() throws(FileError) -> [ArraySlice<UInt8>] {
        let bytes = try readChunk()
        if bytes.isEmpty { return [] }
        pending.append(contentsOf: bytes)
        guard let last = pending.lastIndex(of: UInt8(ascii: "\n")) else {
            if pending.count > Self.longestLine {
                defer { pending = [] }
                return [pending[...]]
            }
            return try nextLines()
        }
        let lines = pending[..<last].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
        pending.removeSubrange(...last)
        return lines
    }

    private func readChunk() throws(FileError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 { throw FileError(operation: "read", path: path, code: errno) }
        return Array(buffer[..<count])
    }

    /// Whether another file has the name now: nothing more will be written to this one.
    func isRotated() -> Bool {
        var held = stat()
        var current = stat()
        guard fstat(descriptor, &held) == 0, stat(path, &current) == 0 else { return false }
        return held.st_ino != current.st_ino || held.st_dev != current.st_dev
    }

    /// Switches to the file that now has the name, if it is another one. Returns whether it was.
    func reopenIfRotated() -> Bool {
        guard isRotated() else { return false }
        let fresh = open(path, O_RDONLY | O_CLOEXEC)
        guard fresh >= 0 else { return false }
        close(descriptor)
        descriptor = fresh
        pending = []
        return true
    }
}
