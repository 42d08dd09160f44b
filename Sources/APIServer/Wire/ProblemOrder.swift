import APIModel
import Schema
import Values

/// The order in which a reader that goes through a JSON text once comes upon its problems: fields nobody knows at their
/// first mention, fields given twice at their second. Only asked for when there are several.
struct ProblemOrder {
    private let bytes: [UInt8]
    private var position = 0
    private var mentions: [String: [Int]] = [:]

    /// Sorts what was found in `body`, which is known to be JSON.
    static func sorted(duplicates: [String], unknown: [String], body: [UInt8]) -> [String] {
        let repeated = duplicates.map { "duplicate field \(GoQuote.quote($0))" }
        guard !unknown.isEmpty, repeated.count + unknown.count > 1 else { return repeated + unknown }
        var order = ProblemOrder(bytes: body)
        order.value("")
        let mentions = Dictionary(uniqueKeysWithValues: order.mentions.map { (GoQuote.quote($0.key), $0.value) })
        func place(_ problem: String) -> Int {
            guard let quote = problem.firstIndex(of: "\""), let found = mentions[String(problem[quote...])] else { return .max }
            return problem.hasPrefix("duplicate") ? found.dropFirst().first ?? .max : found[0]
        }
        return (repeated + unknown).enumerated().map { (place($1), $0, $1) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    private mutating func value(_ path: String) {
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"): members(path)
        case UInt8(ascii: "["): items(path)
        case UInt8(ascii: "\""): _ = text()
        default:
            while let byte, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]") { position += 1 }
        }
        skipSpace()
    }

    private mutating func members(_ path: String) {
        position += 1
        skipSpace()
        while let next = byte, next == UInt8(ascii: "\"") {
            let place = position
            let key = text()
            let member = path.isEmpty ? key : "\(path).\(key)"
            mentions[member, default: []].append(place)
            skipSpace()
            position += 1
            value(member)
            guard byte == UInt8(ascii: ",") else { break }
            position += 1
            skipSpace()
        }
        position += 1
    }

    private mutating func items(_ path: String) {
        position += 1
        skipSpace()
        var index = 0
        while let next = byte, next != UInt8(ascii: "]") {
            value("\(path)[\(index)]")
            index += 1
            guard byte == UInt8(ascii: ",") else { break }
            position += 1
        }
        position += 1
    }

    private mutating func text() -> String {
        let start = position
        position += 1
        while let next = byte, next != UInt8(ascii: "\"") { position += next == UInt8(ascii: "\\") ? 2 : 1 }
        position = min(position + 1, bytes.count)
        let literal = Array(bytes[start..<position])
        return (try? JSONParser.parse(literal))?.string ?? ""
    }
}
