/// A short fingerprint of a document, for entity tags. Not for security.
public enum ContentHash {
    /// FNV-1a over the bytes, 64 bits from each of two offsets.
    public static func hex(_ bytes: [UInt8]) -> String {
        let first = hash(bytes, 0xcbf2_9ce4_8422_2325)
        let second = hash(bytes, 0x8422_2325_cbf2_9ce4)
        return padded(first) + padded(second)
    }

    private static func hash(_ bytes: [UInt8], _ offset: UInt64) -> UInt64 {
        var value = offset
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return value
    }

    private static func padded(_ value: UInt64) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
