/// A uid in 16 bytes: the graph holds one per object and several per relation.
public struct ObjectUID: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Packs the hexadecimal digits of a UUID; any other text is hashed, which for 128 bits is as good as unique.
    public init(_ text: String) {
        if let packed = Self.parse(text) {
            (high, low) = packed
            return
        }
        var first: UInt64 = 0xcbf2_9ce4_8422_2325
        var second: UInt64 = 0x9ae1_6a3b_2f90_404f
        for byte in text.utf8 {
            first = (first ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            second = (second &+ UInt64(byte)) &* 0xff51_afd7_ed55_8ccd
            second ^= second >> 29
        }
        (high, low) = (first, second)
    }

    private static func parse(_ text: String) -> (UInt64, UInt64)? {
        guard text.utf8.count == 36 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for byte in text.utf8 {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x61 + 10
            case 0x2d: continue
            default: return nil
            }
            if digits < 16 {
                halves.0 = halves.0 << 4 | UInt64(digit)
            } else {
                halves.1 = halves.1 << 4 | UInt64(digit)
            }
            digits += 1
        }
        return digits == 32 ? halves : nil
    }
}
