import Schema

/// What is wrong with the text of an IP address, in the words of Go's `netip.ParseAddr`.
enum AddressText {
    /// Why `text` is no address.
    static func problem(_ text: String) -> String {
        let bytes = Array(text.utf8)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "."): return fourProblem(bytes[...], of: bytes) ?? unreadable
            case UInt8(ascii: ":"): return sixProblem(bytes)
            case UInt8(ascii: "%"): return "missing IPv6 address"
            default: continue
            }
        }
        return unreadable
    }

    private static let unreadable = "unable to parse IP"

    private static func at(_ message: String, _ rest: ArraySlice<UInt8>) -> String {
        "\(message) (at \(GoQuote.quote(String(decoding: rest, as: UTF8.self))))"
    }

    /// What is wrong with four numbers between dots.
    private static func fourProblem(_ bytes: ArraySlice<UInt8>, of whole: [UInt8]) -> String? {
        var value = 0
        var digits = 0
        var fields = 0
        for (index, byte) in zip(bytes.indices, bytes) {
            switch byte {
            case 48...57:
                if digits == 1, value == 0 { return "IPv4 field has octet with leading zero" }
                value = value * 10 + Int(byte - 48)
                digits += 1
                if value > 255 { return "IPv4 field has value >255" }
            case UInt8(ascii: "."):
                if index == bytes.startIndex || index == bytes.endIndex - 1 || bytes[index - 1] == byte {
                    return at("IPv4 field must have at least one digit", bytes[index...])
                }
                if fields == 3 { return "IPv4 address too long" }
                fields += 1
                value = 0
                digits = 0
            default: return at("unexpected character", bytes[index...])
            }
        }
        return fields < 3 ? "IPv4 address too short" : nil
    }

    /// What is wrong with groups between colons.
    private static func sixProblem(_ whole: [UInt8]) -> String {
        var rest = whole[...]
        if let sign = rest.firstIndex(of: UInt8(ascii: "%")) {
            if sign == rest.endIndex - 1 { return "zone must be a non-empty string" }
            rest = rest[..<sign]
        }
        let colon = UInt8(ascii: ":")
        var hasGap = false
        if rest.starts(with: [colon, colon]) {
            hasGap = true
            rest = rest.dropFirst(2)
        }
        var filled = 0
        while filled < 16, !rest.isEmpty {
            let group = rest.prefix { hexDigit($0) != nil }
            if group.count > 4 { return at("each group must have 4 or less digits", rest) }
            if group.isEmpty { return at("each colon-separated field must have at least one digit", rest) }
            let after = rest.dropFirst(group.count)
            if after.first == UInt8(ascii: ".") {
                if !hasGap, filled != 12 { return at("embedded IPv4 address must replace the final 2 fields of the address", rest) }
                if filled + 4 > 16 { return at("too many hex fields to fit an embedded IPv4 at the end of the address", rest) }
                if let problem = fourProblem(rest, of: whole) { return problem }
                return unreadable
            }
            filled += 2
            rest = after
            guard let sign = rest.first else { break }
            if sign != colon { return at("unexpected character, want colon", rest) }
            if rest.count == 1 { return at("colon must be followed by more characters", rest) }
            rest = rest.dropFirst()
            guard rest.first == colon else { continue }
            if hasGap { return at("multiple :: in address", rest) }
            hasGap = true
            rest = rest.dropFirst()
        }
        if !rest.isEmpty { return at("trailing garbage after address", rest) }
        if filled < 16 { return hasGap ? unreadable : "address string too short" }
        return hasGap ? "the :: must expand to at least one field of zeros" : unreadable
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57, 65...70, 97...102: byte
        default: nil
        }
    }
}
