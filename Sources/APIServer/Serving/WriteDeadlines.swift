import APIModel
import HTTPTransport
import Synchronization

/// Answers requests whose time is over, whatever became of their work. One sweep a second; guarded by its mutex.
final class WriteDeadlines: Sendable {
    typealias Outcome = Result<HTTPResponse, APIError>

    private let waiting = Mutex<(next: UInt64, races: [UInt64: (end: Duration, race: FirstOutcome)])>((0, [:]))
    static let exceeded = APIError.timeout("request did not complete within the allotted timeout")

    /// Runs `work`, but answers at `end` (on the monotonic clock) at the latest.
    ///
    /// - Parameter executor: Where the work runs; nil is the cooperative pool.
    func run(
        until end: Duration,
        on executor: (any TaskExecutor)? = nil,
        _ work: @escaping @Sendable () async -> Outcome
    ) async -> Outcome {
        let race = FirstOutcome()
        let id = waiting.withLock { waiting in
            waiting.next += 1
            waiting.races[waiting.next] = (end, race)
            return waiting.next
        }
        defer { _ = waiting.withLock { $0.races.removeValue(forKey: id) } }
        // unstructured: work that hangs in the store is left behind when its time is over
        Task(executorPreference: executor) { race.finish(await work()) }
        return await withTaskCancellationHandler {
            await race.value()
        } onCancel: {
            race.finish(.failure(Self.exceeded))
        }
    }

    /// How many are running.
    var count: Int { waiting.withLock { $0.races.count } }

    /// Answers what is overdue.
    func sweep(now: Duration) {
        let overdue = waiting.withLock { waiting in waiting.races.values.filter { $0.end <= now }.map(\.race) }
        for race in overdue { race.finish(.failure(Self.exceeded)) }
    }
}

/// The first outcome given is the answer. Guarded by its mutex.
final class FirstOutcome: Sendable {
    private enum State {
        /// Exits: `waiting`, `finished`.
        case open
        /// Exits: `taken`.
        case waiting(UnsafeContinuation<WriteDeadlines.Outcome, Never>)
        /// Exits: `taken`.
        case finished(WriteDeadlines.Outcome)
        /// Terminal.
        case taken
    }

    private let state = Mutex(State.open)

    func finish(_ outcome: WriteDeadlines.Outcome) {
        let waiter = state.withLock { state -> UnsafeContinuation<WriteDeadlines.Outcome, Never>? in
            switch state {
            case .open:
                state = .finished(outcome)
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .finished, .taken: return nil
            }
        }
        waiter?.resume(returning: outcome)
    }

    func value() async -> WriteDeadlines.Outcome {
        await withUnsafeContinuation { continuation in
            let outcome = state.withLock { state -> WriteDeadlines.Outcome? in
                if case .finished(let outcome) = state {
                    state = .taken
                    return outcome
                }
                state = .waiting(continuation)
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}
