/// How the server's seats are divided among priority levels (KEP-1040). Pure.
public struct SeatAllocation: Sendable {
    /// What one level may have and what it wants.
    public struct Share: Sendable {
        /// What it never lends.
        public var kept: Double
        /// The least seats it has now: what it keeps, and of its own what it used since the last time.
        public var minimum: Double
        /// The most it may have.
        public var maximum: Double
        /// What it would like; no less than `minimum`.
        public var target: Double

        init(kept: Double, minimum: Double, maximum: Double, target: Double) {
            (self.kept, self.minimum, self.maximum, self.target) = (kept, minimum, maximum, target)
        }
    }

    /// The seats every level has by its shares: `total` divided, rounded up.
    public static func nominal(_ shares: [Int], total: Int) -> [Int] {
        let sum = shares.reduce(0, +)
        guard sum > 0 else { return shares.map { _ in 0 } }
        return shares.map { share in (total * share + sum - 1) / sum }
    }

    /// The seats of each level: its fair part of `total`, or less where the minima alone are more than there is.
    public static func limits(_ total: Int, among shares: [Share]) -> [Int] {
        let kept = shares.reduce(0) { $0 + $1.kept }
        let least = shares.reduce(0) { $0 + $1.minimum }
        let total = Double(total)
        if total <= kept { return shares.map { Int($0.kept) } }
        if total <= least {
            let part = (total - kept) / (least - kept)
            return shares.map { Int($0.kept) + Int((($0.minimum - $0.kept) * part).rounded()) }
        }
        return divide(total, among: shares).map { Int($0.rounded()) }
    }

    /// Divides `total` so that every level has the same fraction of its target, within its bounds.
    static func divide(_ total: Double, among shares: [Share]) -> [Double] {
        func part(_ share: Share, _ fraction: Double) -> Double {
            min(max(fraction * max(share.target, leastTarget), share.minimum), share.maximum)
        }
        func sum(_ fraction: Double) -> Double { shares.reduce(0) { $0 + part($1, fraction) } }
        var low = 0.0
        var high = 1.0
        // The sum rises with the fraction: find a bound, then halve.
        while sum(high) < total, high < mostFraction { high *= 2 }
        for _ in 0..<halvings {
            let middle = (low + high) / 2
            if sum(middle) < total { low = middle } else { high = middle }
        }
        return shares.map { part($0, high) }
    }

    /// Who wants nothing gets something when all others have what they may have.
    private static let leastTarget = 0.001
    private static let mostFraction = 1e9
    private static let halvings = 60
}
