import Glibc
import Synchronization
import Units

/// Time, injected: nothing below the top asks the system for it directly.
public protocol ClusterClock: Sendable {
    /// The wall clock, for timestamps that users see.
    var now: Timestamp { get }
    /// Time since an arbitrary start, never set back: for intervals and deadlines.
    var monotonic: Duration { get }
    /// Waits until the monotonic clock has moved on by `duration`.
    /// - Throws: `CancellationError` when the task is cancelled.
    func sleep(for duration: Duration) async throws
}

extension ClusterClock {
    /// Waits until the monotonic clock shows `deadline`.
    public func sleep(until deadline: Duration) async throws {
        let left = deadline - monotonic
        if left > .zero { try await sleep(for: left) }
    }
}

/// The machine's clock.
public struct SystemClock: ClusterClock {
    /// The machine's clock.
    public init() {}

    /// CLOCK_REALTIME.
    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(unixSeconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// CLOCK_MONOTONIC.
    public var monotonic: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    /// Sleeps without holding a thread.
    public func sleep(for duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }
}

/// A clock that moves only when told to: the tests' and the simulation's.
///
/// Guarded by `state`; sleepers are resumed after the lock is released.
public final class ManualClock: ClusterClock {
    private struct Sleeper {
        let id: UInt64
        let wake: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var elapsed: Duration = .zero
        var nextID: UInt64 = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<UInt64> = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func takeWatchers() -> [CheckedContinuation<Void, Never>] {
            let ready = watchers.filter { $0.count <= sleepers.count }.map(\.continuation)
            watchers.removeAll { $0.count <= sleepers.count }
            return ready
        }
    }

    private let start: Timestamp
    private let state = Mutex(State())

    /// A clock that stands at `start`.
    public init(start: Timestamp = Timestamp(unixSeconds: 1_700_000_000, nanoseconds: 0)) {
        self.start = start
    }

    /// The start plus all advances.
    public var now: Timestamp { start + monotonic }

    /// The sum of all advances.
    public var monotonic: Duration { state.withLock { $0.elapsed } }

    /// How many tasks sleep on this clock.
    public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Waits until at least `count` tasks sleep on this clock.
    public func waitForSleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                state.watchers.append((count, continuation))
                return state.takeWatchers()
            }
            ready.forEach { $0.resume() }
        }
    }

    /// Moves time on and wakes, in order, the sleepers whose time has come.
    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.elapsed += duration
            let elapsed = state.elapsed
            let due = state.sleepers.filter { $0.wake <= elapsed }.sorted { $0.wake < $1.wake }
            state.sleepers.removeAll { $0.wake <= elapsed }
            return due
        }
        due.forEach { $0.continuation.resume() }
    }

    /// Moves time to the next sleeper's, if there is one. False when nobody sleeps.
    @discardableResult
    public func advanceToNext() -> Bool {
        let next = state.withLock { state in state.sleepers.map { $0.wake }.min().map { $0 - state.elapsed } }
        guard let next else { return false }
        advance(by: max(next, .zero))
        return true
    }

    /// Waits until the clock has been advanced by `duration`.
    public func sleep(for duration: Duration) async throws {
        guard duration > .zero else { return try Task.checkCancellation() }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enlist(id, duration, continuation)
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func enlist(_ id: UInt64, _ duration: Duration, _ continuation: CheckedContinuation<Void, any Error>) {
        let (isCancelled, ready) = state.withLock { state in
            if state.cancelled.remove(id) != nil { return (true, [CheckedContinuation<Void, Never>]()) }
            state.sleepers.append(Sleeper(id: id, wake: state.elapsed + duration, continuation: continuation))
            return (false, state.takeWatchers())
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
        ready.forEach { $0.resume() }
    }

    private func cancel(_ id: UInt64) {
        let sleeper = state.withLock { state -> Sleeper? in
            guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.sleepers.remove(at: index)
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }
}
