/// Strings of up to 15 ASCII bytes, made from two words of the text they stand in. Swift keeps such a string inside the
/// `String` value itself; its own way there costs a hundred instructions, and half of what a tree holds are such strings.
enum ShortText {
    /// Whether this build's strings are laid out as `make` lays them out. The bits of a literal tell, which the compiler knows:
    /// a value made once per process would be asked for at every use.
    @inline(__always)
    static var isSupported: Bool {
        guard MemoryLayout<String>.size == 16, UInt64(1).littleEndian == 1 else { return false }
        let bits = unsafeBitCast("apus", to: (UInt64, UInt64).self)
        return bits.0 == 0x7375_7061 && bits.1 == 0xE4 << 56
    }

    /// Whether `make` and the library agree on strings of every length.
    static var isConfirmed: Bool {
        let sample = Array("abcdefghijklmnop".utf8)
        return (0...maxCount).allSatisfy { count in
            let wanted = String(decoding: sample[..<count], as: UTF8.self)
            return sample.withUnsafeBytes { bytes in
                let (low, high) = (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                // Compared as bits first: a value of another layout must never be used as a string.
                let bits = unsafeBitCast(wanted, to: (UInt64, UInt64).self)
                let made = Self.bits(low, high, count)
                return bits.0 == made.0 && bits.1 == made.1
            }
        }
    }

    /// More does not fit.
    static let maxCount = 15

    /// The first `count` bytes of two words in the order of memory; all of them must be ASCII. Only where `isSupported`.
    @inline(__always)
    static func make(_ low: UInt64, _ high: UInt64, _ count: Int) -> String {
        unsafeBitCast(bits(low, high, count), to: String.self)
    }

    /// The order of the bytes of two strings that both are of this kind; nil where one is not.
    @inline(__always)
    static func compare(_ a: String, _ b: String) -> Int? {
        guard isSupported else { return nil }
        let (x, y) = (unsafeBitCast(a, to: (UInt64, UInt64).self), unsafeBitCast(b, to: (UInt64, UInt64).self))
        guard x.1 >> 60 == 0xE, y.1 >> 60 == 0xE else { return nil }
        if x.0 != y.0 { return x.0.byteSwapped < y.0.byteSwapped ? -1 : 1 }
        if x.1 == y.1 { return 0 }
        let (left, right) = (x.1.byteSwapped >> 8, y.1.byteSwapped >> 8)
        // Only NULs at the end of one make these equal: the lengths stand in the top bytes.
        if left == right { return x.1 < y.1 ? -1 : 1 }
        return left < right ? -1 : 1
    }

    /// Where a text stands among texts of this kind: all of a short one, the first eight bytes of a longer one.
    struct Order {
        let first: UInt64
        /// The other bytes and the length.
        let rest: UInt64
        let isWhole: Bool

        /// Nil where strings are not laid out so.
        @inline(__always)
        init?(_ text: String) {
            guard isSupported else { return nil }
            let bits = unsafeBitCast(text, to: (UInt64, UInt64).self)
            isWhole = bits.1 >> 60 == 0xE
            first = isWhole ? bits.0.byteSwapped : text.sortPrefix
            rest = isWhole ? bits.1.byteSwapped : 0
        }
    }

    /// The order of a string and a text that is looked for; nil where their first bytes do not tell.
    @inline(__always)
    static func compare(_ text: String, _ wanted: Order) -> Int? {
        let bits = unsafeBitCast(text, to: (UInt64, UInt64).self)
        guard bits.1 >> 60 == 0xE else { return nil }
        let first = bits.0.byteSwapped
        if first != wanted.first { return first < wanted.first ? -1 : 1 }
        guard wanted.isWhole else { return nil }
        // Bytes before the length: of equal bytes only NULs at the end of one can be more.
        let rest = bits.1.byteSwapped
        return rest == wanted.rest ? 0 : rest < wanted.rest ? -1 : 1
    }

    /// The bytes of a string of this kind, zeros behind them; nil for any other.
    @inline(__always)
    static func words(_ text: String) -> (low: UInt64, high: UInt64, count: Int)? {
        guard isSupported else { return nil }
        let bits = unsafeBitCast(text, to: (UInt64, UInt64).self)
        guard bits.1 >> 60 == 0xE else { return nil }
        return (bits.0, bits.1 & ((1 << 56) &- 1), Int(bits.1 >> 56) & 0xF)
    }

    @inline(__always)
    private static func bits(_ low: UInt64, _ high: UInt64, _ count: Int) -> (UInt64, UInt64) {
        let tag = UInt64(0xE0 | count) << 56
        if count >= 8 { return (low, (high & ((1 << UInt64(8 * (count - 8))) &- 1)) | tag) }
        return (low & ((1 << UInt64(8 * count)) &- 1), tag)
    }
}

extension [String] {
    /// Where a text stands among texts in the order of their bytes; nil when it is none of them.
    package func position(ofSorted text: String) -> Int? {
        let wanted = ShortText.Order(text)
        return withUnsafeBufferPointer { texts in
            var low = 0
            var high = texts.count
            while low < high {
                let middle = (low &+ high) / 2
                let order = wanted.flatMap { ShortText.compare(texts[middle], $0) } ?? texts[middle].compareBytes(with: text)
                if order == 0 { return middle }
                if order < 0 { low = middle &+ 1 } else { high = middle }
            }
            return nil
        }
    }
}

extension String {
    /// The text of some bytes, as `String(decoding:as:)` has it; short ASCII without its detours.
    package init(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard ShortText.isSupported, bytes.count <= ShortText.maxCount else {
            self = String(decoding: bytes, as: UTF8.self)
            return
        }
        var (low, high): (UInt64, UInt64) = (0, 0)
        var index = bytes.count
        while index > 8 {
            index -= 1
            high = high << 8 | UInt64(bytes[index])
        }
        while index > 0 {
            index -= 1
            low = low << 8 | UInt64(bytes[index])
        }
        self =
            (low | high) & 0x8080_8080_8080_8080 == 0
            ? ShortText.make(low, high, bytes.count) : String(decoding: bytes, as: UTF8.self)
    }
}

/// Finds bytes of interest in eight bytes of text at once. The lowest marked byte is exact; those above may be marked in
/// vain, because a borrow runs upwards.
enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }

    /// Marks quotes, backslashes, control characters and what is not ASCII: where a string scan must stop.
    @inline(__always)
    static func stringStops(_ word: UInt64) -> UInt64 {
        let quotes = zeros(word ^ (ones &* 0x22))
        let slashes = zeros(word ^ (ones &* 0x5C))
        let controls = (word &- (ones &* 0x20)) & ~word
        return (quotes | slashes | controls | word) & tops
    }

    /// Marks what a writer cannot copy as it is: quotes, backslashes, `<`, `>`, `&`, control characters and what is not ASCII.
    @inline(__always)
    static func escapes(_ word: UInt64) -> UInt64 {
        // `"` and `&` differ in one bit, `<` and `>` in another.
        let quotes = zeros((word | (ones &* 0x04)) ^ (ones &* 0x26))
        let angles = zeros((word | (ones &* 0x02)) ^ (ones &* 0x3E))
        let slashes = zeros(word ^ (ones &* 0x5C))
        let controls = (word &- (ones &* 0x20)) & ~word
        return (quotes | angles | slashes | controls | word) & tops
    }

    /// The offset of the lowest marked byte.
    @inline(__always)
    static func first(_ marks: UInt64) -> Int { marks.trailingZeroBitCount >> 3 }

    /// Eight bytes in the order of memory.
    @inline(__always)
    static func word(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }
}
