import Channels
import Synchronization
import Units

/// What a controller wrote and has not yet seen come back, by the key it works on: until then its view is stale,
/// and acting on it would start or stop pods twice. Guarded by `state`; bounded by the writes of one pass per key.
final class PendingWrites: Sendable {
    /// A lost event must not stop a key for ever.
    static let patience: Duration = .seconds(300)

    private struct Entry {
        var since: Duration
        var revision: UInt64 = 0
        /// Key and uid of what was deleted.
        var deleted: [String: String] = [:]
    }

    private let state = Mutex<[String: Entry]>([:])
    private let clock: any ClusterClock

    init(clock: any ClusterClock) { self.clock = clock }

    /// An object was written at this resource version.
    func wrote(_ key: String, resourceVersion: String) {
        guard let revision = UInt64(resourceVersion) else { return }
        let now = clock.monotonic
        state.withLock { entries in
            entries[key, default: Entry(since: now)].revision = max(entries[key]?.revision ?? 0, revision)
            entries[key]?.since = now
        }
    }

    /// An object was deleted.
    func deleted(_ key: String, object: String, uid: String) {
        let now = clock.monotonic
        state.withLock { entries in
            entries[key, default: Entry(since: now)].deleted[object] = uid
            entries[key]?.since = now
        }
    }

    /// Whether everything written for `key` is in view. `observed` is the newest resource version in view;
    /// `isGone` tells whether an object is, or is on its way.
    func areVisible(_ key: String, observed: UInt64, isGone: (_ object: String, _ uid: String) -> Bool) -> Bool {
        guard let entry = state.withLock({ $0[key] }) else { return true }
        let late = clock.monotonic - entry.since > Self.patience
        let visible = late || (entry.revision <= observed && entry.deleted.allSatisfy { isGone($0.key, $0.value) })
        if visible { forget(key) }
        return visible
    }

    /// The key is of no interest any more.
    func forget(_ key: String) {
        state.withLock { _ = $0.removeValue(forKey: key) }
    }
}
