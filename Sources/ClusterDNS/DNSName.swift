/// A domain name: labels of 1 to 63 bytes, at most 255 bytes on the wire. Compared without regard to ASCII case.
public struct DNSName: Sendable {
    /// The labels as they were written, from the leftmost.
    public let labels: [[UInt8]]

    /// The longest name on the wire.
    static let longestName = 255
    /// The longest label.
    static let longestLabel = 63

    /// Nil when a label is empty or too long, or the name is.
    public init?(labels: [[UInt8]]) {
        var length = 1
        for label in labels {
            guard (1...Self.longestLabel).contains(label.count) else { return nil }
            length += label.count + 1
        }
        guard length <= Self.longestName else { return nil }
        self.labels = labels
    }

    /// From dotted text, with or without the final dot. Nil when it is no name.
    public init?(_ text: String) {
        var rest = text.utf8[...]
        if rest.last == UInt8(ascii: ".") { rest = rest.dropLast() }
        if rest.isEmpty {
            self.init(labels: [])
        } else {
            self.init(labels: rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) })
        }
    }

    /// The name that is `first` below this one.
    func prefixed(by first: String) -> DNSName? { DNSName(labels: [Array(first.utf8)] + labels) }

    /// The labels in lower case as text; bytes that are no UTF-8 become U+FFFD and so match nothing of ours.
    var words: [String] { labels.map { String(decoding: $0.map(Self.lower), as: UTF8.self) } }

    /// True when this name is `zone` or below it.
    func isWithin(_ zone: DNSName) -> Bool {
        labels.count >= zone.labels.count && zip(labels.suffix(zone.labels.count), zone.labels).allSatisfy { Self.same($0, $1) }
    }

    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    static func same(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { lower($0) == lower($1) }
    }
}

extension DNSName: Hashable {
    /// Equal but for case.
    public static func == (a: DNSName, b: DNSName) -> Bool {
        a.labels.count == b.labels.count && zip(a.labels, b.labels).allSatisfy { same($0, $1) }
    }

    /// Hashes without case.
    public func hash(into hasher: inout Hasher) {
        for label in labels {
            hasher.combine(label.count)
            for byte in label { hasher.combine(Self.lower(byte)) }
        }
    }
}

extension DNSName: CustomStringConvertible {
    /// Dotted, with the final dot.
    public var description: String {
        labels.isEmpty ? "." : labels.map { String(decoding: $0, as: UTF8.self) + "." }.joined()
    }
}
