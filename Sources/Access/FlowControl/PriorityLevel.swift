import Synchronization

/// One priority level at work: its queues, who waits in them, and what is counted. Guarded by its mutex; waiting requests
/// are resumed outside it.
final class PriorityLevel: Sendable {
    /// A request that runs.
    struct Seat: Sendable {
        let queue: Int
        let seats: Int
        let began: Double
    }

    /// What became of a request.
    enum Entry: Sendable {
        case run(Seat)
        case reject(reason: String)
    }

    /// Counters of one flow schema.
    struct Tally: Sendable {
        var dispatched: UInt64 = 0
        var rejected: [String: UInt64] = [:]
        var waits: UInt64 = 0
        var waited = 0.0
        var running = 0
        var runningSeats = 0
        var waiting = 0
        var ran: UInt64 = 0
        var runTime = 0.0
    }

    fileprivate struct State {
        var spec: PriorityLevelSpec
        var queues: SeatQueues
        var waiting: [UInt64: Waiter] = [:]
        /// What was decided before the request came to wait for it.
        var early: [UInt64: Entry] = [:]
        /// The schemas of those who wait.
        var schemas: [UInt64: String] = [:]
        var tallies: [String: Tally] = [:]
        var nextID: UInt64 = 0
        var nominal = 0
        var smoothDemand = 0.0
    }

    fileprivate struct Waiter {
        let continuation: CheckedContinuation<Entry, Never>
    }

    /// The name of its object.
    let name: String
    private let state: Mutex<State>

    init(_ spec: PriorityLevelSpec, nominal: Int, now: Double) {
        name = spec.name
        // Half of what it may lend is taken to be lent until more is known.
        let limit = nominal - spec.lendable(of: nominal) / 2
        state = Mutex(State(spec: spec, queues: SeatQueues(spec.queuing, limit: limit, now: now), nominal: nominal))
    }

    /// Whether nobody is counted, and the seats it has by its shares.
    var standing: (isExempt: Bool, nominal: Int) { state.withLock { ($0.spec.isExempt, $0.nominal) } }

    /// The most seats one request takes: a part of a level that queues, so that a flow's hand does not fill it.
    var widest: Int {
        state.withLock { state in
            guard state.spec.queuing.queues > 0 else { return .max }
            let part = (state.nominal * Self.widestPercent + 99) / 100
            return max(min(part, state.nominal / max(state.spec.queuing.handSize, 1)), 1)
        }
    }
    private static let widestPercent = 15

    // MARK: Requests

    private enum Step {
        case done(Entry)
        case wait(id: UInt64, queue: Int)
    }

    /// Waits for seats. Suspends only when there are none.
    func enter(_ schema: String, flow: UInt64, seats: Int, now: Double, clock: @escaping @Sendable () -> Double) async -> Entry {
        let step: Step = state.withLock { state in
            if state.spec.isExempt {
                state.tallies[schema, default: Tally()].begin(seats)
                return .done(.run(Seat(queue: -1, seats: seats, began: now)))
            }
            state.nextID += 1
            let id = state.nextID
            switch state.queues.arrived(id, seats: seats, flow: flow, now: now) {
            case .run(let queue, let seats):
                state.tallies[schema, default: Tally()].begin(seats)
                return .done(.run(Seat(queue: queue, seats: seats, began: now)))
            case .reject(let reason):
                state.tallies[schema, default: Tally()].rejected[reason, default: 0] += 1
                return .done(.reject(reason: reason))
            case .wait(let queue):
                state.tallies[schema, default: Tally()].waiting += 1
                state.schemas[id] = schema
                return .wait(id: id, queue: queue)
            }
        }
        switch step {
        case .done(let entry): return entry
        case .wait(let id, let queue): return await wait(id, queue, schema, clock)
        }
    }

