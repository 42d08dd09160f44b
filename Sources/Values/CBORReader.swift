/// Reads data items from bytes, bounds-checked. Time and memory are bounded by the length of the input: a length that
/// is promised but not there fails before anything is reserved for it.
struct CBORReader {
    private let bytes: [UInt8]
    private(set) var position = 0
    private let maxDepth: Int
    private var depthLeft: Int

    private static let breakByte: UInt8 = 0xff

    init(_ bytes: [UInt8], depthLeft: Int) {
        self.bytes = bytes
        self.maxDepth = depthLeft
        self.depthLeft = depthLeft
    }

    /// What stands at the head of an item.
    private struct Head {
        var major: UInt8
        var information: UInt8
        var argument: UInt64

        var isIndefinite: Bool { information == 31 }
    }

    private mutating func byte() throws(CBORError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func head() throws(CBORError) -> Head {
        let first = try byte()
        var head = Head(major: first >> 5, information: first & 31, argument: UInt64(first & 31))
        switch head.information {
        case 0..<24: return head
        case 24...27:
            head.argument = 0
            for _ in 0..<(1 << (head.information - 24)) { head.argument = head.argument << 8 | UInt64(try byte()) }
        case 31 where [2, 3, 4, 5, 7].contains(head.major): head.argument = 0
        default:
            throw CBORError("cbor: invalid additional information \(head.information) for type \(Self.name(head.major))")
        }
        return head
    }

    private static func name(_ major: UInt8) -> String {
        switch major {
        case 0: "positive integer"
        case 1: "negative integer"
        case 2: "byte string"
        case 3: "UTF-8 text string"
        case 4: "array"
        case 5: "map"
        case 6: "tag"
        default: "primitives"
        }
    }

    /// The next item.
    mutating func value() throws(CBORError) -> JSONValue {
        let head = try head()
        switch head.major {
        case 0:
            guard let number = Int64(exactly: head.argument) else { throw overflow("\(head.argument)") }
            return .integer(number)
        case 1:
            guard let number = Int64(exactly: head.argument) else { throw overflow("-1-\(head.argument)") }
            return .integer(~number)
        case 2: return .string(String(decoding: try string(head), as: UTF8.self))
        case 3: return .string(try text(head))
        case 4: return try nested { reader throws(CBORError) in try reader.list(head) }
        case 5: return try nested { reader throws(CBORError) in try reader.map(head) }
        case 6: return try nested { reader throws(CBORError) in try reader.tagged(head.argument) }
        default: return try simple(head)
        }
    }

    private func overflow(_ number: String) -> CBORError {
        CBORError("cbor: cannot unmarshal \(number) into Go value of type int64 (overflow)")
    }

    private mutating func nested(
        _ body: (inout CBORReader) throws(CBORError) -> JSONValue
    ) throws(CBORError) -> JSONValue {
        guard depthLeft > 0 else { throw CBORError("cbor: exceeded max nested level \(maxDepth)") }
        depthLeft -= 1
        defer { depthLeft += 1 }
        return try body(&self)
    }

    private mutating func take(_ count: UInt64) throws(CBORError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw .truncated }
        let end = position + Int(count)
        defer { position = end }
        return bytes[position..<end]
    }

    /// The bytes of a string, whole or in chunks.
    private mutating func string(_ head: Head) throws(CBORError) -> ArraySlice<UInt8> {
        guard head.isIndefinite else { return try take(head.argument) }
        var all: ArraySlice<UInt8> = []
        while try !atBreak() {
            let chunk = try self.head()
            guard chunk.major == head.major, !chunk.isIndefinite else {
                throw CBORError("cbor: wrong element type \(Self.name(chunk.major)) for indefinite-length \(Self.name(head.major))")
            }
            let part = try take(chunk.argument)
            if head.major == 3 { try Self.check(part) }
            all += part
        }
        return all
    }

    private mutating func text(_ head: Head) throws(CBORError) -> String {
        let bytes = try string(head)
        try Self.check(bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func check(_ bytes: ArraySlice<UInt8>) throws(CBORError) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw CBORError("cbor: invalid UTF-8 string") }
    }

    /// Whether an item of indefinite length ends here; the break is then read.
    private mutating func atBreak() throws(CBORError) -> Bool {
        guard position < bytes.count else { throw .truncated }
        guard bytes[position] == Self.breakByte else { return false }
        position += 1
        return true
    }

    private mutating func list(_ head: Head) throws(CBORError) -> JSONValue {
        var list: [JSONValue] = []
        if head.isIndefinite {
            while try !atBreak() { list.append(try value()) }
            return .array(list)
        }
        // Every element takes a byte at least.
        guard head.argument <= UInt64(bytes.count - position) else { throw .truncated }
        list.reserveCapacity(min(Int(head.argument), 1024))
        for _ in 0..<head.argument { list.append(try value()) }
        return .array(list)
    }

