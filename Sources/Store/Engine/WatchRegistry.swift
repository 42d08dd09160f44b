/// Which live watches a change concerns. Guarded by its store's lock.
///
/// Finding them costs one binary search over the distinct prefixes, however many watches there are.
package struct WatchRegistry: Sendable {
    private struct Group: Sendable {
        let prefix: String
        /// The longest other prefix that this one begins with.
        var parent: Int?
        var buffers: [WatchBuffer]
    }

    // Ordered by prefix.
    private var groups: [Group] = []

    package init() {}

    package mutating func add(_ buffer: WatchBuffer) {
        let index = firstIndex(notBelow: buffer.prefix)
        if index < groups.count, groups[index].prefix == buffer.prefix {
            groups[index].buffers.append(buffer)
        } else {
            groups.insert(Group(prefix: buffer.prefix, parent: nil, buffers: [buffer]), at: index)
            link()
        }
    }

    package mutating func remove(_ buffer: WatchBuffer) {
        let index = firstIndex(notBelow: buffer.prefix)
        guard index < groups.count, groups[index].prefix == buffer.prefix else { return }
        groups[index].buffers.removeAll { $0 === buffer }
        guard groups[index].buffers.isEmpty else { return }
        groups.remove(at: index)
        link()
    }

    /// All watches, forgetting them.
    package mutating func removeAll() -> [WatchBuffer] {
        let all = groups.flatMap(\.buffers)
        groups = []
        return all
    }

    /// Hands the changes to the watches they concern and returns the owners to wake, each once.
    package func publish(_ events: [StoreEvent]) -> [UnsafeContinuation<Void, Never>] {
        guard !groups.isEmpty else { return [] }
        var touched: Set<Int> = []
        for event in events {
            var candidate = lastIndex(notAbove: event.key)
            while let index = candidate {
                if KeyOrder.hasPrefix(event.key, groups[index].prefix) {
                    touched.insert(index)
                    for buffer in groups[index].buffers { buffer.append(event) }
                }
                candidate = groups[index].parent
            }
        }
        var waiters: [UnsafeContinuation<Void, Never>] = []
        for index in touched {
            for buffer in groups[index].buffers {
                if let waiter = buffer.takeWaiter() { waiters.append(waiter) }
            }
        }
        return waiters
    }

    private func firstIndex(notBelow key: String) -> Int {
        var low = 0
        var high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if KeyOrder.compare(groups[middle].prefix, key) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func lastIndex(notAbove key: String) -> Int? {
        var low = 0
        var high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if KeyOrder.compare(groups[middle].prefix, key) <= 0 { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }

    /// Every registered prefix of a key is the key's predecessor in the order or one of that one's ancestors:
    /// whatever sorts between a prefix of the key and the key begins with that prefix too.
    private mutating func link() {
        for index in groups.indices {
            var candidate = index > 0 ? index - 1 : nil
            while let other = candidate, !KeyOrder.hasPrefix(groups[index].prefix, groups[other].prefix) {
                candidate = groups[other].parent
            }
            groups[index].parent = candidate
        }
    }
}
