#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Builds the tree of one JSON text. Lives for one parse on one thread; owns two scratch stacks on which the
/// members and elements of unfinished containers wait, so that each container is allocated once, at its size.
struct TreeReader: ~Copyable {
    private let start: UnsafePointer<UInt8>
    var cursor: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    private let stringStops: UnsafePointer<UInt8>
    private let packsShortText = ShortText.isSupported
    var depthLeft: Int
    /// False when the last string was not just its bytes: it had escapes or was repaired.
    private var textIsPlain = true
    private var members = ScratchStack<JSONObject.Member>()
    /// The sort prefix of the key of each member on the stack above.
    private var prefixes = ScratchStack<UInt64>()
    private var elements = ScratchStack<JSONValue>()
    /// Set when some object had a key twice.
    private(set) var sawDuplicates = false

    private let omittedKey: String?
    private let keptPrefixes: ContiguousArray<UInt64>?
    /// What `depthLeft` is in the objects whose members may be left out.
    private let omittedDepth: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ options: JSONParser.Options) {
        start = bytes.baseAddress ?? UnsafePointer(ByteTables.empty)
        cursor = start
        end = start + bytes.count
        depthLeft = options.maxDepth
        omittedKey = options.omitting
        keptPrefixes = options.keptPrefixes
        omittedDepth = options.maxDepth - 2
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
    mutating func skipSpace() {
        while cursor < end, cursor.pointee <= 0x20 {
            let byte = cursor.pointee
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            cursor += 1
        }
    }

    mutating func value() throws(JSONParseError) -> JSONValue {
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

    mutating func enter() throws(JSONParseError) {
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
                var taken: [JSONValue] = []
                taken.reserveCapacity(count)
                elements.popTop(count) { taken.append($0) }
                return .array(taken)
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
            if depthLeft == omittedDepth, leavesOut(key, prefix) {
                try skipValue()
                if try endsObject() { return .object(finishObject(from: base, inOrder: inOrder)) }
                continue
            }
            let value = try value()
            if prefix <= lastPrefix, inOrder, members.count > base {
                inOrder = prefix == lastPrefix && members.top(1).pointee.key.compareBytes(with: key) < 0
            }
            lastPrefix = prefix
            prefixes.push(prefix)
            members.push(JSONObject.Member(key: key, value: value))
            if try endsObject() { return .object(finishObject(from: base, inOrder: inOrder)) }
        }
    }

    private func leavesOut(_ key: String, _ prefix: UInt64) -> Bool {
        if let keptPrefixes, !keptPrefixes.contains(prefix) { return true }
        return omittedKey.map(key.hasSameBytes) ?? false
    }

    /// Steps over a comma, or over the closing brace and returns true.
    @inline(__always)
    mutating func endsObject() throws(JSONParseError) -> Bool {
        skipSpace()
        guard cursor < end else { throw endOfInput() }
        if cursor.pointee == UInt8(ascii: ",") {
            cursor += 1
            skipSpace()
            return false
        }
        guard cursor.pointee == UInt8(ascii: "}") else { throw unexpected("after object key:value pair") }
        cursor += 1
        return true
    }

    /// Moves the cursor to the first byte at which a string ends or is not plain.
    @inline(__always)
    mutating func scanText() {
        while end - cursor >= 8 {
            let stops = ByteScan.stringStops(ByteScan.word(cursor))
            if stops != 0 {
                cursor += ByteScan.first(stops)
                return
            }
            cursor += 8
        }
        while cursor < end, stringStops[Int(cursor.pointee)] == 0 { cursor += 1 }
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
        var taken = ContiguousArray<JSONObject.Member>()
        taken.reserveCapacity(count)
        members.popTop(count) { taken.append($0) }
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
        if packsShortText, end - p >= 16 {
            let low = ByteScan.word(p)
            var stops = ByteScan.stringStops(low)
            if stops != 0 {
                let count = ByteScan.first(stops)
                guard p[count] == UInt8(ascii: "\"") else { return try slowText(from: begin, at: p + count) }
                cursor = p + count + 1
                return ShortText.make(low, 0, count)
            }
            let high = ByteScan.word(p + 8)
            stops = ByteScan.stringStops(high)
            if stops != 0 {
                let count = 8 + ByteScan.first(stops)
                guard p[count] == UInt8(ascii: "\"") else { return try slowText(from: begin, at: p + count) }
                cursor = p + count + 1
                return ShortText.make(low, high, count)
            }
            p += 16
        }
        cursor = p
        scanText()
        p = cursor
        if p < end, p.pointee == UInt8(ascii: "\"") {
            cursor = p + 1
            let bytes = UnsafeBufferPointer(start: begin, count: p - begin)
            if interned, bytes.count > 15, let known = KnownKeys.lookUp(bytes) { return known }
            return String(decoding: bytes, as: UTF8.self)
        }
        return try slowText(from: begin, at: p)
    }

    /// A string with escapes, non-ASCII bytes or an error.
    mutating func slowText(
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

    func endOfInput() -> JSONParseError {
        JSONParseError(offset: end - start, message: "unexpected end of JSON input")
    }

    func unexpected(_ context: String) -> JSONParseError {
        guard cursor < end else { return endOfInput() }
        let quoted = StringDecoding.quoted(cursor.pointee)
        return JSONParseError(offset: cursor - start + 1, message: "invalid character \(quoted) \(context)")
    }
}
