/// An IPv4 or IPv6 address.
public struct IPAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 4 bytes or 16, most significant first.
    public let bytes: [UInt8]

    /// An address from its 4 or 16 bytes; nil for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// An IPv4 address from its number.
    public init(v4 number: UInt32) {
        bytes = [UInt8(number >> 24), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
    }

    /// Reads an address; nil when the text is none. Leading zeros in IPv4 are refused, as Go's parser does.
    public init?(_ text: String) {
        guard let bytes = text.utf8.contains(UInt8(ascii: ":")) ? Self.parseV6(text) : Self.parseV4(text[...]) else { return nil }
        self.bytes = bytes
    }

    /// How far `self` is above `base`, for addresses of one family; nil below it or beyond 2^62.
    public func distance(from base: IPAddress) -> Int? {
        guard bytes.count == base.bytes.count, base <= self else { return nil }
        var result = 0
        for (byte, low) in zip(bytes, base.bytes) {
            guard result < 1 << 54 else { return nil }
            result = result << 8 + Int(byte) - Int(low)
        }
        return result
    }

    /// Whether it is an IPv4 address.
    public var isV4: Bool { bytes.count == 4 }
    /// Whether it is an IPv6 address.
    public var isIPv6: Bool { !isV4 }
    /// 127.0.0.0/8 or ::1.
    public var isLoopback: Bool { isV4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 }
    /// All zeros.
    public var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
    /// 169.254.0.0/16 or fe80::/10.
    public var isLinkLocal: Bool {
        isV4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    }
    /// 224.0.0.0/4 or ff00::/8.
    public var isMulticast: Bool { isV4 ? bytes[0] & 0xf0 == 0xe0 : bytes[0] == 0xff }
    /// The number of an IPv4 address.
    public var v4Number: UInt32? { isV4 ? bytes.reduce(0) { $0 << 8 | UInt32($1) } : nil }

    /// The canonical text (RFC 5952 for IPv6).
    public var description: String {
        isV4 ? bytes.map { String($0) }.joined(separator: ".") : v6Text
    }

    /// The address `offset` further on; nil past the end.
    public func advanced(by offset: UInt64) -> IPAddress? {
        var result = bytes
        var carry = offset
        var index = bytes.count - 1
        while carry != 0, index >= 0 {
            let sum = UInt64(result[index]) + (carry & 255)
            result[index] = UInt8(sum & 255)
            carry = (carry >> 8) + (sum >> 8)
            index -= 1
        }
        return carry == 0 ? IPAddress(bytes: result) : nil
    }

    /// IPv4 before IPv6, then by number.
    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        a.bytes.count == b.bytes.count ? a.bytes.lexicographicallyPrecedes(b.bytes) : a.isV4
    }

    private static func parseV4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 48, let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func parseV6(_ text: String) -> [UInt8]? {
        let halves = text.split2("::")
        if halves.count > 2 || halves.count == 2 && halves[0].contains(".") { return nil }
        guard let head = groups(halves[0]) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Colon-separated groups, the last of which may be an IPv4 address.
    private static func groups(_ text: String) -> [UInt8]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.utf8.contains(UInt8(ascii: ".")) {
                guard let v4 = parseV4(part) else { return nil }
                bytes += v4
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.first != UInt8(ascii: "+"), let group = UInt16(part, radix: 16) else {
                    return nil
                }
                bytes += [UInt8(group >> 8), UInt8(group & 255)]
            }
        }
        return bytes
    }

    private var v6Text: String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        if groups[0..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xffff {
            return "::ffff:" + bytes[12...].map { String($0) }.joined(separator: ".")
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ range: Range<Int>) -> String { groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }
}

extension String {
    /// The parts between occurrences of a two-character separator.
    fileprivate func split2(_ separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
