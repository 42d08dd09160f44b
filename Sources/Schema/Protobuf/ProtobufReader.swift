/// Why protobuf bytes were refused.
public struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    /// In the words of upstream's decoder where it has some.
    public let description: String

    /// An error.
    public init(_ description: String) { self.description = description }

    static let truncated = ProtobufError("unexpected EOF")
}

/// Reads the protobuf wire format, bounds-checked.
struct ProtobufReader {
    /// A value as it stands on the wire.
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position >= bytes.endIndex }

    /// The next field's number and value.
    mutating func next() throws(ProtobufError) -> (number: Int, value: Value) {
        let tag = try varint()
        let number = Int(truncatingIfNeeded: tag >> 3)
        guard number > 0 else { throw ProtobufError("proto: illegal tag \(number) (wire type \(tag & 7))") }
        switch tag & 7 {
        case 0: return (number, .varint(try varint()))
        case 1: return (number, .fixed64(try fixed(8)))
        case 2: return (number, .bytes(try delimited()))
        case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw ProtobufError("proto: illegal wireType \(tag & 7)")
        }
    }

    /// A packed or single varint.
    mutating func varint() throws(ProtobufError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            result |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return result }
            shift += 7
            guard shift < 64 else { throw ProtobufError("proto: integer overflow") }
        }
        throw .truncated
    }

    private mutating func fixed(_ count: Int) throws(ProtobufError) -> UInt64 {
        guard bytes.endIndex - position >= count else { throw .truncated }
        var result: UInt64 = 0
        for offset in 0..<count { result |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
        position += count
        return result
    }

    private mutating func delimited() throws(ProtobufError) -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(bytes.endIndex - position) else { throw .truncated }
        let end = position + Int(length)
        defer { position = end }
        return bytes[position..<end]
    }
}
