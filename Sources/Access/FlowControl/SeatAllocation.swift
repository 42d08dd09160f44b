/// How the server's seats are divided among priority levels. Pure.
public struct SeatAllocation: Sendable {
    /// What one level may have and what it wants.
    public struct Share: Sendable {
        /// The least seats it keeps.
        public var minimum: Double
        /// The most it may have.
        public var maximum: Double
        /// What it would like.
        public var target: Double
    }

    /// The seats every level has by its shares: `total` divided, rounded up.
    public static func nominal(_ shares: [Int], total: Int) -> [Int] {
        let sum = shares.reduce(0, +)
        guard sum > 0 else { return shares.map { _ in 0 } }
        return shares.map { share in (total * share + sum - 1) / sum }
    }

    /// Divides `total` so that every level has the same fraction of its target, within its bounds.
    public static func divide(_ total: Double, among shares: [Share]) -> [Double] {
        func sum(_ fraction: Double) -> Double {
            shares.reduce(0) { $0 + min(max(fraction * $1.target, $1.minimum), $1.maximum) }
        }
        var low = 0.0
        var high = 1.0
        // The sum rises with the fraction: find a bound, then halve.
        while sum(high) < total, high < 1e9 { high *= 2 }
        for _ in 0..<Self.halvings {
            let middle = (low + high) / 2
            if sum(middle) < total { low = middle } else { high = middle }
        }
        return shares.map { min(max(high * $0.target, $0.minimum), $0.maximum) }
    }

    private static let halvings = 60
}
