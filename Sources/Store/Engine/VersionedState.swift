/// What a store holds in memory: the newest value of every key, the latest changes and who watches.
///
/// A plain value; the owning store keeps it behind its lock. All reads of current values are answered from here.
package struct VersionedState: Sendable {
    /// How much history is kept in memory.
    package struct Limits: Sendable {
        package var recentEvents: Int
        package var recentBytes: Int

        package init(recentEvents: Int, recentBytes: Int) {
            self.recentEvents = recentEvents
            self.recentBytes = recentBytes
        }
    }

    package private(set) var entries: SortedEntries<StoredEntry>
    package private(set) var revision: Revision
    /// History up to and including this revision is forgotten; it can still be shown as a state.
    package private(set) var compacted: Revision
    package private(set) var recent: EventRing
    package var watches = WatchRegistry()
    package private(set) var isClosed = false
    package private(set) var valueBytes: Int64 = 0

    package init(entries: SortedEntries<StoredEntry>, revision: Revision, compacted: Revision, limits: Limits) {
        self.entries = entries
        self.revision = revision
        self.compacted = compacted
        recent = EventRing(capacity: limits.recentEvents, maximumWeight: limits.recentBytes, floor: revision)
        var position = entries.start
        while position < entries.end {
            valueBytes += Int64(entries[position].value.count)
            position = entries.position(after: position)
        }
    }

    // MARK: Reads

    package func open() throws(StoreError) {
        if isClosed { throw .closed }
    }

    /// Refuses revisions that are not there yet or no more.
    package func check(_ revision: Revision) throws(StoreError) {
        if revision > self.revision { throw .futureRevision(revision, current: self.revision) }
        if revision < compacted { throw .compacted(revision, oldest: compacted) }
    }

    // MARK: Writes

    /// Takes committed changes over and returns the watchers to wake once the lock is released.
    package mutating func apply(_ events: [StoreEvent]) -> [UnsafeContinuation<Void, Never>] {
        for event in events {
            switch event {
            case .put(let entry, let previous):
                entries.insert(entry)
                valueBytes += Int64(entry.value.count - (previous?.value.count ?? 0))
            case .deleted(let key, let previous, _):
                entries.remove(key)
                valueBytes -= Int64(previous.value.count)
            }
            recent.append(event)
        }
        guard let last = events.last else { return [] }
        revision = last.revision
        return watches.publish(events)
    }

    /// Forgets history; the caller has checked that `revision` exists.
    package mutating func compact(to revision: Revision) {
        compacted = max(compacted, revision)
        recent.drop(through: compacted)
    }

    package mutating func close() -> [WatchBuffer] {
        isClosed = true
        return watches.removeAll()
    }

    // MARK: Watches

    /// Joins the live stream when memory still has everything after `revision`.
    package mutating func attach(_ buffer: WatchBuffer, after revision: Revision) throws(StoreError) -> Bool {
        try open()
        try check(revision)
        // Nothing happened before the initial revision.
        let revision = max(revision, .initial)
        guard revision >= recent.floor else { return false }
        let missed = recent.after(revision).filter { KeyOrder.hasPrefix($0.key, buffer.prefix) }
        buffer.goLive(with: missed, at: self.revision)
        watches.add(buffer)
        return true
    }

    /// The entries as they were before `undone`, the changes after some revision in order.
    package static func rewind(
        _ entries: SortedEntries<StoredEntry>,
        undoing undone: some Sequence<StoreEvent>,
        prefix: String
    ) -> SortedEntries<StoredEntry> {
        var past = entries
        var seen: Set<String> = []
        for event in undone where KeyOrder.hasPrefix(event.key, prefix) && seen.insert(event.key).inserted {
            if let previous = event.previous { past.insert(previous) } else { past.remove(event.key) }
        }
        return past
    }
}

/// A write as it was asked for.
package enum WriteIntent: Sendable {
    case put([UInt8])
    case delete

    /// What the write does to a key that now holds `current`: a change, nothing, or a conflict.
    package func decide(
        key: String,
        current: StoredEntry?,
        if precondition: Precondition,
        next: Revision
    ) throws(StoreError) -> StoreEvent? {
        switch (precondition, current) {
        case (.none, _), (.absent, nil): break
        case (.revision(let wanted), let entry?) where entry.revision == wanted: break
        default: throw .conflict(key: key, wanted: precondition, current: current)
        }
        switch self {
        case .put(let value):
            let created = current?.createRevision ?? next
            let entry = StoredEntry(key: current?.key ?? key, value: value, revision: next, createRevision: created)
            return .put(entry, previous: current)
        case .delete:
            return current.map { .deleted(key: $0.key, previous: $0, at: next) }
        }
    }
}
