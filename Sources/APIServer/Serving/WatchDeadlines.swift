import Channels
import Store
import Synchronization

/// Ends watches when their time is over. One task looks at all of them once a second; guarded by its mutex.
final class WatchDeadlines: Sendable {
    private struct Entry {
        let watch: CacheWatch
        let end: Duration
        /// What a last bookmark comes from; nil when none is wanted, when the watch is too short for one, and once it is asked for.
        var bookmarks: ResourceCache?
    }

    /// So long before its end a watch learns how far it has come: its client goes on from there.
    private static let farewell = Duration.seconds(2)

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Registers a watch that may last `seconds`, and gets a bookmark from `bookmarks` shortly before its end.
    func add(_ watch: CacheWatch, bookmarks: ResourceCache?, seconds: Int, clock: any ClusterClock) -> UInt64 {
        let end = clock.monotonic + .seconds(seconds)
        let bookmarks = Self.farewell <= .seconds(seconds) ? bookmarks : nil
        return state.withLock { state in
            state.next += 1
            state.entries[state.next] = Entry(watch: watch, end: end, bookmarks: bookmarks)
            return state.next
        }
    }

    /// Forgets a watch.
    func remove(_ ticket: UInt64) {
        // The entry is released outside the lock: it may be the watch's last reference.
        let entry = state.withLock { $0.entries.removeValue(forKey: ticket) }
        _ = consume entry
    }

    /// Ends the watches whose time is over, and asks for the last bookmarks of those whose time soon is.
    func expire(now: Duration) {
        var due: [CacheWatch] = []
        var parting: [Entry] = []
        state.withLock { state in
            for (ticket, entry) in state.entries where entry.end <= now + Self.farewell {
                if entry.end <= now {
                    due.append(entry.watch)
                } else if entry.bookmarks != nil {
                    state.entries[ticket]?.bookmarks = nil
                    parting.append(entry)
                }
            }
        }
        for watch in due { watch.cancel() }
        for (_, entries) in Dictionary(grouping: parting, by: { $0.bookmarks.map(ObjectIdentifier.init) }) {
            entries.first?.bookmarks?.requestBookmarks(for: entries.map(\.watch))
        }
    }

    /// Ends all watches.
    func endAll() {
        let all = state.withLock { $0.entries.values.map(\.watch) }
        for watch in all { watch.cancel() }
    }
}
