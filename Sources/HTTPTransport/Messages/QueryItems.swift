/// The query of a URL: ordered pairs, percent-decoded, `+` read as a blank.
public struct QueryItems: Sendable, Hashable {
    /// One pair.
    public struct Item: Sendable, Hashable {
        /// The decoded name.
        public var name: String
        /// The decoded value.
        public var value: String

        /// A pair.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The pairs in their order.
    public private(set) var items: [Item]

    /// No pairs.
    public init() {
        items = []
    }

    /// The pairs given.
    public init(_ items: [Item]) {
        self.items = items
    }

    /// Reads the text after `?`. A broken escape is kept as written.
    public init(parsing text: some StringProtocol) {
        items = []
        guard !text.isEmpty else { return }
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let name = part[part.startIndex..<(equals ?? part.endIndex)]
            let value = equals.map { part[part.index(after: $0)...] }
            items.append(
                Item(
                    name: PercentCoding.decoded(name, plusIsBlank: true),
                    value: value.map { PercentCoding.decoded($0, plusIsBlank: true) } ?? ""
                )
            )
        }
    }

    /// Whether there is no pair.
    public var isEmpty: Bool { items.isEmpty }

    /// The first value of `name`.
    public func first(_ name: String) -> String? {
        for item in items where item.name == name { return item.value }
        return nil
    }

    /// Every value of `name`.
    public func all(_ name: String) -> [String] {
        items.compactMap { $0.name == name ? $0.value : nil }
    }

    /// Whether a pair of that name exists.
    public func contains(_ name: String) -> Bool {
        items.contains { $0.name == name }
    }

    /// Adds a pair.
    public mutating func append(_ name: String, _ value: String) {
        items.append(Item(name: name, value: value))
    }

    /// Replaces every pair of `name`; nil removes them.
    public mutating func set(_ name: String, _ value: String?) {
        items.removeAll { $0.name == name }
        if let value { append(name, value) }
    }

    /// The text after `?`, percent-encoded.
    public var encoded: String {
        var out = ""
        for item in items {
            if !out.isEmpty { out += "&" }
            out += PercentCoding.encoded(item.name)
            out += "="
            out += PercentCoding.encoded(item.value)
        }
        return out
    }
}

extension QueryItems: ExpressibleByDictionaryLiteral {
    /// Pairs in the order written.
    public init(dictionaryLiteral elements: (String, String)...) {
        items = elements.map { Item(name: $0.0, value: $0.1) }
    }
}

extension QueryItems: Sequence {
    /// Iterates the pairs.
    public func makeIterator() -> IndexingIterator<[Item]> {
        items.makeIterator()
    }
}

/// Percent encoding of URL parts (RFC 3986).
public enum PercentCoding {
    /// Decodes `%XX`; a broken escape stays as written. Bytes that are no UTF-8 become replacement characters.
    public static func decoded(_ text: some Sequence<UInt8>, plusIsBlank: Bool = false) -> String {
        let bytes = Array(text)
        let plain = bytes.allSatisfy { $0 != UInt8(ascii: "%") && !(plusIsBlank && $0 == UInt8(ascii: "+")) }
        if plain { return String(decoding: bytes, as: UTF8.self) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = nibble(bytes[index + 1]), let low = nibble(bytes[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
                continue
            }
            out.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            index += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Whether two digits follow every percent sign.
    static func isWellFormed(_ text: String) -> Bool {
        let bytes = text.utf8
        guard var index = bytes.firstIndex(of: UInt8(ascii: "%")) else { return true }
        while index < bytes.endIndex {
            defer { index = bytes.index(after: index) }
            guard bytes[index] == UInt8(ascii: "%") else { continue }
            let digits = bytes[bytes.index(after: index)...].prefix(2)
            guard digits.count == 2, digits.allSatisfy({ nibble($0) != nil }) else { return false }
        }
        return true
    }

    /// Decodes `%XX` of one path segment.
    public static func decoded(_ text: some StringProtocol) -> String {
        decoded(text.utf8)
    }

    /// Encodes everything but the unreserved characters.
    public static func encoded(_ text: String) -> String {
        if text.utf8.allSatisfy(isUnreserved) { return text }
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count * 2)
        let digits: [UInt8] = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                out.append(digits[Int(byte >> 4)])
                out.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
