/// The seats and queues of one priority level: who runs, who waits, who is turned away. Pure: times are given, nothing
/// is awaited.
///
/// Fair queuing as upstream has it: flows are dealt a hand of queues and take the least loaded; virtual time advances by
/// the seats each active queue gets; a free seat goes to the request that would finish first in virtual time. The length
/// of a request is guessed when it starts and corrected when it ends.
public struct SeatQueues: Sendable {
    /// The shape of the queues.
    public struct Settings: Sendable, Hashable {
        /// How many queues; zero turns away what finds no seat.
        public var queues: Int
        /// How many of them a flow may use.
        public var handSize: Int
        /// How many requests may wait in one.
        public var queueLength: Int

        /// A shape.
        public init(queues: Int, handSize: Int, queueLength: Int) {
            self.queues = queues
            self.handSize = handSize
            self.queueLength = queueLength
        }
    }

    /// What becomes of a request that arrives.
    public enum Arrival: Sendable, Equatable {
        /// It runs at once.
        case run(queue: Int, seats: Int)
        /// It waits until it is named by `finished` or `resized`, or given up.
        case wait(queue: Int)
        /// It is turned away: `queue-full` or `concurrency-limit`.
        case reject(reason: String)
    }

    /// A request that may run now.
    public struct Start: Sendable, Equatable {
        /// The request.
        public var id: UInt64
        /// The queue it came from.
        public var queue: Int
        /// The seats it takes.
        public var seats: Int
        /// How long it waited, in seconds.
        public var waited: Double
    }

    private struct Waiting: Sendable {
        let id: UInt64
        let seats: Int
        let arrival: Double
    }

    private struct Queue: Sendable {
        var waiting: [Waiting] = []
        var waitingSeats = 0
        var running = 0
        var seatsInUse = 0
        /// In virtual time: when the next request of this queue starts.
        var nextStart = 0.0

        var isActive: Bool { running > 0 || !waiting.isEmpty }
    }

    /// How long a request is taken to run before it has, in seconds.
    private static let guessedLength = 60.0

    private(set) var settings: Settings
    /// The seats there are.
    public private(set) var limit: Int
    /// The seats taken.
    public private(set) var seatsInUse = 0
    /// The requests that run.
    public private(set) var running = 0
    /// The requests that wait.
    public private(set) var waitingCount = 0
    private var waitingSeats = 0
    private var queues: [Queue]
    private var activeQueues = 0
    private var virtualTime = 0.0
    private var lastTime: Double
    private var next = 0
    /// How many seats were wanted over time.
    public private(set) var demand: SeatDemand

    /// Queues with `limit` seats, empty.
    public init(_ settings: Settings, limit: Int, now: Double) {
        self.settings = settings
        self.limit = limit
        queues = Array(repeating: Queue(), count: max(settings.queues, 1))
        lastTime = now
        demand = SeatDemand(now: now)
    }

    // MARK: Inputs

    /// A request arrives.
    public mutating func arrived(_ id: UInt64, seats wanted: Int, flow: UInt64, now: Double) -> Arrival {
        advance(now)
        let seats = max(wanted, 1)
        guard settings.queues > 0 else {
            guard fits(seats) else { return .reject(reason: "concurrency-limit") }
            start(0, seats)
            return .run(queue: 0, seats: seats)
        }
        let queue = chosen(flow)
        if waitingCount == 0, seatsInUse < limit, fits(seats) {
            start(queue, seats)
            return .run(queue: queue, seats: seats)
        }
        // Upstream lets a queue grow while a wide request waits beside free seats; here the bound always holds.
        guard queues[queue].waiting.count < settings.queueLength else { return .reject(reason: "queue-full") }
        activate(queue)
        queues[queue].waiting.append(Waiting(id: id, seats: seats, arrival: now))
        queues[queue].waitingSeats += seats
        waitingCount += 1
        waitingSeats += seats
        noteDemand(now)
        // It may go before one that waits for more seats than are free. No other is started here, where nobody would tell it:
        // at a tie the turn may have come to one, which then starts with the next that ends.
        guard seatsInUse < limit, fits(seats), earliest() == queue, queues[queue].waiting[0].id == id else { return .wait(queue: queue) }
        _ = startFirst(queue, now)
        noteDemand(now)
        return .run(queue: queue, seats: seats)
    }

    /// Whether so many seats are free. What is wider than the level runs alone rather than never.
    private func fits(_ seats: Int) -> Bool {
        seats > limit ? running == 0 : seatsInUse + seats <= limit
    }

    /// A request has ended. Returns those that may run now.
    public mutating func finished(queue: Int, seats: Int, ran: Double, now: Double) -> [Start] {
        advance(now)
        queues[queue].nextStart -= (Self.guessedLength - ran) * Double(seats)
        queues[queue].running -= 1
        queues[queue].seatsInUse -= seats
        running -= 1
        seatsInUse -= seats
        if !queues[queue].isActive { activeQueues -= 1 }
        noteDemand(now)
        return dispatch(now)
    }

    /// Nobody waits for a request any more. Returns those that may run now, which it stood before; nil when it does not wait here.
    public mutating func abandoned(_ id: UInt64, queue: Int, now: Double) -> [Start]? {
        advance(now)
        guard let index = queues[queue].waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let request = queues[queue].waiting.remove(at: index)
        left(queue, request)
        if !queues[queue].isActive { activeQueues -= 1 }
        noteDemand(now)
        return dispatch(now)
    }

    /// The level got other settings. Requests stay in their queues until they have run. Returns those that may run now.
    public mutating func resized(_ settings: Settings, limit: Int, now: Double) -> [Start] {
        advance(now)
        self.settings = settings
        self.limit = limit
        if settings.queues > queues.count { queues += Array(repeating: Queue(), count: settings.queues - queues.count) }
        return dispatch(now)
    }

