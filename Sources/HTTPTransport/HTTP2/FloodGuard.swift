import NIOCore

/// Counts what a peer can have for nothing (resets, pings, settings, errors of its own making) and says when it is too much.
/// Pure. Two neighbouring spans are counted, so that a burst across their border is seen.
struct FloodGuard {
    /// Frames of a kind a peer may send in `span`.
    static let frames = 10_000
    /// Errors of single streams a connection survives in `span`.
    static let streamFaults = 200
    /// The span of time that is looked at.
    static let span = TimeAmount.seconds(30)

    private let limit: Int
    private var count = 0
    private var before = 0
    private var since: NIODeadline?

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts one; false when there were too many.
    mutating func permits(at now: NIODeadline = .now()) -> Bool {
        if let since {
            let passed = now - since
            if passed >= Self.span {
                before = passed < Self.span * 2 ? count : 0
                count = 0
                self.since = now
            }
        } else {
            since = now
        }
        count += 1
        return count + before <= limit
    }
}
