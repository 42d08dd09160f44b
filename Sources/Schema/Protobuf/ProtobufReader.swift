/// Why protobuf bytes were refused.
public struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    /// In the words of upstream's decoder where it has some.
    public let description: String

    /// An error.
    public init(_ description: String) { self.description = description }

    static let truncated = ProtobufError("unexpected EOF")
}

/// Reads the protobuf wire format, bounds-checked. Lives within one call on the buffer it reads.
struct ProtobufReader {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// A value as it stands on the wire.
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Bytes)
    }

    private let bytes: Bytes
    private var position = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

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
        if position < bytes.count, bytes[position] < 0x80 {
            position += 1
            return UInt64(bytes[position - 1])
        }
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
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
        guard bytes.count - position >= count else { throw .truncated }
        var result: UInt64 = 0
        for offset in 0..<count { result |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
        position += count
        return result
    }

    private mutating func delimited() throws(ProtobufError) -> Bytes {
        let length = try varint()
        guard length <= UInt64(bytes.count - position) else { throw .truncated }
        let end = position + Int(length)
        defer { position = end }
        return Bytes(rebasing: bytes[position..<end])
    }
}

extension ArraySlice<UInt8> {
    /// Calls `body` with the bytes in place.
    func withBytes<Result>(_ body: (ProtobufReader.Bytes) throws(ProtobufError) -> Result) throws(ProtobufError) -> Result {
        let result: Swift.Result<Result, ProtobufError> = withUnsafeBufferPointer { bytes in
            do throws(ProtobufError) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