    /// The requests that have waited since before `time`.
    public func waiting(since time: Double) -> [(id: UInt64, queue: Int)] {
        guard waitingCount > 0 else { return [] }
        var found: [(id: UInt64, queue: Int)] = []
        for (index, queue) in queues.enumerated() {
            for request in queue.waiting where request.arrival <= time { found.append((request.id, index)) }
        }
        return found
    }

    /// Starts counting the demand anew.
    public mutating func restartDemand(now: Double) {
        advance(now)
        demand.restart(now: now)
    }

    /// What the queues hold, for people: index, waiting, running, seats.
    public var contents: [(queue: Int, waiting: Int, running: Int, seats: Int, nextStart: Double)] {
        queues.enumerated().map { ($0.offset, $0.element.waiting.count, $0.element.running, $0.element.seatsInUse, $0.element.nextStart) }
    }

    // MARK: Fairness

    /// The least loaded queue of the flow's hand.
    private func chosen(_ flow: UInt64) -> Int {
        if settings.queues == 1 { return 0 }
        var best = 0
        var least = Int.max
        var rest = flow
        // The hand: each card taken from what is left of the deck.
        var taken: (Int, Int, Int, Int, Int, Int, Int, Int) = (-1, -1, -1, -1, -1, -1, -1, -1)
        let size = min(settings.handSize, 8, settings.queues)
        return withUnsafeMutableBytes(of: &taken) { bytes in
            let hand = bytes.bindMemory(to: Int.self)
            for index in 0..<size {
                let left = UInt64(settings.queues - index)
                var card = Int(rest % left)
                rest /= left
                // Cards before it that are taken shift it; the hand is kept sorted.
                var position = 0
                while position < index, hand[position] <= card {
                    card += 1
                    position += 1
                }
                var move = index
                while move > position {
                    hand[move] = hand[move - 1]
                    move -= 1
                }
                hand[position] = card
                let load = queues[card].waitingSeats + queues[card].seatsInUse
                if load < least {
                    least = load
                    best = card
                }
            }
            return best
        }
    }

    private mutating func advance(_ now: Double) {
        let passed = now - lastTime
        guard passed > 0 else { return }
        lastTime = now
        guard activeQueues > 0 else { return }
        virtualTime += passed * Double(min(seatsInUse + waitingSeats, limit)) / Double(activeQueues)
    }

    private mutating func activate(_ queue: Int) {
        guard !queues[queue].isActive else { return }
        activeQueues += 1
        queues[queue].nextStart = virtualTime
    }

    private mutating func start(_ queue: Int, _ seats: Int) {
        activate(queue)
        queues[queue].nextStart += Self.guessedLength * Double(seats)
        queues[queue].running += 1
        queues[queue].seatsInUse += seats
        running += 1
        seatsInUse += seats
        noteDemand(lastTime)
    }

    private mutating func left(_ queue: Int, _ request: Waiting) {
        queues[queue].waitingSeats -= request.seats
        waitingSeats -= request.seats
        waitingCount -= 1
    }

    private mutating func noteDemand(_ now: Double) {
        demand.changed(to: seatsInUse + waitingSeats, now: now)
    }

    private mutating func dispatch(_ now: Double) -> [Start] {
        guard waitingCount > 0 else { return [] }
        var started: [Start] = []
        while waitingCount > 0, seatsInUse < limit, let queue = earliest() {
            guard fits(queues[queue].waiting[0].seats) else { break }
            started.append(startFirst(queue, now))
        }
        noteDemand(now)
        return started
    }

    /// Starts the first request of a queue, which was active all along, waiting.
    private mutating func startFirst(_ queue: Int, _ now: Double) -> Start {
        let request = queues[queue].waiting.removeFirst()
        left(queue, request)
        queues[queue].nextStart += Self.guessedLength * Double(request.seats)
        queues[queue].running += 1
        queues[queue].seatsInUse += request.seats
        running += 1
        seatsInUse += request.seats
        next = queue + 1
        return Start(id: request.id, queue: queue, seats: request.seats, waited: now - request.arrival)
    }

    /// The queue whose first request would finish first in virtual time; ties go round.
    private func earliest() -> Int? {
        var best: Int?
        var least = Double.infinity
        for offset in 0..<queues.count {
            let index = (next + offset) % queues.count
            guard let first = queues[index].waiting.first else { continue }
            let finish = queues[index].nextStart + Self.guessedLength * Double(first.seats)
            if finish < least {
                least = finish
                best = index
            }
        }
        return best
    }
}

/// How many seats were wanted, as statistics over time.
public struct SeatDemand: Sendable {
    private var current = 0.0
    private var since: Double
    private var from: Double
    private var integral = 0.0
    private var integralOfSquares = 0.0
    private var high = 0.0

    init(now: Double) {
        since = now
        from = now
    }

    mutating func changed(to seats: Int, now: Double) {
        settle(now)
        current = Double(seats)
        high = max(high, current)
    }

    private mutating func settle(_ now: Double) {
        let passed = max(now - since, 0)
        integral += current * passed
        integralOfSquares += current * current * passed
        since = now
    }

    mutating func restart(now: Double) {
        settle(now)
        from = now
        integral = 0
        integralOfSquares = 0
        high = current
    }

    /// The most seats wanted, and the mean plus one deviation; nil when no time has passed.
    func statistics(now: Double) -> (high: Double, envelope: Double?) {
        var copy = self
        copy.settle(now)
        let span = now - from
        guard span > 0 else { return (high, nil) }
        let mean = copy.integral / span
        let variance = max(copy.integralOfSquares / span - mean * mean, 0)
        return (high, mean + variance.squareRoot())
    }
}
