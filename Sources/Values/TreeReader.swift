#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Builds the tree of one JSON text. Lives for one parse on one thread; owns two scratch stacks on which the
/// members and elements of unfinished containers wait, so that each container is allocated once, at its size.
struct TreeReader: ~Copyable {
    private let start: UnsafePointer<UInt8>
    private var cursor: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private let stringStops: UnsafePointer<UInt8>
    private var depthLeft: Int
    /// False when the last string was not just its bytes: it had escapes or was repaired.
    private var textIsPlain = true
    private var members = ScratchStack<JSONObject.Member>()
    /// The sort prefix of the key of each member on the stack above.
    private var prefixes = ScratchStack<UInt64>()
    private var elements = ScratchStack<JSONValue>()
    /// Set when some object had a key twice.
    private(set) var sawDuplicates = false

    init(_ bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) {
        start = bytes.baseAddress ?? UnsafePointer(ByteTables.empty)
        cursor = start
        end = start + bytes.count
        depthLeft = maxDepth
        stringStops = UnsafePointer(ByteTables.stringStops)
    }

    /// The whole text: one value, white space around it.
    mutating func document() throws(JSONParseError) -> JSONValue {
        skipSpace()
        let value = try value()
        skipSpace()
        guard cursor == end else { throw unexpected("after top-level value") }
        return value
    }

    @inline(__always)
    private mutating func skipSpace() {
        while cursor < end, cursor.pointee <= 0x20 {
            let byte = cursor.pointee
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            cursor += 1
        }
    }

    private mutating func value() throws(JSONParseError) -> JSONValue {
        guard cursor < end else { throw endOfInput() }
        switch cursor.pointee {
        case UInt8(ascii: "\""):
            cursor += 1
            return .string(try text())
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return try number()
        default: throw unexpected("looking for beginning of value")
        }
    }

    private mutating func enter() throws(JSONParseError) {
        cursor += 1
        depthLeft -= 1
        if depthLeft < 0 { throw JSONParseError(offset: cursor - start, message: "exceeded max depth") }
        skipSpace()
    }

    private mutating func list() throws(JSONParseError) -> JSONValue {
        try enter()
        defer { depthLeft += 1 }
        if cursor < end, cursor.pointee == UInt8(ascii: "]") {
            cursor += 1
            return .array([])
        }
        let base = elements.count
        while true {
            let element = try value()
            elements.push(element)
            skipSpace()
            guard cursor < end else { throw endOfInput() }
            if cursor.pointee == UInt8(ascii: ",") {
                cursor += 1
                skipSpace()
            } else if cursor.pointee == UInt8(ascii: "]") {
                cursor += 1
                let count = elements.count - base
                return .array(
                    [JSONValue](unsafeUninitializedCapacity: count) { buffer, initialized in
                        elements.moveTop(count, to: buffer.baseAddress)
                        initialized = count
                    }
                )
            } else {
                throw unexpected("after array element")
            }
        }
    }

    private mutating func object() throws(JSONParseError) -> JSONValue {
        try enter()
        defer { depthLeft += 1 }
        if cursor < end, cursor.pointee == UInt8(ascii: "}") {
            cursor += 1
            return .object(JSONObject())
        }
        let base = members.count
        var inOrder = true
        var lastPrefix: UInt64 = 0
        while true {
            guard cursor < end else { throw endOfInput() }
            guard cursor.pointee == UInt8(ascii: "\"") else {
                throw unexpected("looking for beginning of object key string")
            }
            cursor += 1
            let keyStart = cursor
            textIsPlain = true
            let key = try text(interned: true)
            let prefix = sortPrefix(of: key, at: keyStart, count: cursor - keyStart - 1)
            skipSpace()
            guard cursor < end else { throw endOfInput() }
            guard cursor.pointee == UInt8(ascii: ":") else { throw unexpected("after object key") }
            cursor += 1
            skipSpace()
            let value = try value()
            if prefix <= lastPrefix, inOrder, members.count > base {
                inOrder = prefix == lastPrefix && members.top(1).pointee.key.compareBytes(with: key) < 0
            }
            lastPrefix = prefix
            prefixes.push(prefix)
            members.push(JSONObject.Member(key: key, value: value))
            skipSpace()
            guard cursor < end else { throw endOfInput() }
            if cursor.pointee == UInt8(ascii: ",") {
                cursor += 1
                skipSpace()
            } else if cursor.pointee == UInt8(ascii: "}") {
                cursor += 1
                return .object(finishObject(from: base, inOrder: inOrder))
            } else {
                throw unexpected("after object key:value pair")
            }
        }
    }

