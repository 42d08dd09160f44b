/// Completion indices as intervals, the way a job's status lists them (`1,3-5,7`).
public struct CompletionIndices: Sendable, Hashable, CustomStringConvertible {
    private(set) var intervals: [ClosedRange<Int>] = []

    /// No index.
    public init() {}

    /// Any indices, in any order.
    public init(_ indices: some Sequence<Int>) {
        for index in Set(indices).sorted() {
            if let last = intervals.last, last.upperBound + 1 == index {
                intervals[intervals.count - 1] = last.lowerBound...index
            } else {
                intervals.append(index...index)
            }
        }
    }

    /// Reads the text of a status; parts that are malformed or not below `limit` are left out.
    public init(_ text: String, limit: Int) {
        var all: [ClosedRange<Int>] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", maxSplits: 1).map { Int($0) }
            guard let first = ends.first.flatMap({ $0 }), let last = ends.last.flatMap({ $0 }), first >= 0, first <= last,
                first < limit
            else { continue }
            all.append(first...min(last, limit - 1))
        }
        for range in all.sorted(by: { $0.lowerBound < $1.lowerBound }) { append(range) }
    }

    private mutating func append(_ range: ClosedRange<Int>) {
        if let last = intervals.last, range.lowerBound <= last.upperBound + 1 {
            intervals[intervals.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            intervals.append(range)
        }
    }

    /// How many there are.
    public var count: Int { intervals.reduce(0) { $0 + $1.count } }

    /// Whether an index is among them.
    public func contains(_ index: Int) -> Bool {
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].contains(index) { return true }
            if intervals[middle].upperBound < index {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return false
    }

    /// With more indices.
    public func union(_ more: some Sequence<Int>) -> CompletionIndices {
        var result = CompletionIndices()
        let all = intervals + CompletionIndices(more).intervals
        for range in all.sorted(by: { $0.lowerBound < $1.lowerBound }) { result.append(range) }
        return result
    }

    /// How many of these are among the others.
    public func overlap(_ other: CompletionIndices) -> Int {
        intervals.reduce(0) { sum, range in
            sum + other.intervals.reduce(0) { $0 + (range.overlaps($1) ? range.clamped(to: $1).count : 0) }
        }
    }

    /// The text of a status: two neighbours are listed one by one.
    public var description: String {
        intervals.map { range in
            switch range.count {
            case 1: "\(range.lowerBound)"
            case 2: "\(range.lowerBound),\(range.upperBound)"
            default: "\(range.lowerBound)-\(range.upperBound)"
            }
        }.joined(separator: ",")
    }
}
