/// Writes the protobuf wire format from its end to its beginning, so that the length of a nested message is known when
/// its header is written. Used by one caller on one thread.
struct ProtobufWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Where the first byte written so far stands.
    private var start: Int

    init(room: Int = 1024) {
        capacity = max(room, 64)
        base = .allocate(capacity: capacity)
        start = capacity
    }

    deinit { base.deallocate() }

    /// How many bytes have been written.
    var count: Int { capacity - start }

    /// The bytes, in their right order.
    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: base + start, count: count)) }

    /// Forgets what was written and keeps the memory.
    mutating func clear() { start = capacity }

    private mutating func reserve(_ needed: Int) {
        guard needed > start else { return }
        let grown = max(capacity * 2, count + needed)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
        let moved = grown - count
        (larger + moved).initialize(from: base + start, count: count)
        base.deallocate()
        base = larger
        start = moved
        capacity = grown
    }

    mutating func byte(_ value: UInt8) {
        reserve(1)
        start -= 1
        base[start] = value
    }

    mutating func varint(_ value: UInt64) {
        if value < 0x80 { return byte(UInt8(truncatingIfNeeded: value)) }
        let size = ProtobufWriter.size(ofVarint: value)
        reserve(size)
        start -= size
        var rest = value
        var at = start
        while rest >= 0x80 {
            base[at] = UInt8(truncatingIfNeeded: rest & 0x7F) | 0x80
            rest >>= 7
            at += 1
        }
        base[at] = UInt8(truncatingIfNeeded: rest)
    }

    /// How many bytes a number takes.
    static func size(ofVarint value: UInt64) -> Int {
        (64 - (value | 1).leadingZeroBitCount + 6) / 7
    }

    mutating func raw(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        reserve(bytes.count)
        start -= bytes.count
        (base + start).initialize(from: source, count: bytes.count)
    }

    mutating func raw(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { raw($0) }
    }

    mutating func fixed64(_ value: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { byte(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func fixed32(_ value: UInt32) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) { byte(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    // MARK: Fields

    mutating func tag(_ number: Int, _ type: WireType) {
        varint(UInt64(number) << 3 | UInt64(type.rawValue))
    }

    /// The header of what was written since `mark`, as a delimited field.
    mutating func close(_ number: Int, since mark: Int) {
        varint(UInt64(count - mark))
        tag(number, .delimited)
    }

    mutating func varint(_ number: Int, _ value: Int64) {
        varint(UInt64(bitPattern: value))
        tag(number, .varint)
    }

    mutating func bytes(_ number: Int, _ value: [UInt8]) {
        raw(value)
        varint(UInt64(value.count))
        tag(number, .delimited)
    }

    mutating func text(_ number: Int, _ value: String) {
        let mark = count
        var value = value
        value.withUTF8 { raw($0) }
        close(number, since: mark)
    }

    /// How a field's value is laid out.
    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case delimited = 2
        case fixed32 = 5
    }
}
