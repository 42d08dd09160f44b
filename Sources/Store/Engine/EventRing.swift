import DequeModule

/// The latest changes, in revision order: what a watch that starts a little in the past is given.
///
/// Bounded by count and by the bytes its values keep alive.
package struct EventRing: Sendable {
    private var events: Deque<StoreEvent> = []
    private var weight = 0
    private let capacity: Int
    private let maximumWeight: Int
    /// All changes after this revision are here.
    package private(set) var floor: Revision

    package init(capacity: Int, maximumWeight: Int, floor: Revision) {
        self.capacity = capacity
        self.maximumWeight = maximumWeight
        self.floor = floor
    }

    package mutating func append(_ event: StoreEvent) {
        events.append(event)
        weight += event.weight
        while events.count > capacity || (weight > maximumWeight && events.count > 1) { dropFirst() }
    }

    /// Forgets changes up to and including a revision.
    package mutating func drop(through revision: Revision) {
        while let first = events.first, first.revision <= revision { dropFirst() }
        floor = max(floor, revision)
    }

    /// The changes after a revision that is not below `floor`.
    package func after(_ revision: Revision) -> some Sequence<StoreEvent> {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return events[low...]
    }

    private mutating func dropFirst() {
        guard let first = events.popFirst() else { return }
        weight -= first.weight
        floor = first.revision
    }
}
