/// What a scalar means under the YAML 1.1 rules that Kubernetes' YAML library applies.
enum YAMLScalar {
    case value(JSONValue)
    /// The key `<<`.
    case merge

    var json: JSONValue { if case .value(let value) = self { value } else { "<<" } }

    private static let longPrefix = "tag:yaml.org,2002:"

    /// Untagged plain scalars are resolved, quoted ones are strings, explicit tags are obeyed.
    static func resolve(_ text: String, tag: String?, plain: Bool) throws(YAMLError) -> YAMLScalar {
        guard let tag, tag != "!" else {
            return plain && tag == nil ? resolvePlain(text) : .value(.string(text))
        }
        let short = tag.hasPrefix(longPrefix) ? "!!" + tag.dropFirst(longPrefix.count) : tag
        switch short {
        case "!!str": return .value(.string(text))
        case "!!binary":
            guard let bytes = Base64.decode(text.filter { !$0.isWhitespace }) else {
                throw YAMLError("!!binary value contains invalid base64 data")
            }
            return .value(.string(StringDecoding.text(bytes)))
        case "!!merge": return .merge
        case "!!int", "!!float", "!!bool", "!!null", "!!timestamp": return try convert(text, to: short)
        default: return .value(.string(text))
        }
    }

    private static func convert(_ text: String, to tag: String) throws(YAMLError) -> YAMLScalar {
        let resolved = resolvePlain(text).json
        switch (tag, resolved) {
        case ("!!int", .integer), ("!!float", .number), ("!!bool", .bool), ("!!null", .null), ("!!timestamp", .string):
            return .value(resolved)
        case ("!!float", .integer(let value)): return .value(.number(Double(value)))
        default:
            throw YAMLError("cannot decode \(tagName(resolved)) `\(text)` as a \(tag)")
        }
    }

    private static func tagName(_ value: JSONValue) -> String {
        switch value {
        case .null: "!!null"
        case .bool: "!!bool"
        case .integer: "!!int"
        case .number: "!!float"
        default: "!!str"
        }
    }

    static func resolvePlain(_ text: String) -> YAMLScalar {
        switch text {
        case "", "~", "null", "Null", "NULL": return .value(.null)
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .value(.bool(true))
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .value(.bool(false))
        case "<<": return .merge
        // JSON has no such numbers; upstream fails later when it marshals, we keep the text.
        case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
            return .value(.string(text))
        default: break
        }
        guard let first = text.utf8.first else { return .value(.null) }
        switch first {
        case UInt8(ascii: "."):
            if isFloat(text), let value = Double(text), value.isFinite { return .value(.number(value)) }
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"):
            if let number = number(text) { return .value(number) }
        default: break
        }
        return .value(.string(text))
    }

    private static func number(_ text: String) -> JSONValue? {
        let plain = String(text.utf8.filter { $0 != UInt8(ascii: "_") }.map { Character(UnicodeScalar($0)) })
        if let value = integer(plain) { return value }
        if isFloat(plain), let value = Double(plain), value.isFinite { return .number(value) }
        return nil
    }

    /// Integers with the prefixes of Go's base 0: `0x`, `0o`, `0b`, and a leading zero for octal.
    private static func integer(_ text: String) -> JSONValue? {
        var digits = Substring(text)
        var negative = false
        if let sign = digits.first, sign == "-" || sign == "+" {
            negative = sign == "-"
            digits.removeFirst()
        }
        var radix = 10
        if digits.count > 1, digits.first == "0" {
            switch digits.dropFirst().first {
            case "x", "X": (radix, digits) = (16, digits.dropFirst(2))
            case "o", "O": (radix, digits) = (8, digits.dropFirst(2))
            case "b", "B": (radix, digits) = (2, digits.dropFirst(2))
            default: (radix, digits) = (8, digits.dropFirst())
            }
        }
        guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else { return nil }
        guard let magnitude = UInt64(digits, radix: radix) else { return nil }
        if negative {
            if magnitude == Int64.min.magnitude { return .integer(.min) }
            return Int64(exactly: magnitude).map { .integer(-$0) }
        }
        return Int64(exactly: magnitude).map { .integer($0) } ?? .number(Double(magnitude))
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isFloat(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
        func digits() -> Int {
            let run = rest.prefix { (0x30...0x39).contains($0) }.count
            rest.removeFirst(run)
            return run
        }
        let whole = digits()
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let fraction = digits()
            if whole == 0, fraction == 0 { return false }
        } else if whole == 0 {
            return false
        }
        if let exponent = rest.first, exponent | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
            if digits() == 0 { return false }
        }
        return rest.isEmpty
    }
}
