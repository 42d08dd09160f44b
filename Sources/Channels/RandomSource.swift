import CSyscalls
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
        let alphabet: StaticString = "bcdfghjklmnpqrstvwxz2456789"
        var letters: [UInt8] = []
        letters.reserveCapacity(count)
        var fraction: UInt64 = 0
        for index in 0..<count {
            // 64 bits are a fraction with far more than eight digits to the base 27.
            if index % 8 == 0 { fraction = next() }
            let (digit, rest) = fraction.multipliedFullWidth(by: UInt64(alphabet.utf8CodeUnitCount))
            letters.append(alphabet.utf8Start[Int(digit)])
            fraction = rest
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// A random UUID, version 4, in lower case (RFC 9562).
    public func uuid() -> String {
        // The digits of each half, first digit first.
        let halves = (next().byteSwapped & ~0xf000 | 0x4000, next().byteSwapped & ~(0xc0 << 56) | 0x80 << 56)
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let half = index < 16 ? halves.0 : halves.1
                text[place] = digits.utf8Start[Int(half >> UInt64(60 - index % 16 * 4) & 15)]
                place += 1
            }
            return place
        }
    }

    /// `duration` lengthened by a random part of at most `factor` times itself.
    public func jitter(_ duration: Duration, by factor: Double) -> Duration {
        duration + duration * (Double(next() >> 11) / Double(1 << 53) * factor)
    }
}

/// The kernel's random numbers (getrandom(2)), taken some at a time: a call of the kernel costs more than what it yields.
/// Guarded by `state`.
public final class SystemRandom: RandomSource {
    private struct State {
        /// Numbers that nobody has been given.
        var unused: [UInt64] = []
    }

    /// What the kernel always yields whole (256 bytes).
    private static let batch = 32
    private let state = Mutex(State())

    /// The kernel's random numbers.
    public init() {}

    /// 64 bits of the kernel's, given to nobody else.
    public func next() -> UInt64 {
        state.withLock { state in
            if let number = state.unused.popLast() { return number }
            var generator = SystemRandomNumberGenerator()
            state.unused.reserveCapacity(Self.batch)
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.batch) { room in
                let bytes = UnsafeMutableRawBufferPointer(room)
                let isFilled = getrandom(bytes.baseAddress, bytes.count, 0) == bytes.count
                for index in room.indices { state.unused.append(isFilled ? room[index] : generator.next()) }
            }
            return state.unused.popLast() ?? generator.next()
        }
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
