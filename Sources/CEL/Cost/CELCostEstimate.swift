/// The least and most an evaluation costs, or a value's size is. The greatest number stands for no bound.
public struct CELCostEstimate: Sendable, Hashable {
    /// The least.
    public let min: UInt64
    /// The most.
    public let max: UInt64

    /// A range.
    public init(min: UInt64, max: UInt64) {
        self.min = min
        self.max = max
    }

    init(_ value: UInt64) { self.init(min: value, max: value) }

    static let unknown = CELCostEstimate(min: 0, max: .max)
    static let zero = CELCostEstimate(0)
    static let one = CELCostEstimate(1)

    static func + (a: CELCostEstimate, b: CELCostEstimate) -> CELCostEstimate {
        CELCostEstimate(min: a.min.addedSaturating(b.min), max: a.max.addedSaturating(b.max))
    }

    static func * (a: CELCostEstimate, b: CELCostEstimate) -> CELCostEstimate {
        CELCostEstimate(min: a.min.multipliedSaturating(b.min), max: a.max.multipliedSaturating(b.max))
    }

    func scaled(_ factor: Double) -> CELCostEstimate {
        CELCostEstimate(min: Self.scale(min, factor), max: Self.scale(max, factor))
    }

    private static func scale(_ value: UInt64, _ factor: Double) -> UInt64 {
        let product = (Double(value) * factor).rounded(.up)
        return UInt64(exactly: product) ?? (product > 0 ? .max : 0)
    }

    func union(_ other: CELCostEstimate) -> CELCostEstimate {
        CELCostEstimate(min: Swift.min(min, other.min), max: Swift.max(max, other.max))
    }
}
