/// Something kept in key order.
package protocol KeyedEntry: Sendable {
    /// What it is ordered and found by.
    var key: String { get }
}

extension StoredEntry: KeyedEntry {}

/// An ordered map in chunks, copied on write: a copy is O(1), and a write after it copies one chunk and the spine.
///
/// So a list of 10,000 objects neither copies them nor holds a lock while it is written out.
package struct SortedEntries<Element: KeyedEntry>: Sendable {
    /// Chunks are split above this and merged with a neighbour below a quarter of it.
    private static var capacity: Int { 128 }

    // Invariant: no chunk is empty; keys strictly ascend within and across chunks.
    private var chunks: [[Element]] = []
    /// How many entries there are.
    package private(set) var count = 0

    package init() {}

    /// Builds from entries that are in strictly ascending key order.
    package init(sorted entries: [Element]) {
        let step = Self.capacity * 3 / 4
        chunks.reserveCapacity(entries.count / step + 1)
        var start = 0
        while start < entries.count {
            let end = min(start + step, entries.count)
            chunks.append(Array(entries[start..<end]))
            start = end
        }
        count = entries.count
    }

    package subscript(key: String) -> Element? {
        let place = lowerBound(key)
        guard place.chunk < chunks.count else { return nil }
        let candidate = chunks[place.chunk][place.index]
        return KeyOrder.compare(candidate.key, key) == 0 ? candidate : nil
    }

    /// Puts the entry at its key and returns what was there.
    @discardableResult
    package mutating func insert(_ entry: Element) -> Element? {
        guard !chunks.isEmpty else {
            chunks.append([entry])
            count = 1
            return nil
        }
        let place = lowerBound(entry.key)
        if place.chunk < chunks.count {
            let present = chunks[place.chunk][place.index]
            if KeyOrder.compare(present.key, entry.key) == 0 {
                chunks[place.chunk][place.index] = entry
                return present
            }
        }
        // A key that sorts before a chunk's first entry goes to the end of the chunk before it.
        let chunk = place.index == 0 && place.chunk > 0 ? place.chunk - 1 : place.chunk
        let index = chunk == place.chunk ? place.index : chunks[chunk].count
        chunks[chunk].insert(entry, at: index)
        count += 1
        if chunks[chunk].count > Self.capacity { split(chunk, appendedAt: index) }
        return nil
    }

    /// Removes the entry of a key and returns it.
    @discardableResult
    package mutating func remove(_ key: String) -> Element? {
        let place = lowerBound(key)
        guard place.chunk < chunks.count, KeyOrder.compare(chunks[place.chunk][place.index].key, key) == 0 else {
            return nil
        }
        let removed = chunks[place.chunk].remove(at: place.index)
        count -= 1
        mergeIfSmall(place.chunk)
        return removed
    }

    // MARK: Positions

    /// A place in the order: of an entry, or past the end.
    package struct Position: Sendable, Comparable {
        var chunk: Int
        var index: Int

        package static func < (left: Position, right: Position) -> Bool {
            left.chunk == right.chunk ? left.index < right.index : left.chunk < right.chunk
        }
    }

    package var start: Position { Position(chunk: 0, index: 0) }
    package var end: Position { Position(chunk: chunks.count, index: 0) }

    package subscript(position: Position) -> Element { chunks[position.chunk][position.index] }

    package func position(after position: Position) -> Position {
        let index = position.index + 1
        return index < chunks[position.chunk].count
            ? Position(chunk: position.chunk, index: index)
            : Position(chunk: position.chunk + 1, index: 0)
    }

    /// The first entry whose key is not less than `key`.
    package func lowerBound(_ key: String) -> Position {
        partition { KeyOrder.compare($0, key) < 0 }
    }

    /// The first entry whose key is greater than `key`.
    package func upperBound(_ key: String) -> Position {
        partition { KeyOrder.compare($0, key) <= 0 }
    }

    /// Where the entries under a prefix begin and end.
    package func range(prefix: String) -> Range<Position> {
        let lower = lowerBound(prefix)
        let upper = prefix.isEmpty ? end : partition { KeyOrder.compare($0, prefix) < 0 || KeyOrder.hasPrefix($0, prefix) }
        return lower..<upper
    }

    /// How many entries stand in the range.
    package func distance(_ range: Range<Position>) -> Int {
        let (from, to) = (range.lowerBound, range.upperBound)
        guard from.chunk < to.chunk else { return to.index - from.index }
        var total = chunks[from.chunk].count - from.index + to.index
        for chunk in chunks[(from.chunk + 1)..<to.chunk] { total += chunk.count }
        return total
    }

    /// Up to `limit` entries (all when 0) under the prefix and after a key, and whether more follow.
    package func page(prefix: String, after: String?, limit: Int) -> (entries: [Element], more: Bool) {
        let range = range(prefix: prefix)
        var position = range.lowerBound
        if let after { position = max(position, upperBound(after)) }
        guard position < range.upperBound else { return ([], false) }
        let available = distance(position..<range.upperBound)
        let wanted = limit > 0 ? min(limit, available) : available
        var entries: [Element] = []
        entries.reserveCapacity(wanted)
        while entries.count < wanted {
            let chunk = chunks[position.chunk]
            let taken = min(chunk.count - position.index, wanted - entries.count)
            entries.append(contentsOf: chunk[position.index..<(position.index + taken)])
            position = Position(chunk: position.chunk + 1, index: 0)
        }
        return (entries, wanted < available)
    }

    // MARK: Inside

    /// The first position whose key does not satisfy a predicate that holds for a prefix of the order.
    private func partition(_ isBefore: (String) -> Bool) -> Position {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            let chunk = chunks[middle]
            if isBefore(chunk[chunk.count - 1].key) { low = middle + 1 } else { high = middle }
        }
        guard low < chunks.count else { return end }
        let chunk = chunks[low]
        var first = 0
        var last = chunk.count
        while first < last {
            let middle = (first + last) / 2
            if isBefore(chunk[middle].key) { first = middle + 1 } else { last = middle }
        }
        return Position(chunk: low, index: first)
    }

    /// Halves a chunk; one that grows at its very end (keys in ascending order) is left nearly full instead.
    private mutating func split(_ chunk: Int, appendedAt index: Int) {
        let whole = chunks[chunk]
        let atEnd = chunk == chunks.count - 1 && index == whole.count - 1
        let cut = atEnd ? whole.count - 1 : whole.count / 2
        chunks[chunk] = Array(whole[..<cut])
        chunks.insert(Array(whole[cut...]), at: chunk + 1)
    }

    private mutating func mergeIfSmall(_ chunk: Int) {
        let size = chunks[chunk].count
        if size == 0 {
            chunks.remove(at: chunk)
            return
        }
        guard size < Self.capacity / 4, chunks.count > 1 else { return }
        let left = chunk > 0 ? chunk - 1 : chunk
        guard chunks[left].count + chunks[left + 1].count <= Self.capacity * 3 / 4 else { return }
        let tail = chunks.remove(at: left + 1)
        chunks[left].append(contentsOf: tail)
    }
}
