import Units

/// How well a zone is.
public enum ZoneState: Sendable, Hashable {
    /// Not judged yet.
    case initial
    /// Most nodes are ready.
    case normal
    /// Many are not.
    case partialDisruption
    /// None is ready.
    case fullDisruption

    /// Judges by the nodes' `Ready` statuses.
    init(of statuses: [String], settings: NodeHealthMonitor.Settings) {
        let ready = statuses.count { $0 == "True" }
        let broken = statuses.count - ready
        if ready == 0, broken > 0 {
            self = .fullDisruption
        } else if broken > 2, Double(broken) / Double(statuses.count) >= settings.unhealthyShare {
            self = .partialDisruption
        } else {
            self = .normal
        }
    }
}

/// The nodes of one zone that wait to be tainted, let through at a limited rate.
struct ZoneEviction: Sendable {
    /// As many tokens as may be saved up.
    static let burst = 1.0

    private(set) var state = ZoneState.initial
    private var rate: Double
    private var tokens = burst
    private var refilled: Timestamp
    private var waiting: [String] = []

    init(rate: Double, now: Timestamp) {
        self.rate = rate
        refilled = now
    }

    var hasWaiting: Bool { !waiting.isEmpty && rate > 0 }

    mutating func enqueue(_ node: String) {
        if !waiting.contains(node) { waiting.append(node) }
    }

    mutating func forget(_ node: String) {
        waiting.removeAll { $0 == node }
    }

    mutating func next(now: Timestamp) -> String? {
        guard !waiting.isEmpty, rate > 0 else { return nil }
        let elapsed = max(0, (now - refilled) / Duration.seconds(1))
        tokens = min(Self.burst, tokens + elapsed * rate)
        refilled = now
        guard tokens >= 1 else { return nil }
        tokens -= 1
        return waiting.removeFirst()
    }

    mutating func enter(_ state: ZoneState, rate: Double, now: Timestamp) {
        self.state = state
        self.rate = rate
        tokens = min(tokens, Self.burst)
        refilled = now
    }

    /// Everything is down: nothing passes.
    mutating func stop() {
        state = .fullDisruption
        rate = 0
        waiting = []
    }
}
