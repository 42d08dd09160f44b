import DequeModule

/// The latest changes of a resource, for watches that start a little in the past. Bounded by count and bytes.
struct CacheHistory {
    private var changes: Deque<CacheChange> = []
    private var weight = 0
    private let capacity: Int
    private let maximumWeight: Int
    /// All changes after this revision are here.
    private(set) var floor: Revision

    init(capacity: Int, maximumWeight: Int, floor: Revision) {
        self.capacity = capacity
        self.maximumWeight = maximumWeight
        self.floor = floor
    }

    mutating func append(_ change: CacheChange) {
        changes.append(change)
        weight += change.weight
        while changes.count > capacity || (weight > maximumWeight && changes.count > 1) {
            guard let first = changes.popFirst() else { return }
            weight -= first.weight
            floor = first.revision
        }
    }

    /// The changes after a revision not below `floor`.
    func after(_ revision: Revision) -> [CacheChange] {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return Array(changes[low...])
    }
}