    private mutating func map(_ head: Head) throws(CBORError) -> JSONValue {
        var members: ContiguousArray<JSONObject.Member> = []
        if head.isIndefinite {
            while try !atBreak() { members.append(try member()) }
        } else {
            guard head.argument <= UInt64(bytes.count - position) / 2 else { throw .truncated }
            for _ in 0..<head.argument { members.append(try member()) }
        }
        var hadDuplicates = false
        let sorted = JSONObject.canonical(members, hadDuplicates: &hadDuplicates)
        guard !hadDuplicates else { throw Self.duplicate(members) }
        return .object(JSONObject(sorted: sorted))
    }

    private static func duplicate(_ members: ContiguousArray<JSONObject.Member>) -> CBORError {
        var seen: Set<String> = []
        for (index, member) in members.enumerated() where !seen.insert(member.key).inserted {
            return CBORError("cbor: found duplicate map key \"\(member.key)\" at map element index \(index)")
        }
        return CBORError("cbor: found duplicate map key")
    }

    private mutating func member() throws(CBORError) -> JSONObject.Member {
        let head = try head()
        let key: String
        switch head.major {
        case 2: key = String(decoding: try string(head), as: UTF8.self)
        case 3: key = try text(head)
        default: throw CBORError("cbor: cannot unmarshal \(Self.name(head.major)) into Go value of type string")
        }
        return JSONObject.Member(key: key, value: try value())
    }

    // MARK: Tags, and what is neither number, string nor container

    private mutating func tagged(_ tag: UInt64) throws(CBORError) -> JSONValue {
        switch tag {
        case 0: return try time()
        case 1: return try epoch()
        case 2, 3: throw CBORError("cbor: cannot unmarshal bignum into Go value of type interface {}")
        case 21, 22, 23: return try laterEncoded(tag)
        default: return try value()
        }
    }

    private mutating func time() throws(CBORError) -> JSONValue {
        guard case .string(let text) = try value() else {
            throw CBORError("cbor: tag number 0 must be followed by text string")
        }
        // Text that is no time would not be one in JSON either: the schema complains about it.
        return .string(text)
    }

    private mutating func epoch() throws(CBORError) -> JSONValue {
        let seconds: Int64
        let nanoseconds: Int64
        switch try value() {
        case .integer(let whole): (seconds, nanoseconds) = (whole, 0)
        case .number(let number):
            guard number.magnitude < 1e12 else { throw CBORError("cbor: tag number 1 holds no time") }
            let floor = number.rounded(.down)
            (seconds, nanoseconds) = (Int64(floor), Int64((number - floor) * 1_000_000_000))
        default: throw CBORError("cbor: tag number 1 must be followed by integer or floating-point number")
        }
        guard let text = CBORTime.text(seconds: seconds, nanoseconds: nanoseconds) else {
            throw CBORError("cbor: tag number 1 holds no time")
        }
        return .string(text)
    }

    /// A byte string that stands for the text of its encoding.
    private mutating func laterEncoded(_ tag: UInt64) throws(CBORError) -> JSONValue {
        let start = position
        let head = try head()
        guard head.major == 2 else {
            position = start
            return try value()
        }
        let content = Array(try string(head))
        switch tag {
        case 21: return .string(Base64.encodeURL(content))
        case 22: return .string(Base64.encode(content))
        default: return .string(Hex.encode(content))
        }
    }

    private func simple(_ head: Head) throws(CBORError) -> JSONValue {
        switch head.information {
        case 20: return .bool(false)
        case 21: return .bool(true)
        case 22: return .null
        case 25: return try float(CBORHalf.value(UInt16(truncatingIfNeeded: head.argument)))
        case 26: return try float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: head.argument))))
        case 27: return try float(Double(bitPattern: head.argument))
        case 31: throw CBORError("cbor: unexpected \"break\" code")
        default: throw CBORError("cbor: simple value \(head.argument) is not recognized")
        }
    }

    private func float(_ number: Double) throws(CBORError) -> JSONValue {
        guard number.isFinite else {
            throw CBORError(number.isNaN ? "cbor: floating-point NaN" : "cbor: floating-point infinity")
        }
        return .number(number)
    }
}

/// Times as tag 1 has them.
enum CBORTime {
    /// RFC 3339 text in UTC, with as many digits of a second as are needed; nil outside the years 1 to 9999.
    static func text(seconds: Int64, nanoseconds: Int64) -> String? {
        guard (-62_135_596_800...253_402_300_799).contains(seconds) else { return nil }
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
        // Civil date from days, counted in eras of 400 years that begin on the first of March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        var text = "\(pad(year, 4))-\(pad(calendarMonth, 2))-\(pad(day, 2))T"
        text += "\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))"
        if nanoseconds > 0 {
            var digits = pad(nanoseconds, 9)
            while digits.last == "0" { digits.removeLast() }
            text += ".\(digits)"
        }
        return text + "Z"
    }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
