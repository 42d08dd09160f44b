public import Units

/// Growing waits per key, as the upstream kubelet counts them: the first failure is retried at once, then 10 s, 20 s …
/// up to the maximum; a key that stayed quiet for twice the maximum starts over. Pure: the caller passes the time.
public struct Backoff: Sendable {
    private struct Entry: Sendable {
        var wait: Duration
        var updatedAt: Timestamp
    }

    /// The first wait.
    public let initial: Duration
    /// The longest wait.
    public let maximum: Duration
    private var entries: [String: Entry] = [:]

    /// Waits between the two given.
    public init(initial: Duration = .seconds(10), maximum: Duration = .seconds(300)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The present wait of `key`.
    public func wait(_ key: String) -> Duration { entries[key]?.wait ?? .zero }

    /// Until when `key` must wait if its last failure was at `event`; nil when it may go on.
    public func waitingUntil(_ key: String, since event: Timestamp, now: Timestamp) -> Timestamp? {
        guard let entry = entries[key], event - entry.updatedAt <= maximum * 2 else { return nil }
        let until = event + entry.wait
        return until > now ? until : nil
    }

    /// Until when `key` must wait, counted from its last `next`; nil when it may go on.
    public func waitingUntil(_ key: String, now: Timestamp) -> Timestamp? {
        guard let entry = entries[key], now - entry.updatedAt <= maximum * 2 else { return nil }
        let until = entry.updatedAt + entry.wait
        return until > now ? until : nil
    }

    /// Counts one more failure of `key`, at `event`.
    public mutating func next(_ key: String, event: Timestamp, now: Timestamp) {
        if let entry = entries[key], event - entry.updatedAt <= maximum * 2 {
            entries[key] = Entry(wait: min(entry.wait * 2, maximum), updatedAt: now)
        } else {
            entries[key] = Entry(wait: initial, updatedAt: now)
        }
    }

    /// Forgets every key that begins with `prefix`.
    public mutating func forget(prefix: String) {
        entries = entries.filter { !$0.key.hasPrefix(prefix) }
    }
}
