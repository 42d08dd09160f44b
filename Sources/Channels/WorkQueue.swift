import DequeModule
import HeapModule
import Synchronization

/// How long failed keys wait: exponentially longer per failure, as client-go's default.
public struct RetryBackoff: Sendable, Equatable {
    /// The first delay.
    public var base: Duration
    /// The longest delay.
    public var limit: Duration

    /// `base * 2^failures`, at most `limit`.
    public init(base: Duration = .milliseconds(5), limit: Duration = .seconds(1000)) {
        self.base = base
        self.limit = limit
    }

    /// The delay after `failures` failures in a row, counted from 0.
    public func delay(failures: Int) -> Duration {
        guard failures < 40 else { return limit }
        return min(limit, base * (1 << failures))
    }
}

/// Counters of one work queue, under upstream's metric names `workqueue_*`.
public struct WorkQueueMetrics: Sendable, Equatable {
    /// workqueue_adds_total.
    public var adds: UInt64 = 0
    /// workqueue_retries_total.
    public var retries: UInt64 = 0
    /// workqueue_depth.
    public var depth = 0
}

/// Keys to work on: each at most once in the queue, and never handed to two workers at a time.
///
/// A key added while it is worked on is queued again when `done` is called. Guarded by `state`; workers are
/// resumed after the lock is released. Bounded by the number of distinct keys.
/// Source: client-go util/workqueue.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct Delayed: Comparable {
        let due: Duration
        let sequence: UInt64
        let key: Key

        static func < (a: Delayed, b: Delayed) -> Bool { (a.due, a.sequence) < (b.due, b.sequence) }
        static func == (a: Delayed, b: Delayed) -> Bool { a.sequence == b.sequence }
    }

    private struct Worker {
        let id: UInt64
        let continuation: CheckedContinuation<Key?, Never>
    }

    private struct State {
        var ready = Deque<Key>()
        var dirty: Set<Key> = []
        var processing: Set<Key> = []
        var delayed = Heap<Delayed>()
        var dueTimes: [Key: Duration] = [:]
        var failures: [Key: Int] = [:]
        var workers = Deque<Worker>()
        var sequence: UInt64 = 0
        var isShutDown = false
        var timerDue: Duration?
        var metrics = WorkQueueMetrics()

        /// Queues a key; returns the worker that shall have it, if one waits.
        mutating func enqueue(_ key: Key) -> (Worker, Key)? {
            guard !isShutDown, dirty.insert(key).inserted else { return nil }
            metrics.adds += 1
            guard !processing.contains(key) else { return nil }
            ready.append(key)
            return hand()
        }

        mutating func hand() -> (Worker, Key)? {
            guard !workers.isEmpty, let key = ready.popFirst() else { return nil }
            dirty.remove(key)
            processing.insert(key)
            return (workers.removeFirst(), key)
        }
    }

    /// The queue's name, a label of its metrics.
    public let name: String
    private let clock: any ClusterClock
    private let backoff: RetryBackoff
    private let state = Mutex(State())

    /// An empty queue.
    public init(name: String, clock: any ClusterClock = SystemClock(), backoff: RetryBackoff = RetryBackoff()) {
        self.name = name
        self.clock = clock
        self.backoff = backoff
    }

    /// Keys that wait for a worker.
    public var count: Int { state.withLock { $0.ready.count } }

    /// Keys that wait for their time.
    public var delayedCount: Int { state.withLock { $0.dueTimes.count } }

    /// Whether nothing waits and nothing is worked on (delayed keys do not count).
    public var isIdle: Bool { state.withLock { $0.ready.isEmpty && $0.processing.isEmpty } }

    /// The counters so far.
    public var metrics: WorkQueueMetrics {
        state.withLock { state in
            var metrics = state.metrics
            metrics.depth = state.ready.count
            return metrics
        }
    }

    /// Queues a key now.
    public func add(_ key: Key) {
        let handed = state.withLock { $0.enqueue(key) }
        if let (worker, key) = handed { worker.continuation.resume(returning: key) }
    }

    /// Queues a key after `delay`; of several delays for one key the earliest counts.
    public func addAfter(_ key: Key, _ delay: Duration) {
        guard delay > .zero else { return add(key) }
        let due = clock.monotonic + delay
        let needsTimer = state.withLock { state in
            guard !state.isShutDown else { return false }
            if let known = state.dueTimes[key], known <= due { return false }
            state.dueTimes[key] = due
            state.sequence += 1
            state.delayed.insert(Delayed(due: due, sequence: state.sequence, key: key))
            guard state.timerDue.map({ due < $0 }) ?? true else { return false }
            state.timerDue = due
            return true
        }
        if needsTimer { startTimer(due) }
    }

    /// Queues a key after the back-off that its failures have earned, and counts one more.
    public func addRateLimited(_ key: Key) {
        let failures = state.withLock { state in
            let failures = state.failures[key, default: 0]
            state.failures[key] = failures + 1
            state.metrics.retries += 1
            return failures
        }
        addAfter(key, backoff.delay(failures: failures))
    }

    /// Forgets a key's failures.
    public func forget(_ key: Key) {
        state.withLock { _ = $0.failures.removeValue(forKey: key) }
    }

    /// How often a key has failed in a row.
    public func failures(_ key: Key) -> Int {
        state.withLock { $0.failures[key, default: 0] }
    }

    /// The next key; nil when the queue is shut down and empty, or the task is cancelled. `done` must follow.
    public func get() async -> Key? {
        let id = state.withLock { state in
            state.sequence += 1
            return state.sequence
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let handed = state.withLock { state -> (Worker, Key?)? in
                    let worker = Worker(id: id, continuation: continuation)
                    if let key = state.ready.popFirst() {
                        state.dirty.remove(key)
                        state.processing.insert(key)
                        return (worker, key)
                    }
                    if state.isShutDown || Task.isCancelled { return (worker, nil) }
                    state.workers.append(worker)
                    return nil
                }
                if let (worker, key) = handed { worker.continuation.resume(returning: key) }
            }
        } onCancel: {
            let worker = state.withLock { state -> Worker? in
                guard let index = state.workers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.workers.remove(at: index)
            }
            worker?.continuation.resume(returning: nil)
        }
    }

    /// Ends the work on a key; if it was added meanwhile it is queued again.
    public func done(_ key: Key) {
        let handed = state.withLock { state -> (Worker, Key)? in
            state.processing.remove(key)
            guard state.dirty.contains(key) else { return nil }
            state.ready.append(key)
            return state.hand()
        }
        if let (worker, key) = handed { worker.continuation.resume(returning: key) }
    }

    /// Takes no more keys; workers get what is queued, then nil.
    public func shutDown() {
        let workers = state.withLock { state in
            state.isShutDown = true
            let workers = state.workers
            state.workers = []
            return workers
        }
        workers.forEach { $0.continuation.resume(returning: nil) }
    }

    private func startTimer(_ due: Duration) {
        // unstructured: one timer for the earliest delayed key, replaced when an earlier one comes
        Task { [weak self, clock] in
            do { try await clock.sleep(until: due) } catch { return }
            self?.timerFired(due)
        }
    }

    private func timerFired(_ fired: Duration) {
        let now = clock.monotonic
        let (handed, next) = state.withLock { state in
            var handed: [(Worker, Key)] = []
            guard state.timerDue == fired else { return (handed, Duration?.none) }
            while let first = state.delayed.min, first.due <= now {
                state.delayed.removeMin()
                guard state.dueTimes[first.key] == first.due else { continue }
                state.dueTimes.removeValue(forKey: first.key)
                if let pair = state.enqueue(first.key) { handed.append(pair) }
            }
            state.timerDue = state.delayed.min?.due
            return (handed, state.timerDue)
        }
        handed.forEach { $0.0.continuation.resume(returning: $0.1) }
        if let next { startTimer(next) }
    }
}
