#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension JSONValue {
    /// The canonical encoding: compact, keys sorted, escaped as Go's `encoding/json` does.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes()
    }

    /// Appends the canonical encoding.
    public func encode(into buffer: inout [UInt8]) {
        var writer = JSONWriter()
        writer.write(self)
        writer.append(to: &buffer)
    }

    /// One member a line, `indent` spaces a level (four, as `?pretty=true` answers).
    public func encodedPretty(indent: Int = 4) -> [UInt8] {
        var writer = JSONWriter()
        writer.writePretty(self, indent: indent, level: 0)
        return writer.bytes()
    }
}

extension JSONObject {
    /// The canonical encoding.
    public func encoded() -> [UInt8] { JSONValue.object(self).encoded() }
}

/// Writes canonical JSON into raw memory that it owns.
struct JSONWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var count = 0
    private var capacity: Int
    private let escapes = UnsafePointer(ByteTables.escapes)

    init(capacity: Int = 4096) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    func bytes() -> [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

    func append(to buffer: inout [UInt8]) { buffer.append(contentsOf: UnsafeBufferPointer(start: base, count: count)) }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    private mutating func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    private mutating func put(_ word: StaticString) {
        reserve(word.utf8CodeUnitCount)
        memcpy(base + count, word.utf8Start, word.utf8CodeUnitCount)
        count += word.utf8CodeUnitCount
    }

    private mutating func put(_ text: some Sequence<UInt8>) {
        for byte in text { put(byte) }
    }

    mutating func write(_ value: borrowing JSONValue) {
        switch value {
        case .null: put("null")
        case .bool(let flag): put(flag ? "true" : "false")
        case .integer(let number): write(number)
        case .number(let number): put(GoNumber.json(number).utf8)
        case .string(let text): write(text)
        case .array(let elements): write(elements)
        case .object(let object): write(object)
        }
    }

    private mutating func write(_ elements: [JSONValue]) {
        put(UInt8(ascii: "["))
        var first = true
        for element in elements {
            if !first { put(UInt8(ascii: ",")) }
            first = false
            write(element)
        }
        put(UInt8(ascii: "]"))
    }

    private mutating func write(_ object: JSONObject) {
        put(UInt8(ascii: "{"))
        var first = true
        for member in object.members {
            if !first { put(UInt8(ascii: ",")) }
            first = false
            write(member.key)
            put(UInt8(ascii: ":"))
            write(member.value)
        }
        put(UInt8(ascii: "}"))
    }

    mutating func writePretty(_ value: JSONValue, indent: Int, level: Int) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            put(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                breakLine(comma: index > 0, spaces: indent * (level + 1))
                writePretty(element, indent: indent, level: level + 1)
            }
            breakLine(comma: false, spaces: indent * level)
            put(UInt8(ascii: "]"))
        case .object(let object) where !object.isEmpty:
            put(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                breakLine(comma: index > 0, spaces: indent * (level + 1))
                write(member.key)
                put(": ")
                writePretty(member.value, indent: indent, level: level + 1)
            }
            breakLine(comma: false, spaces: indent * level)
            put(UInt8(ascii: "}"))
        default: write(value)
        }
    }

    private mutating func breakLine(comma: Bool, spaces: Int) {
        put(comma ? ",\n" : "\n")
        for _ in 0..<spaces { put(UInt8(ascii: " ")) }
    }

    private mutating func write(_ number: Int64) {
        reserve(20)
        var magnitude = number.magnitude
        if number < 0 {
            base[count] = UInt8(ascii: "-")
            count += 1
        }
        let begin = count
        repeat {
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
            base[count] = UInt8(truncatingIfNeeded: remainder) &+ 0x30
            count += 1
            magnitude = quotient
        } while magnitude > 0
        var low = begin
        var high = count - 1
        while low < high {
            (base[low], base[high]) = (base[high], base[low])
            low += 1
            high -= 1
        }
    }

    mutating func write(_ text: String) {
        if let words = ShortText.words(text), writeShort(words.low, words.high, words.count) { return }
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { writeQuoted($0) }
        if done == nil { Array(text.utf8).withUnsafeBufferPointer { writeQuoted($0) } }
    }

    /// Writes up to 15 bytes as they are; false when one of them needs an escape.
    private mutating func writeShort(_ low: UInt64, _ high: UInt64, _ length: Int) -> Bool {
        // What stands behind the text must not look like something to escape.
        let filler: UInt64 = 0x6161_6161_6161_6161
        let first = length >= 8 ? low : low | filler << UInt64(8 * length)
        let second = length > 8 ? high | filler << UInt64(8 * (length - 8)) : filler
        guard ByteScan.escapes(first) | ByteScan.escapes(second) == 0 else { return false }
        reserve(18)
        base[count] = UInt8(ascii: "\"")
        let target = UnsafeMutableRawPointer(base + count + 1)
        target.storeBytes(of: first.littleEndian, as: UInt64.self)
        target.storeBytes(of: second.littleEndian, toByteOffset: 8, as: UInt64.self)
        base[count + 1 + length] = UInt8(ascii: "\"")
        count += length + 2
        return true
    }

    private mutating func writeQuoted(_ text: UnsafeBufferPointer<UInt8>) {
        reserve(text.count + 2)
        base[count] = UInt8(ascii: "\"")
        count += 1
        let target = base + count
        var index = 0
        let length = text.count
        if let source = text.baseAddress {
            while index + 8 <= length {
                let word = ByteScan.word(source + index)
                guard ByteScan.escapes(word) == 0 else { break }
                UnsafeMutableRawPointer(target + index).storeBytes(of: word.littleEndian, as: UInt64.self)
                index += 8
            }
            while index < length {
                let byte = source[index]
                if escapes[Int(byte)] != 0 { break }
                target[index] = byte
                index += 1
            }
        }
        count += index
        if index < length { writeEscaped(text[index...]) }
        put(UInt8(ascii: "\""))
    }

    /// The rest of a string from the first byte that may need an escape.
    private mutating func writeEscaped(_ text: Slice<UnsafeBufferPointer<UInt8>>) {
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text.base[index]
            if escapes[Int(byte)] == 0 {
                put(byte)
            } else if byte == 0xE2 {
                index += writeLineSeparator(text, at: index)
            } else {
                writeEscape(byte)
            }
            index += 1
        }
    }

    /// Escapes U+2028 and U+2029; returns how many further bytes it took.
    private mutating func writeLineSeparator(_ text: Slice<UnsafeBufferPointer<UInt8>>, at index: Int) -> Int {
        guard index + 2 < text.endIndex, text.base[index + 1] == 0x80, text.base[index + 2] | 1 == 0xA9 else {
            put(0xE2)
            return 0
        }
        put(text.base[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
        return 2
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): put("\\\"")
        case UInt8(ascii: "\\"): put("\\\\")
        case 0x0A: put("\\n")
        case 0x0D: put("\\r")
        case 0x09: put("\\t")
        case 0x08: put("\\b")
        case 0x0C: put("\\f")
        default:
            put("\\u00")
            put(Hex.encode(CollectionOfOne(byte)).utf8)
        }
    }
}
