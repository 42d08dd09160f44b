extension YAML {
    /// Block style, keys sorted, as `kubectl get -o yaml` prints: lists at the indentation of their key, long texts folded.
    public static func encode(_ value: JSONValue) -> String {
        var out = ""
        switch value {
        case .object(let object) where !object.isEmpty: write(object, indent: 0, to: &out)
        case .array(let list) where !list.isEmpty: write(list, indent: 0, to: &out)
        default:
            out += scalar(value, indent: 2, column: 0)
            out += "\n"
        }
        return out
    }

    private static func pad(_ count: Int) -> String { String(repeating: " ", count: count) }

    private static func write(_ object: JSONObject, indent: Int, to out: inout String, firstInline: Bool = false) {
        var inline = firstInline
        for (key, value) in object {
            out += inline ? "" : pad(indent)
            inline = false
            let name = quotedIfNeeded(key)
            out += name + ":"
            switch value {
            case .object(let child) where !child.isEmpty:
                out += "\n"
                write(child, indent: indent + 2, to: &out)
            case .array(let list) where !list.isEmpty:
                out += "\n"
                write(list, indent: indent, to: &out)
            default: out += " " + scalar(value, indent: indent + 2, column: indent + name.unicodeScalars.count + 2) + "\n"
            }
        }
    }

    private static func write(_ list: [JSONValue], indent: Int, to out: inout String, firstInline: Bool = false) {
        var inline = firstInline
        for element in list {
            out += (inline ? "" : pad(indent)) + "- "
            inline = false
            switch element {
            case .object(let child) where !child.isEmpty: write(child, indent: indent + 2, to: &out, firstInline: true)
            case .array(let child) where !child.isEmpty: write(child, indent: indent + 2, to: &out, firstInline: true)
            default: out += scalar(element, indent: indent + 2, column: indent + 2) + "\n"
            }
        }
    }

    /// - Parameters:
    ///   - indent: Where further lines of it begin.
    ///   - column: Where it begins.
    private static func scalar(_ value: JSONValue, indent: Int, column: Int) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): GoNumber.general(number)
        case .array: "[]"
        case .object: "{}"
        case .string(let text):
            text.contains("\n")
                ? multiline(text, indent: indent, column: column) : quotedIfNeeded(text, YAMLFold(indent: indent, column: column))
        }
    }

    /// A literal block where its content can stand in one, else a double-quoted string.
    private static func multiline(_ text: String, indent: Int, column: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let printable = text.unicodeScalars.allSatisfy { $0 == "\n" || isPrintable($0) }
        let content = lines.last == "" ? lines.dropLast() : lines[...]
        guard printable, let first = content.first(where: { !$0.isEmpty }),
            // By bytes: a blank with an accent on it is another character, but begins with a blank all the same.
            first.utf8.first != 0x20, !content.contains(where: { !$0.isEmpty && $0.utf8.allSatisfy { $0 == 0x20 } })
        else { return doubleQuoted(text, YAMLFold(indent: indent, column: column)) }
        var header = "|"
        if content.first?.isEmpty == true { header += "2" }
        if lines.last != "" {
            header += "-"
        } else if content.last?.isEmpty == true {
            header += "+"
        }
        let body = content.map { $0.isEmpty ? "" : pad(indent) + $0 }.joined(separator: "\n")
        return header + "\n" + body
    }

    private static func isPrintable(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF:
            scalar.value != 0xFEFF && scalar.value != 0x2028 && scalar.value != 0x2029
        default: false
        }
    }

    /// - Parameter fold: How a long text goes on in the next line; nil where it must not, as in a key.
    private static func quotedIfNeeded(_ text: String, _ fold: YAMLFold? = nil) -> String {
        if text.isEmpty { return "\"\"" }
        guard text.unicodeScalars.allSatisfy(isPrintable) else { return doubleQuoted(text, fold) }
        if case .value(.string) = YAMLScalar.resolvePlain(text), !looksLikeOldNumber(text) {
            guard canBePlain(text) else { return fold?.singleQuoted(text) ?? singleQuoted(text) }
            return fold?.plain(text) ?? text
        }
        return doubleQuoted(text, fold)
    }

    /// Base 60 numbers, dates and special floats other YAML parsers would not read as strings.
    private static func looksLikeOldNumber(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        if text.lowercased().hasSuffix(".inf") || text.lowercased() == ".nan" { return text.utf8.count <= 5 }
        guard (0x30...0x39).contains(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") else { return false }
        let digits = text.utf8.allSatisfy { (0x30...0x39).contains($0) || "-+:.TtZz _".utf8.contains($0) }
        let dashes = text.utf8.count { $0 == UInt8(ascii: "-") }
        if digits, dashes >= 2, text.utf8.prefix(4).allSatisfy({ (0x30...0x39).contains($0) }) { return true }
        return isBase60(text)
    }

    private static func isBase60(_ text: String) -> Bool {
        let parts = text.drop { $0 == "-" || $0 == "+" }.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let head = parts.first, !head.isEmpty else { return false }
        return parts.allSatisfy { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") } && !part.isEmpty
        }
    }

    private static func canBePlain(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, first != 0x20, last != 0x20, last != UInt8(ascii: ":") else {
            return false
        }
        if text.hasPrefix("---") || text.hasPrefix("...") { return false }
        if "#,[]{}&*!|>'\"%@`".utf8.contains(first) { return false }
        if "-?:".utf8.contains(first), bytes.count == 1 || bytes[1] == 0x20 { return false }
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "#"), index > 0, bytes[index - 1] == 0x20 { return false }
            if byte == UInt8(ascii: ":"), index + 1 < bytes.count, bytes[index + 1] == 0x20 { return false }
        }
        return true
    }

    private static func singleQuoted(_ text: String) -> String {
        var out = "'"
        for scalar in text.unicodeScalars {
            if scalar == "'" { out += "'" }
            out.unicodeScalars.append(scalar)
        }
        return out + "'"
    }

    private static func doubleQuoted(_ text: String, _ fold: YAMLFold? = nil) -> String {
        fold?.doubleQuoted(text, escaped) ?? "\"" + text.unicodeScalars.map(escaped).joined() + "\""
    }

    private static func escaped(_ scalar: UnicodeScalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case "\0": "\\0"
        default: isPrintable(scalar) ? String(scalar) : escape(scalar)
        }
    }

    private static func escape(_ scalar: UnicodeScalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        func padded(_ width: Int) -> String { String(repeating: "0", count: max(0, width - digits.count)) + digits }
        if scalar.value <= 0xFF { return "\\x" + padded(2) }
        if scalar.value <= 0xFFFF { return "\\u" + padded(4) }
        return "\\U" + padded(8)
    }
}
