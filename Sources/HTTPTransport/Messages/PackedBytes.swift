import CZlib

/// Bytes that are kept compressed because they are large and seldom read: a mark, the length, then zlib's format. Told from
/// JSON by the mark.
public enum PackedBytes {
    private static let mark: [UInt8] = [0, 0x7a, 0x31]
    private static let headerSize = 7
    private static let level: Int32 = 9
    /// Longer texts are damaged ones.
    private static let longest = 64 << 20

    /// The bytes packed; unchanged when that saves less than half.
    public static func pack(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count <= longest else { return bytes }
        var size = compressBound(UInt(bytes.count))
        var isPacked = false
        let body = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, used in
            isPacked = compress2(buffer.baseAddress, &size, bytes, UInt(bytes.count), level) == Z_OK
            used = isPacked ? Int(size) : 0
        }
        guard isPacked, body.count < bytes.count / 2 else { return bytes }
        // The buffer above was made for the worst case; what is kept has no room to spare.
        var packed: [UInt8] = []
        packed.reserveCapacity(headerSize + body.count)
        packed += mark
        for shift in stride(from: 0, to: 32, by: 8) { packed.append(UInt8(truncatingIfNeeded: bytes.count >> shift)) }
        packed += body
        return packed
    }

    /// Whether bytes are packed.
    public static func isPacked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: mark) }

    /// The bytes as they were; bytes that are not packed stay as they are, damaged ones yield none.
    public static func unpack(_ bytes: [UInt8]) -> [UInt8] {
        guard isPacked(bytes) else { return bytes }
        guard bytes.count > headerSize else { return [] }
        var count = 0
        for index in 0..<4 { count |= Int(bytes[mark.count + index]) << (index * 8) }
        guard count <= longest else { return [] }
        return bytes.withUnsafeBufferPointer { packed in
            let source = UnsafeBufferPointer(rebasing: packed[headerSize...])
            return [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
                var size = UInt(count)
                let isWhole = uncompress(buffer.baseAddress, &size, source.baseAddress, UInt(source.count)) == Z_OK
                used = isWhole ? Int(size) : 0
            }
        }
    }
}