    /// As `String.sortPrefix`, from the text itself where the key has no escapes.
    @inline(__always)
    private func sortPrefix(of key: String, at begin: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        guard textIsPlain, end - begin >= 8 else { return key.sortPrefix }
        let word = UInt64(bigEndian: UnsafeRawPointer(begin).loadUnaligned(as: UInt64.self))
        return count >= 8 ? word : count == 0 ? 0 : word & (UInt64.max << UInt64(64 - 8 * count))
    }

    /// Objects up to this size are sorted where they are; larger ones by an index.
    private static let insertionSortLimit = 48

    private mutating func finishObject(from base: Int, inOrder: Bool) -> JSONObject {
        let count = members.count - base
        let isSorted = inOrder || count <= Self.insertionSortLimit && sortTop(count)
        prefixes.drop(count)
        let taken = ContiguousArray<JSONObject.Member>(unsafeUninitializedCapacity: count) { buffer, initialized in
            members.moveTop(count, to: buffer.baseAddress)
            initialized = count
        }
        if isSorted { return JSONObject(sorted: taken) }
        return JSONObject(sorted: JSONObject.canonical(taken, hadDuplicates: &sawDuplicates))
    }

    /// Insertion sort of the topmost members. Stops and returns false when it meets a key twice.
    private mutating func sortTop(_ count: Int) -> Bool {
        let keys = prefixes.top(count)
        let target = members.top(count)
        for index in 1..<count {
            let prefix = keys[index]
            var place = index
            while place > 0 {
                if keys[place - 1] < prefix { break }
                if keys[place - 1] == prefix {
                    let order = target[place - 1].key.compareBytes(with: target[index].key)
                    if order == 0 { return false }
                    if order < 0 { break }
                }
                place -= 1
            }
            guard place < index else { continue }
            let member = (target + index).move()
            (target + place + 1).moveInitialize(from: target + place, count: index - place)
            (target + place).initialize(to: member)
            (keys + place + 1).update(from: keys + place, count: index - place)
            keys[place] = prefix
        }
        return true
    }

    // MARK: strings

    /// Reads to the closing quote; the cursor stands behind the opening one.
    @inline(__always)
    private mutating func text(interned: Bool = false) throws(JSONParseError) -> String {
        let begin = cursor
        var p = cursor
        while p < end, stringStops[Int(p.pointee)] == 0 { p += 1 }
        if p < end, p.pointee == UInt8(ascii: "\"") {
            cursor = p + 1
            let bytes = UnsafeBufferPointer(start: begin, count: p - begin)
            if interned, bytes.count > 15, let known = KnownKeys.lookUp(bytes) { return known }
            return String(decoding: bytes, as: UTF8.self)
        }
        return try slowText(from: begin, at: p)
    }

