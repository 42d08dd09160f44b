/// One line of a container's log as the runtime writes it: `2016-10-06T00:17:09.669794202Z stdout F text`.
struct LogLine: Sendable, Hashable {
    var time: String
    var isError: Bool
    /// Whether the text goes on in the next entry.
    var isPartial: Bool
    var text: ArraySlice<UInt8>

    /// Parses one line without its line feed; nil when it is not in the format.
    init?(_ line: ArraySlice<UInt8>) {
        var rest = line
        func word() -> ArraySlice<UInt8>? {
            guard let blank = rest.firstIndex(of: UInt8(ascii: " ")) else { return nil }
            defer { rest = rest[(blank + 1)...] }
            return rest[..<blank]
        }
        guard let time = word(), let stream = word() else { return nil }
        // The tags are followed by a blank even when the text is empty; tolerate writers that leave it out.
        let tags =
            word()
            ?? {
                defer { rest = rest[rest.endIndex...] }
                return rest
            }()
        self.time = String(decoding: time, as: UTF8.self)
        switch String(decoding: stream, as: UTF8.self) {
        case "stdout": isError = false
        case "stderr": isError = true
        default: return nil
        }
        guard let tag = tags.first else { return nil }
        isPartial = tag == UInt8(ascii: "P")
        text = rest
    }
}

/// The end of a log, as text.
enum LogTail {
    private static let window = 64 << 10

    static func text(_ path: String, lines: Int, bytes: Int) -> String {
        guard let content = try? HostFiles.readTail(path, limit: window) else { return "" }
        var output: [UInt8] = []
        for line in content.split(separator: UInt8(ascii: "\n")).suffix(lines) {
            guard let entry = LogLine(line) else { continue }
            output.append(contentsOf: entry.text)
            if !entry.isPartial { output.append(UInt8(ascii: "\n")) }
        }
        return String(decoding: output.suffix(bytes), as: UTF8.self)
    }
}
