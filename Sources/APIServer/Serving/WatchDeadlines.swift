import Channels
import Store
import Synchronization

/// Ends watches when their time is over, and knows how many of a kind there are. One task looks at all of them once a
/// second; guarded by its mutex.
final class WatchDeadlines: Sendable {
    private struct Entry {
        let watch: CacheWatch
        let end: Duration
        let cache: ResourceCache
        /// Whether a last bookmark is still to come.
        var wantsBookmark: Bool

        var kind: Kind { Kind(cache: ObjectIdentifier(cache), scope: watch.scope) }
    }

    /// Watches that see the same objects, selectors aside.
    private struct Kind: Hashable {
        let cache: ObjectIdentifier
        let scope: WatchScope
    }

    /// So long before its end a watch learns how far it has come: its client goes on from there.
    private static let farewell = Duration.seconds(2)

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var counts: [Kind: Int] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Registers a watch of `cache` that may last `seconds`, and may get a bookmark shortly before its end.
    func add(_ watch: CacheWatch, of cache: ResourceCache, bookmark: Bool, seconds: Int, clock: any ClusterClock) -> UInt64 {
        let end = clock.monotonic + .seconds(seconds)
        let wantsBookmark = bookmark && Self.farewell < .seconds(seconds)
        let entry = Entry(watch: watch, end: end, cache: cache, wantsBookmark: wantsBookmark)
        return state.withLock { state in
            state.next += 1
            state.entries[state.next] = entry
            state.counts[entry.kind, default: 0] += 1
            return state.next
        }
    }

    /// Forgets a watch.
    func remove(_ ticket: UInt64) {
        // The entry is released outside the lock: it may be the watch's last reference.
        let entry = state.withLock { state in
            let entry = state.entries.removeValue(forKey: ticket)
            if let kind = entry?.kind {
                let left = (state.counts[kind] ?? 1) - 1
                state.counts[kind] = left > 0 ? left : nil
            }
            return entry
        }
        _ = consume entry
    }

    /// How many watches are told of a write to an object, or to any of a namespace when it has no name yet. As upstream,
    /// those of one field's value are not counted.
    func watchers(of cache: ResourceCache, namespace: String, name: String) -> Int {
        let cache = ObjectIdentifier(cache)
        return state.withLock { state in
            guard !state.counts.isEmpty else { return 0 }
            func count(_ scope: WatchScope) -> Int { state.counts[Kind(cache: cache, scope: scope)] ?? 0 }
            var total = count(.all)
            if !namespace.isEmpty { total += count(.namespace(namespace)) }
            if !name.isEmpty { total += count(.object(namespace: namespace, name: name)) }
            return total
        }
    }

    /// Ends the watches whose time is over, and asks for the last bookmarks of those whose time soon is.
    func expire(now: Duration) {
        var due: [CacheWatch] = []
        var parting: [Entry] = []
        state.withLock { state in
            for (ticket, entry) in state.entries where entry.end <= now + Self.farewell {
                if entry.end <= now {
                    due.append(entry.watch)
                } else if entry.wantsBookmark {
                    state.entries[ticket]?.wantsBookmark = false
                    parting.append(entry)
                }
            }
        }
        for watch in due { watch.cancel() }
        for entries in Dictionary(grouping: parting, by: { ObjectIdentifier($0.cache) }).values {
            entries.first?.cache.requestBookmarks(for: entries.map(\.watch))
        }
    }

    /// Ends all watches.
    func endAll() {
        let all = state.withLock { $0.entries.values.map(\.watch) }
        for watch in all { watch.cancel() }
    }
}
