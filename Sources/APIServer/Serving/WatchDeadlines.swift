import Channels
import Store
import Synchronization

/// Ends watches when their time is over. One task looks at all of them once a second; guarded by its mutex.
final class WatchDeadlines: Sendable {
    private struct Entry {
        let watch: CacheWatch
        let end: Duration
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Registers a watch that may last `seconds`.
    func add(_ watch: CacheWatch, seconds: Int, clock: any ClusterClock) -> UInt64 {
        let end = clock.monotonic + .seconds(seconds)
        return state.withLock { state in
            state.next += 1
            state.entries[state.next] = Entry(watch: watch, end: end)
            return state.next
        }
    }

    /// Forgets a watch.
    func remove(_ ticket: UInt64) {
        // The entry is released outside the lock: it may be the watch's last reference.
        let entry = state.withLock { $0.entries.removeValue(forKey: ticket) }
        _ = consume entry
    }

    /// Ends the watches whose time is over.
    func expire(now: Duration) {
        let due = state.withLock { state in state.entries.values.filter { $0.end <= now }.map(\.watch) }
        for watch in due { watch.cancel() }
    }

    /// Ends all watches.
    func endAll() {
        let all = state.withLock { $0.entries.values.map(\.watch) }
        for watch in all { watch.cancel() }
    }
}
