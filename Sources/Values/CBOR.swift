/// Why bytes are not the CBOR that Kubernetes speaks.
public struct CBORError: Error, Sendable, Hashable, CustomStringConvertible {
    /// In the words of upstream's library where it has some.
    public let message: String

    /// An error.
    public init(_ message: String) { self.message = message }

    /// The message.
    public var description: String { message }

    static let truncated = CBORError("unexpected EOF")
}

/// CBOR (RFC 8949) as Kubernetes uses it: the JSON data model, strings as byte strings, deterministic order, and the
/// self-described tag in front. Stateless.
public enum CBOR {
    /// Tag 55799, which every document of upstream begins with.
    public static let selfDescribed: [UInt8] = [0xd9, 0xd9, 0xf7]

    /// Lists and maps nest at most so deep, unless the caller says otherwise.
    public static let defaultMaxDepth = 256

    /// The document that stands for a value.
    public static func encode(_ value: JSONValue) -> [UInt8] {
        var out = selfDescribed
        encode(value, into: &out)
        return out
    }

    /// Appends a value without the tag.
    public static func encode(_ value: JSONValue, into out: inout [UInt8]) {
        CBORWriter.append(value, to: &out)
    }

    /// Appends a string, for documents that are put together from parts.
    public static func encode(string: String, into out: inout [UInt8]) {
        CBORWriter.append(string, to: &out)
    }

    /// Appends the head of a map of `count` members.
    public static func openMap(_ count: Int, into out: inout [UInt8]) { CBORWriter.head(5, UInt64(count), to: &out) }

    /// Appends the head of a list of `count` elements.
    public static func openList(_ count: Int, into out: inout [UInt8]) { CBORWriter.head(4, UInt64(count), to: &out) }

    /// The value of exactly one data item. Throws for what JSON has no form of: NaN, infinities, big numbers, other
    /// simple values, keys that are not strings; and for keys given twice.
    public static func decode(_ bytes: [UInt8], maxDepth: Int = defaultMaxDepth) throws(CBORError) -> JSONValue {
        var reader = CBORReader(bytes, depthLeft: maxDepth)
        let value = try reader.value()
        let rest = bytes.count - reader.position
        guard rest == 0 else {
            throw CBORError("cbor: \(rest) bytes of extraneous data starting at index \(reader.position)")
        }
        return value
    }
}

/// Writes data items: integers and lengths in their shortest form, floats in the narrowest width that keeps them.
enum CBORWriter {
    static func append(_ value: JSONValue, to out: inout [UInt8]) {
        switch value {
        case .null: out.append(0xf6)
        case .bool(let flag): out.append(flag ? 0xf5 : 0xf4)
        case .integer(let number):
            if number >= 0 { head(0, UInt64(number), to: &out) } else { head(1, UInt64(~number), to: &out) }
        case .number(let number): float(number, to: &out)
        case .string(let text): append(text, to: &out)
        case .array(let list):
            head(4, UInt64(list.count), to: &out)
            for item in list { append(item, to: &out) }
        case .object(let object): map(object, to: &out)
        }
    }

    /// Members in the order of their encoded keys, which is by length first.
    private static func map(_ object: JSONObject, to out: inout [UInt8]) {
        head(5, UInt64(object.count), to: &out)
        let order = object.members.indices.sorted { a, b in
            let (left, right) = (object.members[a].key.utf8.count, object.members[b].key.utf8.count)
            return left == right ? a < b : left < right
        }
        for index in order {
            append(object.members[index].key, to: &out)
            append(object.members[index].value, to: &out)
        }
    }

    static func append(_ text: String, to out: inout [UInt8]) {
        head(2, UInt64(text.utf8.count), to: &out)
        out.append(contentsOf: text.utf8)
    }

    static func head(_ major: UInt8, _ argument: UInt64, to out: inout [UInt8]) {
        let type = major << 5
        switch argument {
        case 0..<24: out.append(type | UInt8(argument))
        case 24...0xff: out += [type | 24, UInt8(argument)]
        case 0x100...0xffff:
            out.append(type | 25)
            bigEndian(argument, 2, to: &out)
        case 0x1_0000...0xffff_ffff:
            out.append(type | 26)
            bigEndian(argument, 4, to: &out)
        default:
            out.append(type | 27)
            bigEndian(argument, 8, to: &out)
        }
    }

    private static func bigEndian(_ value: UInt64, _ count: Int, to out: inout [UInt8]) {
        for index in stride(from: count - 1, through: 0, by: -1) {
            out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
    }

    private static func float(_ number: Double, to out: inout [UInt8]) {
        let single = Float(number)
        guard Double(single) == number else {
            out.append(0xfb)
            return bigEndian(number.bitPattern, 8, to: &out)
        }
        if let half = CBORHalf.bits(single) {
            out.append(0xf9)
            bigEndian(UInt64(half), 2, to: &out)
        } else {
            out.append(0xfa)
            bigEndian(UInt64(single.bitPattern), 4, to: &out)
        }
    }
}

/// Half-precision floats by their bits, so that no processor needs to know them.
enum CBORHalf {
    /// The half that is exactly this float, if there is one.
    static func bits(_ value: Float) -> UInt16? {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let exponent = Int((bits >> 23) & 0xff) - 127
        let fraction = bits & 0x7f_ffff
        if bits & 0x7fff_ffff == 0 { return sign }
        if exponent >= -14, exponent <= 15 {
            guard fraction & 0x1fff == 0 else { return nil }
            return sign | UInt16(exponent + 15) << 10 | UInt16(fraction >> 13)
        }
        guard exponent >= -24, exponent < -14 else { return nil }
        let shift = UInt32(-exponent - 1)
        let whole = fraction | 0x80_0000
        guard whole & ((1 << shift) - 1) == 0 else { return nil }
        return sign | UInt16(whole >> shift)
    }

    /// The number that a half stands for; NaN and infinities included.
    static func value(_ bits: UInt16) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10) & 0x1f
        let fraction = Double(bits & 0x3ff)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        }
    }
}
