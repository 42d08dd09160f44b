import Values

/// What discovery shows to tell when the version stored changes: the first bytes of a SHA-256 of group, version and kind.
///
/// Source: apiserver endpoints/discovery.StorageVersionHash. Not for security.
enum StorageVersionHash {
    private static let length = 8

    static func of(group: String, version: String, kind: String) -> String {
        Base64.encode(Array(digest(Array("\(group)/\(version)/\(kind)".utf8)).prefix(length)))
    }

    /// SHA-256 (FIPS 180-4).
    static func digest(_ message: [UInt8]) -> [UInt8] {
        var bytes = message
        bytes.append(0x80)
        while bytes.count % 64 != 56 { bytes.append(0) }
        let bits = UInt64(message.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift))) }
        var state = initial
        for start in stride(from: 0, to: bytes.count, by: 64) { compress(&state, bytes[start..<(start + 64)]) }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - $0 * 8)) } }
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value >> count | value << (32 - count) }

    private static func compress(_ state: inout [UInt32], _ block: ArraySlice<UInt8>) {
        var words = [UInt32](repeating: 0, count: 64)
        for index in 0..<16 {
            let start = block.startIndex + index * 4
            words[index] = (0..<4).reduce(0) { $0 << 8 | UInt32(block[start + $1]) }
        }
        for index in 16..<64 {
            let a = words[index - 15]
            let b = words[index - 2]
            let s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)
            let s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10)
            words[index] = words[index - 16] &+ s0 &+ words[index - 7] &+ s1
        }
        var v = state
        for index in 0..<64 {
            let s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)
            let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
            let t1 = v[7] &+ s1 &+ choice &+ constants[index] &+ words[index]
            let s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
            v = [t1 &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ v[index] }
    }

    private static let primes: [Int] = (2...311).filter { number in
        !(2..<number).contains { $0 * $0 <= number && number % $0 == 0 }
    }
    /// The fractions of the square roots of the first eight primes.
    private static let initial: [UInt32] = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
    /// The fractions of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = primes.prefix(64).map { fraction(cubeRoot(Double($0))) }

    private static func fraction(_ value: Double) -> UInt32 {
        UInt32((value - value.rounded(.down)) * 4_294_967_296)
    }

    /// By Newton's method, to the last bit that matters here.
    private static func cubeRoot(_ value: Double) -> Double {
        var root = value / 3
        for _ in 0..<80 { root -= (root * root * root - value) / (3 * root * root) }
        return root
    }
}
