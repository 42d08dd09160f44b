import Values

/// Names of fields as expressions write them: what is no identifier is spelled out.
/// Source: apiserver/pkg/cel/escaping.go.
public enum FieldEscape {
    /// Words of the language, which no field can be called.
    static let reserved: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "package", "namespace", "return", "var", "void", "while",
    ]

    /// The name of field `name` in expressions; nil when it cannot be named there.
    public static func escape(_ name: String) -> String? {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return nil }
        if reserved.contains(name) { return "__\(name)__" }
        if name.utf8.allSatisfy({ isWord($0) && $0 != 0x5f }) { return name }
        return escapeBytes(Array(name.utf8))
    }

    private static func escapeBytes(_ bytes: [UInt8]) -> String? {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 16)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x2e: out += "__dot__".utf8
            case 0x2d: out += "__dash__".utf8
            case 0x2f: out += "__slash__".utf8
            case 0x5f where index < bytes.count && bytes[index] == 0x5f:
                index += 1
                out += "__underscores__".utf8
            case _ where isWord(byte): out.append(byte)
            default: return nil
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The field that an expression calls `name`; nil when no field is called so.
    public static func unescape(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        guard bytes.count > 4, name.utf8.contains(0x5f) else { return name }
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard let end = escapeEnd(bytes, index) else {
                out.append(bytes[index])
                index += 1
                continue
            }
            let word = String(decoding: bytes[(index + 2)..<(end - 2)], as: UTF8.self)
            switch word {
            case "underscores": out += "__".utf8
            case "dot": out.append(0x2e)
            case "dash": out.append(0x2d)
            case "slash": out.append(0x2f)
            default:
                guard reserved.contains(word), index == 0, end == bytes.count else { return nil }
                out += word.utf8
            }
            index = end
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The end of `__word__` at `start`, where `word` has no underscore.
    private static func escapeEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard start + 4 < bytes.count, bytes[start] == 0x5f, bytes[start + 1] == 0x5f, bytes[start + 2] != 0x5f else { return nil }
        var index = start + 2
        while index < bytes.count, bytes[index] != 0x5f { index += 1 }
        guard index + 1 < bytes.count, bytes[index + 1] == 0x5f else { return nil }
        return index + 2
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 0x5f
    }
}
