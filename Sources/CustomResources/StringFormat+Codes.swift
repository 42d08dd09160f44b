import Units
import Values

/// Formats of codes, colours, dates and times.
extension StringFormat {
    static func isISBN10(_ text: String) -> Bool {
        let bytes = text.utf8.filter { $0 != 0x2d && $0 != 0x20 }
        guard bytes.count == 10, bytes.dropLast().allSatisfy(isDigit), let last = bytes.last else { return false }
        guard isDigit(last) || last == 0x58 else { return false }
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += (index + 1) * (byte == 0x58 ? 10 : Int(byte) - 48) }
        return sum % 11 == 0
    }

    static func isISBN13(_ text: String) -> Bool {
        let bytes = text.utf8.filter { $0 != 0x2d && $0 != 0x20 }
        guard bytes.count == 13, bytes.allSatisfy(isDigit) else { return false }
        var sum = 0
        for (index, byte) in bytes.dropLast().enumerated() { sum += (index % 2 == 0 ? 1 : 3) * (Int(byte) - 48) }
        return (Int(bytes[12]) - 48) == (10 - sum % 10) % 10
    }

    static func isCreditCard(_ text: String) -> Bool {
        let digits = text.utf8.filter(isDigit).map { Int($0) - 48 }
        guard (13...19).contains(digits.count) else { return false }
        func starts(_ prefixes: String...) -> Bool {
            let text = digits.map(String.init).joined()
            return prefixes.contains { text.hasPrefix($0) }
        }
        let isKnown: Bool
        switch digits.count {
        case 13: isKnown = starts("4")
        case 14: isKnown = starts("300", "301", "302", "303", "304", "305", "36", "38")
        case 15: isKnown = starts("34", "37", "2131", "1800")
        case 16: isKnown = starts("4", "51", "52", "53", "54", "55", "6011", "65", "35")
        default: isKnown = false
        }
        guard isKnown else { return false }
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let value = index % 2 == 1 ? digit * 2 : digit
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0
    }

    static func isSSN(_ text: String) -> Bool {
        var shape = ""
        for byte in text.utf8 { shape += isDigit(byte) ? "d" : byte == 0x2d || byte == 0x20 ? "-" : "x" }
        return ["ddddddddd", "ddd-dd-dddd", "ddd-dddddd", "ddddd-dddd"].contains(shape)
    }

    static func isHexColor(_ text: String) -> Bool {
        let digits = text.hasPrefix("#") ? text.utf8.dropFirst() : text.utf8[...]
        return [3, 6].contains(digits.count) && digits.allSatisfy(isHex)
    }

    static func isRGBColor(_ text: String) -> Bool {
        guard text.hasPrefix("rgb("), text.hasSuffix(")") else { return false }
        let parts = text.dropFirst(4).dropLast().split(separator: ",", omittingEmptySubsequences: false)
        return parts.count == 3
            && parts.allSatisfy { part in
                let digits = part.filter { $0 != " " }
                return !digits.isEmpty && digits.utf8.allSatisfy(isDigit) && (Int(digits).map { $0 <= 255 } ?? false)
            }
    }

    static func isBase64(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count % 4 == 0 else { return false }
        return Base64.decode(text) != nil && !bytes.contains(10) && !bytes.contains(13)
    }

    /// `2006-01-02`, a day that exists.
    static func isDate(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2d, bytes[7] == 0x2d else { return false }
        return Timestamp("\(text)T00:00:00Z") != nil
    }

    static func isDateTime(_ text: String) -> Bool {
        let parts = text.lowercased().split(separator: "t", maxSplits: 1, omittingEmptySubsequences: false).map { Array($0.utf8) }
        guard parts.count == 2, isDate(String(decoding: parts[0], as: UTF8.self)) else { return false }
        var rest = parts[1][...]
        func number(_ limit: Int) -> Bool {
            guard rest.count >= 2, isDigit(rest[rest.startIndex]), isDigit(rest[rest.startIndex + 1]) else { return false }
            let value = (Int(rest[rest.startIndex]) - 48) * 10 + Int(rest[rest.startIndex + 1]) - 48
            rest = rest.dropFirst(2)
            return value <= limit
        }
        func symbol(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard number(23), symbol(0x3a), number(59), symbol(0x3a), number(59) else { return false }
        if let first = rest.first, first != 0x7a, first != 0x2b, first != 0x2d {
            rest = rest.dropFirst()
            guard rest.first.map(isDigit) == true else { return false }
            rest = rest.drop(while: isDigit)
        }
        if rest.elementsEqual([0x7a]) { return true }
        guard symbol(0x2b) || symbol(0x2d) else { return false }
        return number(99) && symbol(0x3a) && number(99) && rest.isEmpty
    }

    private static let units = ["ns", "nano", "us", "µs", "micro", "ms", "milli", "s", "sec", "m", "min", "h", "hr", "hour"]
    private static let longUnits = ["d", "day", "w", "wk", "week"]

    /// A Go duration, or numbers with words such as `22 ns` or `3 weeks`.
    static func isDuration(_ text: String) -> Bool {
        if DurationText.parse(text) != nil { return true }
        var isFound = false
        var rest = Substring(text)
        while let start = rest.firstIndex(where: { $0.isASCII && $0.isNumber }) {
            rest = rest[start...].drop { $0.isASCII && $0.isNumber }
            let word = rest.drop { $0.isWhitespace }
            let unit = String(word.prefix { $0.isLetter }).lowercased()
            let last = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"]
            if (units + longUnits).contains(unit) || last.contains(where: { unit.hasPrefix($0) }) { isFound = true }
        }
        return isFound
    }
}
