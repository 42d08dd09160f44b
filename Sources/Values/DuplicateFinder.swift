/// Walks a text that is known to be valid JSON and names the members given twice. Runs only when there are some.
struct DuplicateFinder {
    private let bytes: [UInt8]
    private var index = 0
    private var found: [String] = []
    /// Where the walk is; put together only to be reported, so that long names below long names cost nothing.
    private var path: [Step] = []

    private enum Step {
        case name(String)
        case index(Int)
    }
    private var seen: Set<String> = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The paths in the order of the text, each once: `spec.replicas`, `spec.containers[0].name`.
    mutating func paths() -> [String] {
        value()
        return found
    }

    private mutating func skipSpace() {
        while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
    }

    private mutating func value() {
        skipSpace()
        guard index < bytes.count else { return }
        switch bytes[index] {
        case UInt8(ascii: "{"): object()
        case UInt8(ascii: "["): list()
        case UInt8(ascii: "\""): _ = text()
        default:
            while index < bytes.count, !",]} \t\r\n".utf8.contains(bytes[index]) { index += 1 }
        }
    }

    private mutating func text() -> String {
        index += 1
        let begin = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        let raw = bytes[begin..<min(index, bytes.count)]
        index += 1
        return StringDecoding.text(raw.withUnsafeBufferPointer { StringDecoding.unescape($0) })
    }

    private mutating func object() {
        index += 1
        var keys: Set<[UInt8]> = []
        while index < bytes.count {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { break }
            let key = text()
            path.append(.name(key))
            if !keys.insert(Array(key.utf8)).inserted { report() }
            skipSpace()
            index += 1  // the colon
            value()
            path.removeLast()
            guard next() else { return }
        }
        index += 1
    }

    private mutating func list() {
        index += 1
        skipSpace()
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
            index += 1
            return
        }
        var position = 0
        while index < bytes.count {
            path.append(.index(position))
            value()
            path.removeLast()
            position += 1
            guard next() else { return }
        }
    }

    /// Steps over a comma, or over the closing bracket and returns false.
    private mutating func next() -> Bool {
        skipSpace()
        guard index < bytes.count else { return false }
        index += 1
        return bytes[index - 1] == UInt8(ascii: ",")
    }

    private mutating func report() {
        guard found.count < JSONParser.maxReportedDuplicates else { return }
        var text = ""
        for step in path {
            switch step {
            case .name(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
            // Nobody reads more of it; and a hundred of these must not outgrow the request.
            guard text.utf8.count < Self.maxPathBytes else { break }
        }
        if text.utf8.count > Self.maxPathBytes { text = String(text.prefix(Self.maxPathBytes)) + "..." }
        if seen.insert(text).inserted { found.append(text) }
    }

    private static let maxPathBytes = 4096
}