    private func wait(_ id: UInt64, _ queue: Int, _ schema: String, _ clock: @escaping @Sendable () -> Double) async -> Entry {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let decided: Entry? = state.withLock { state in
                    if let early = state.early.removeValue(forKey: id) { return early }
                    state.waiting[id] = Waiter(continuation: continuation)
                    return nil
                }
                if let decided { continuation.resume(returning: decided) }
            }
        } onCancel: {
            giveUp(id, queue: queue, reason: "cancelled", now: clock())
        }
    }

    /// Takes a waiting request out of its queue and tells it why; those behind it may run now.
    private func giveUp(_ id: UInt64, queue: Int, reason: String, now: Double) {
        let ready: [(Waiter, Entry)] = state.withLock { state in
            guard let started = state.queues.abandoned(id, queue: queue, now: now) else { return [] }
            var ready = state.start(started, now: now)
            guard let schema = state.schemas.removeValue(forKey: id) else { return ready }
            state.tallies[schema, default: Tally()].waiting -= 1
            state.tallies[schema, default: Tally()].rejected[reason, default: 0] += 1
            if let waiter = state.waiting.removeValue(forKey: id) {
                ready.append((waiter, .reject(reason: reason)))
            } else {
                state.early[id] = .reject(reason: reason)
            }
            return ready
        }
        for (waiter, entry) in ready { waiter.continuation.resume(returning: entry) }
    }

    /// A request was served until `ended`, and has kept its seats for `lingering` after that.
    func leave(_ seat: Seat, _ schema: String, ended: Double, lingering: Double = 0, now: Double) {
        let ran = ended - seat.began
        // While it was served one seat did the work; the others were there for what followed.
        let charged = lingering > 0 ? ran / Double(seat.seats) + lingering : ran
        let ready: [(Waiter, Entry)] = state.withLock { state in
            state.tallies[schema, default: Tally()].end(seat.seats, ran: ran)
            guard seat.queue >= 0 else { return [] }
            let started = state.queues.finished(queue: seat.queue, seats: seat.seats, ran: charged, now: now)
            return state.start(started, now: now)
        }
        for (waiter, entry) in ready { waiter.continuation.resume(returning: entry) }
    }

    /// Turns away what has waited since before `time`.
    func expire(waitingSince time: Double, now: Double) {
        for (id, queue) in state.withLock({ $0.queues.waiting(since: time) }) { giveUp(id, queue: queue, reason: "time-out", now: now) }
    }

    // MARK: Settings

    /// Takes over new settings and its part of the seats; what it may use of them is told by `allow`.
    func configure(_ spec: PriorityLevelSpec, nominal: Int, now: Double) {
        let ready: [(Waiter, Entry)] = state.withLock { state in
            let isSame = state.spec.queuing == spec.queuing
            state.spec = spec
            state.nominal = nominal
            if isSame { return [] }
            return state.start(state.queues.resized(spec.queuing, limit: state.queues.limit, now: now), now: now)
        }
        for (waiter, entry) in ready { waiter.continuation.resume(returning: entry) }
    }

    /// What the level wants of the server's seats, from what was asked of it since the last call.
    func share(of seats: Int, now: Double) -> SeatAllocation.Share {
        state.withLock { state in
            let demand = state.queues.demand.statistics(now: now)
            if let envelope = demand.envelope {
                state.smoothDemand = max(envelope, Self.smoothing * state.smoothDemand + (1 - Self.smoothing) * envelope)
            }
            state.queues.restartDemand(now: now)
            let nominal = Double(state.nominal)
            let kept = nominal - Double(state.spec.lendable(of: state.nominal))
            let borrowed = state.spec.borrowingLimitPercent.map { (nominal * Double($0) / 100).rounded() } ?? Double(seats)
            let minimum = max(kept, min(nominal, demand.high))
            return SeatAllocation.Share(
                kept: kept,
                minimum: minimum,
                maximum: nominal + borrowed,
                target: max(minimum, state.smoothDemand)
            )
        }
    }
    private static let smoothing = 0.977

    /// Borrowed and lent seats included. A level that has shares keeps one seat whatever it lends: on a small server
    /// upstream's rounding leaves it none until the next division.
    func allow(_ limit: Int, now: Double) {
        let ready: [(Waiter, Entry)] = state.withLock { state in
            let limit = max(limit, min(state.nominal, 1))
            guard limit != state.queues.limit else { return [] }
            return state.start(state.queues.resized(state.spec.queuing, limit: limit, now: now), now: now)
        }
        for (waiter, entry) in ready { waiter.continuation.resume(returning: entry) }
    }

    // MARK: Looking

    /// A moment of the level, for metrics and people.
    struct Picture: Sendable {
        let name: String
        let isExempt: Bool
        let nominal: Int
        let limit: Int
        let running: Int
        let seats: Int
        let waiting: Int
        let tallies: [String: Tally]
        let queues: [(queue: Int, waiting: Int, running: Int, seats: Int, nextStart: Double)]
    }

    var picture: Picture {
        state.withLock { state in
            Picture(
                name: name,
                isExempt: state.spec.isExempt,
                nominal: state.nominal,
                limit: state.queues.limit,
                running: state.tallies.values.reduce(0) { $0 + $1.running },
                seats: state.tallies.values.reduce(0) { $0 + $1.runningSeats },
                waiting: state.queues.waitingCount,
                tallies: state.tallies,
                queues: state.spec.isExempt || state.spec.queuing.queues == 0 ? [] : state.queues.contents
            )
        }
    }
}

extension PriorityLevel.State {
    /// Finds those who wait for what may start.
    fileprivate mutating func start(_ started: [SeatQueues.Start], now: Double) -> [(PriorityLevel.Waiter, PriorityLevel.Entry)] {
        var ready: [(PriorityLevel.Waiter, PriorityLevel.Entry)] = []
        for one in started {
            let entry = PriorityLevel.Entry.run(PriorityLevel.Seat(queue: one.queue, seats: one.seats, began: now))
            let schema = schemas.removeValue(forKey: one.id) ?? ""
            tallies[schema, default: .init()].waiting -= 1
            tallies[schema, default: .init()].noteWait(one.waited)
            tallies[schema, default: .init()].begin(one.seats)
            if let waiter = waiting.removeValue(forKey: one.id) {
                ready.append((waiter, entry))
            } else {
                early[one.id] = entry
            }
        }
        return ready
    }
}

extension PriorityLevel.Tally {
    mutating func begin(_ seats: Int) {
        dispatched += 1
        running += 1
        runningSeats += seats
    }

    mutating func end(_ seats: Int, ran time: Double) {
        running -= 1
        runningSeats -= seats
        ran += 1
        runTime += time
    }

    mutating func noteWait(_ time: Double) {
        waits += 1
        waited += time
    }
}
