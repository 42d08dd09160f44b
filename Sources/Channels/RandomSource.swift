import Glibc
import Synchronization

/// Randomness, injected: a seeded source makes a whole simulation repeatable.
public protocol RandomSource: Sendable {
    /// 64 random bits.
    func next() -> UInt64
}

extension RandomSource {
    /// `count` random bytes.
    public func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 7)
        while result.count < count {
            withUnsafeBytes(of: next()) { result += $0 }
        }
        result.removeLast(result.count - count)
        return result
    }

    /// A number in `0..<bound`; `bound` must be positive.
    public func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A name suffix in Kubernetes' alphabet, which has no vowels and no digits alike to letters.
    ///
    /// Source: apimachinery util/rand.
    public func suffix(_ count: Int) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        return String(decoding: (0..<count).map { _ in alphabet[below(alphabet.count)] }, as: UTF8.self)
    }

    /// A random UUID, version 4, in lower case (RFC 9562).
    public func uuid() -> String {
        var raw = bytes(16)
        raw[6] = raw[6] & 0x0f | 0x40
        raw[8] = raw[8] & 0x3f | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in raw.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `duration` lengthened by a random part of at most `factor` times itself.
    public func jitter(_ duration: Duration, by factor: Double) -> Duration {
        duration + duration * (Double(next() >> 11) / Double(1 << 53) * factor)
    }
}

/// The kernel's random numbers (getrandom(2)).
public struct SystemRandom: RandomSource {
    /// The kernel's random numbers.
    public init() {}

    /// 64 bits of the kernel's.
    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// A repeatable source (SplitMix64). Guarded by `state`. Not for secrets.
public final class SeededRandom: RandomSource {
    private let state: Mutex<UInt64>

    /// The source that `seed` determines.
    public init(seed: UInt64) {
        state = Mutex(seed)
    }

    /// The next 64 bits of the sequence.
    public func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