    /// A string with escapes, non-ASCII bytes or an error.
    private mutating func slowText(
        from begin: UnsafePointer<UInt8>,
        at stop: UnsafePointer<UInt8>
    ) throws(JSONParseError) -> String {
        cursor = stop
        textIsPlain = false
        var hasEscapes = false
        while cursor < end {
            let byte = cursor.pointee
            if byte == UInt8(ascii: "\"") {
                let bytes = UnsafeBufferPointer(start: begin, count: cursor - begin)
                cursor += 1
                let decoded = hasEscapes ? StringDecoding.unescape(bytes) : Array(bytes)
                return StringDecoding.text(decoded)
            }
            if byte < 0x20 { throw unexpected("in string literal") }
            cursor += 1
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            }
        }
        throw endOfInput()
    }

    private mutating func skipEscape() throws(JSONParseError) {
        guard cursor < end else { throw endOfInput() }
        switch cursor.pointee {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            cursor += 1
        case UInt8(ascii: "u"):
            cursor += 1
            for _ in 0..<4 {
                guard cursor < end else { throw endOfInput() }
                guard StringDecoding.hexDigit(cursor.pointee) != nil else {
                    throw unexpected("in \\u hexadecimal character escape")
                }
                cursor += 1
            }
        default: throw unexpected("in string escape code")
        }
    }

    // MARK: scalars

    private mutating func literal(_ word: StaticString) throws(JSONParseError) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard cursor < end else { throw endOfInput() }
            let expected = word.utf8Start[offset]
            guard cursor.pointee == expected else {
                throw unexpected("in literal \(word) (expecting '\(Character(UnicodeScalar(expected)))')")
            }
            cursor += 1
        }
    }

    private mutating func number() throws(JSONParseError) -> JSONValue {
        let begin = cursor
        let negative = cursor.pointee == UInt8(ascii: "-")
        if negative {
            cursor += 1
            guard cursor < end else { throw endOfInput() }
        }
        guard isDigit(cursor.pointee) else { throw unexpected("in numeric literal") }
        var magnitude: UInt64 = 0
        let digits = cursor
        if cursor.pointee == UInt8(ascii: "0") {
            cursor += 1
        } else {
            while cursor < end, isDigit(cursor.pointee) {
                magnitude = magnitude &* 10 &+ UInt64(cursor.pointee &- 0x30)
                cursor += 1
            }
        }
        let fits = cursor - digits <= 18
        if cursor < end {
            let byte = cursor.pointee
            if byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
                return try fraction(from: begin)
            }
        }
        if fits { return .integer(negative ? -Int64(magnitude) : Int64(magnitude)) }
        let spelled = String(decoding: UnsafeBufferPointer(start: begin, count: cursor - begin), as: UTF8.self)
        if let value = Int64(spelled) { return .integer(value) }
        return try number(spelled)
    }

    private mutating func fraction(from begin: UnsafePointer<UInt8>) throws(JSONParseError) -> JSONValue {
        if cursor.pointee == UInt8(ascii: ".") {
            cursor += 1
            guard cursor < end else { throw endOfInput() }
            guard isDigit(cursor.pointee) else { throw unexpected("after decimal point in numeric literal") }
            while cursor < end, isDigit(cursor.pointee) { cursor += 1 }
        }
        if cursor < end, cursor.pointee | 0x20 == UInt8(ascii: "e") {
            cursor += 1
            guard cursor < end else { throw endOfInput() }
            if cursor.pointee == UInt8(ascii: "+") || cursor.pointee == UInt8(ascii: "-") {
                cursor += 1
                guard cursor < end else { throw endOfInput() }
            }
            guard isDigit(cursor.pointee) else { throw unexpected("in exponent of numeric literal") }
            while cursor < end, isDigit(cursor.pointee) { cursor += 1 }
        }
        return try number(String(decoding: UnsafeBufferPointer(start: begin, count: cursor - begin), as: UTF8.self))
    }

    private func number(_ spelled: String) throws(JSONParseError) -> JSONValue {
        guard let value = Double(spelled), value.isFinite else {
            throw JSONParseError(
                offset: cursor - start,
                message: "json: cannot unmarshal number \(spelled) into Go value of type float64"
            )
        }
        return .number(value)
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    // MARK: errors

    private func endOfInput() -> JSONParseError {
        JSONParseError(offset: end - start, message: "unexpected end of JSON input")
    }

    private func unexpected(_ context: String) -> JSONParseError {
        guard cursor < end else { return endOfInput() }
        let quoted = StringDecoding.quoted(cursor.pointee)
        return JSONParseError(offset: cursor - start + 1, message: "invalid character \(quoted) \(context)")
    }
}
