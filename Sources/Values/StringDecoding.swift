/// The rare parts of reading strings: escapes, invalid UTF-8, the quoting of a byte in a message.
enum StringDecoding {
    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - 0x30)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Valid UTF-8 as it is; otherwise each invalid byte becomes U+FFFD, as in Go.
    static func text(_ bytes: [UInt8]) -> String {
        if let valid = String(validating: bytes, as: UTF8.self) { return valid }
        var result = ""
        var index = 0
        while index < bytes.count {
            let length = sequenceLength(bytes, at: index)
            if length == 0 {
                result.unicodeScalars.append("\u{FFFD}")
                index += 1
            } else {
                result += String(decoding: bytes[index..<index + length], as: UTF8.self)
                index += length
            }
        }
        return result
    }

    /// The length of the valid sequence that starts at `index`, or 0.
    private static func sequenceLength(_ bytes: [UInt8], at index: Int) -> Int {
        let lead = bytes[index]
        let length: Int
        switch lead {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return 0
        }
        guard index + length <= bytes.count else { return 0 }
        return String(validating: bytes[index..<index + length], as: UTF8.self) == nil ? 0 : length
    }

    /// Decodes the escapes of a string whose syntax has been checked.
    static func unescape(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            let code = bytes[index]
            index += 1
            switch code {
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"): appendUnicode(bytes, &index, to: &out)
            default: out.append(code)
            }
        }
        return out
    }

    /// `index` stands behind `\u`. Pairs of surrogates join; a lone one becomes U+FFFD.
    private static func appendUnicode(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, to out: inout [UInt8]) {
        var value = codeUnit(bytes, at: index)
        index += 4
        if (0xD800..<0xDC00).contains(value), index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        {
            let low = codeUnit(bytes, at: index + 2)
            if (0xDC00..<0xE000).contains(low) {
                value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00)
                index += 6
            }
        }
        let scalar = UnicodeScalar(value) ?? "\u{FFFD}"
        out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private static func codeUnit(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt32 {
        var value: UInt32 = 0
        for offset in 0..<4 { value = value << 4 | (hexDigit(bytes[index + offset]) ?? 0) }
        return value
    }

    /// A byte as Go's messages show it: `'x'`, `'\n'`, `'\''`.
    static func quoted(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): #"'\''"#
        case UInt8(ascii: "\""): #"'"'"#
        case UInt8(ascii: "\\"): #"'\\'"#
        case 0x07: #"'\a'"#
        case 0x08: #"'\b'"#
        case 0x0C: #"'\f'"#
        case 0x0A: #"'\n'"#
        case 0x0D: #"'\r'"#
        case 0x09: #"'\t'"#
        case 0x0B: #"'\v'"#
        case 0..<0x20, 0x7F: #"'\x"# + Hex.encode([byte]) + "'"
        case 0x80..<0xA1, 0xAD: #"'\u00"# + Hex.encode([byte]) + "'"
        default: "'\(Character(UnicodeScalar(byte)))'"
        }
    }
}
