/// A binary heap of queued pods that also finds and removes them by uid.
struct PodHeap: Sendable {
    private var items: [QueuedPod] = []
    private var places: [String: Int] = [:]
    private let isBefore: @Sendable (QueuedPod, QueuedPod) -> Bool

    init(_ isBefore: @escaping @Sendable (QueuedPod, QueuedPod) -> Bool) {
        self.isBefore = isBefore
    }

    var count: Int { items.count }
    var first: QueuedPod? { items.first }

    func contains(_ uid: String) -> Bool { places[uid] != nil }

    subscript(uid: String) -> QueuedPod? { places[uid].map { items[$0] } }

    mutating func insert(_ pod: QueuedPod) {
        remove(pod.pod.uid)
        places[pod.pod.uid] = items.count
        items.append(pod)
        rise(items.count - 1)
    }

    mutating func popFirst() -> QueuedPod? {
        items.first.flatMap { remove($0.pod.uid) }
    }

    @discardableResult
    mutating func remove(_ uid: String) -> QueuedPod? {
        guard let place = places.removeValue(forKey: uid) else { return nil }
        let removed = items[place]
        let last = items.removeLast()
        guard place < items.count else { return removed }
        items[place] = last
        places[last.pod.uid] = place
        rise(place)
        sink(places[last.pod.uid] ?? place)
        return removed
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard isBefore(items[place], items[parent]) else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < items.count && isBefore(items[child], items[least]) {
                least = child
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        items.swapAt(one, other)
        places[items[one].pod.uid] = one
        places[items[other].pod.uid] = other
    }
}
