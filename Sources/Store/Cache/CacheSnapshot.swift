/// The objects of a resource, or of one namespace, at one revision, in key order.
///
/// Taking one costs nothing and later writes do not disturb it. A sequence, so that a list can be written out piece by
/// piece with no lock held.
public struct CacheSnapshot: Sendable, Sequence {
    let entries: SortedEntries<CachedObject>
    let range: Range<SortedEntries<CachedObject>.Position>
    /// What `metadata.resourceVersion` of the list is.
    public let revision: Revision

    /// How many objects there are.
    public var count: Int { entries.distance(range) }

    /// How many objects there are.
    public var underestimatedCount: Int { count }

    /// The objects after a key (from the start when nil).
    public func after(_ key: String?) -> CacheSnapshot {
        guard let key else { return self }
        let start = Swift.min(Swift.max(range.lowerBound, entries.upperBound(key)), range.upperBound)
        return CacheSnapshot(entries: entries, range: start..<range.upperBound, revision: revision)
    }

    /// The object of a key, if it is in here.
    public func object(_ key: String) -> CachedObject? {
        let place = entries.lowerBound(key)
        guard range.contains(place) else { return nil }
        let candidate = entries[place]
        return KeyOrder.compare(candidate.key, key) == 0 ? candidate : nil
    }

    /// Walks the objects in key order.
    public func makeIterator() -> Iterator {
        Iterator(snapshot: self, position: range.lowerBound)
    }

    /// Walks the objects in key order.
    public struct Iterator: IteratorProtocol, Sendable {
        let snapshot: CacheSnapshot
        var position: SortedEntries<CachedObject>.Position

        /// The next element; nil at the end.
        public mutating func next() -> CachedObject? {
            guard position < snapshot.range.upperBound else { return nil }
            defer { position = snapshot.entries.position(after: position) }
            return snapshot.entries[position]
        }
    }
}
