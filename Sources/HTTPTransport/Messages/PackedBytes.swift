import CZlib

/// Bytes that are kept compressed because they are large and seldom read. Immutable.
public struct PackedBytes: Sendable {
    private let packed: [UInt8]
    private let count: Int

    /// Compresses; nil when that saves less than half.
    public init?(_ bytes: [UInt8]) {
        var size = compressBound(UInt(bytes.count))
        let level: Int32 = 6
        var failed = false
        let packed = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, used in
            failed = compress2(buffer.baseAddress, &size, bytes, UInt(bytes.count), level) != Z_OK
            used = failed ? 0 : Int(size)
        }
        guard !failed, packed.count < bytes.count / 2 else { return nil }
        // The buffer was made for the worst case.
        var exact: [UInt8] = []
        exact.reserveCapacity(packed.count)
        exact.append(contentsOf: packed)
        self.packed = exact
        count = bytes.count
    }

    /// What is kept, in bytes.
    public var packedSize: Int { packed.count }

    /// The bytes as they were.
    public func unpacked() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            var size = UInt(count)
            let isWhole = uncompress(buffer.baseAddress, &size, packed, UInt(packed.count)) == Z_OK
            used = isWhole ? Int(size) : 0
        }
    }
}
