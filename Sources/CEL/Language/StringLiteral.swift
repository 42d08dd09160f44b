/// Reads string and bytes literals.
enum StringLiteral {
    struct Failure: Error {
        let message: String
        static let malformed = Failure(message: "unable to unescape string")
    }

    /// The bytes that the literal `text` (with its quotes, without a leading `b`) stands for.
    static func bytes(_ text: [Unicode.Scalar], isBytes: Bool) throws(Failure) -> [UInt8] {
        var body = normalized(text)[...]
        let isRaw = body.first.map { $0 == "r" || $0 == "R" } ?? false
        if isRaw { body = body.dropFirst() }
        guard body.count >= 2, let quote = body.first, body.last == quote else { throw .malformed }
        let isTriple = body.count >= 6 && body.dropFirst().first == quote && body.dropFirst(2).first == quote
        body = isTriple ? body.dropFirst(3).dropLast(3) : body.dropFirst().dropLast()
        var out: [UInt8] = []
        out.reserveCapacity(body.count)
        var reader = Array(body)[...]
        while let scalar = reader.popFirst() {
            if scalar == "\\", !isRaw {
                try escape(&reader, isBytes, &out)
            } else {
                append(scalar, &out)
            }
        }
        return out
    }

    /// Line breaks are one character, however they are written.
    private static func normalized(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains("\r") else { return text }
        var out: [Unicode.Scalar] = []
        for (index, scalar) in text.enumerated() {
            if scalar == "\r" {
                out.append("\n")
            } else if scalar != "\n" || index == 0 || text[index - 1] != "\r" {
                out.append(scalar)
            }
        }
        return out
    }

    private static func append(_ scalar: Unicode.Scalar, _ out: inout [UInt8]) {
        out += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
    }

    private static func escape(_ reader: inout ArraySlice<Unicode.Scalar>, _ isBytes: Bool, _ out: inout [UInt8]) throws(Failure) {
        guard let code = reader.popFirst() else {
            throw Failure(message: "unable to unescape string, found '\\' as last character")
        }
        switch code {
        case "a": out.append(7)
        case "b": out.append(8)
        case "f": out.append(12)
        case "n": out.append(10)
        case "r": out.append(13)
        case "t": out.append(9)
        case "v": out.append(11)
        case "\\", "'", "\"", "`", "?": append(code, &out)
        case "x", "X": try number(&reader, digits: 2, base: 16, isBytes, &out)
        case "u" where !isBytes: try number(&reader, digits: 4, base: 16, isBytes, &out)
        case "U" where !isBytes: try number(&reader, digits: 8, base: 16, isBytes, &out)
        case "0", "1", "2", "3": try number(&reader, digits: 2, base: 8, isBytes, &out, leading: code.value - 0x30)
        default: throw .malformed
        }
    }

    private static func number(
        _ reader: inout ArraySlice<Unicode.Scalar>,
        digits: Int,
        base: UInt32,
        _ isBytes: Bool,
        _ out: inout [UInt8],
        leading: UInt32 = 0
    ) throws(Failure) {
        let malformed = base == 8 ? Failure(message: "unable to unescape octal sequence in string") : .malformed
        var value = leading
        for _ in 0..<digits {
            guard let digit = reader.popFirst(), let number = hex(digit), number < base else { throw malformed }
            value = value &* base &+ number
        }
        if isBytes {
            out.append(UInt8(truncatingIfNeeded: value))
            return
        }
        guard let scalar = Unicode.Scalar(value) else { throw Failure(message: "invalid unicode code point") }
        append(scalar, &out)
    }

    private static func hex(_ scalar: Unicode.Scalar) -> UInt32? {
        switch scalar.value {
        case 0x30...0x39: scalar.value - 0x30
        case 0x41...0x46: scalar.value - 0x41 + 10
        case 0x61...0x66: scalar.value - 0x61 + 10
        default: nil
        }
    }
}
