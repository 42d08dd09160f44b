import Synchronization
import Values

/// Priority and fairness: every request belongs to a flow of a priority level, and waits there until it is its turn.
///
/// The configuration is one immutable snapshot behind a mutex, replaced as a whole when objects change; the levels guard
/// themselves. A request that finds a free seat takes two short locks and never suspends.
public final class FlowControl: Sendable {
    /// Where a request belongs.
    public struct Flow: Sendable {
        /// The schema it matched.
        public let schema: String
        /// The uid of that schema's object.
        public let schemaUID: String
        /// The uid of the level's object.
        public let levelUID: String
        /// Whether the request never waits.
        public let isExempt: Bool
        /// The most seats it may take.
        public var widest: Int { level.widest }
        let hash: UInt64
        let level: PriorityLevel
    }

    /// The right to run, until `leave`.
    public struct Ticket: Sendable {
        fileprivate let level: PriorityLevel
        fileprivate let schema: String
        fileprivate let seat: PriorityLevel.Seat
        fileprivate let lingering: Double
    }

    /// Why a request may not run.
    public struct Rejection: Error, Sendable, Hashable {
        /// `queue-full`, `concurrency-limit`, `time-out` or `cancelled`.
        public let reason: String
    }

    private struct Entry {
        let schema: FlowSchemaSpec
        let level: PriorityLevel
        let levelUID: String
        let isExempt: Bool
    }

    private struct Configuration {
        var entries: [Entry] = []
        var levels: [String: PriorityLevel] = [:]
    }

    /// How often seats are lent anew.
    public static let borrowingPeriod = Duration.seconds(10)

    /// All the seats there are.
    public let seats: Int
    /// How long a request may wait.
    public let waitLimit: Duration
    private let clock: @Sendable () -> Duration
    private let pause: @Sendable (Duration) async -> Void
    private let configuration = Mutex(Configuration())
    private let nextLending = Mutex(Duration.zero)

    /// A control with upstream's default objects.
    ///
    /// - Parameters:
    ///   - seats: The requests served at the same time, reads and writes together.
    ///   - waitLimit: How long a request may wait for its turn.
    ///   - clock: A time that only rises.
    ///   - pause: Waits for so long of that time.
    public init(
        seats: Int,
        waitLimit: Duration,
        clock: @escaping @Sendable () -> Duration,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    ) {
        self.seats = max(seats, 1)
        self.waitLimit = waitLimit
        self.clock = clock
        self.pause = pause
        configure(schemas: FlowDefaults.schemas, levels: FlowDefaults.levels)
    }

    private var now: Double { clock() / .seconds(1) }

    // MARK: Configuration

    /// Takes over the objects that are there. The mandatory ones are always part of it; objects that cannot be read are
    /// left out, and schemas whose level does not exist as well.
    public func configure(schemas: [JSONValue], levels: [JSONValue]) {
        var specs = levels.compactMap { PriorityLevelSpec($0) }
        var flows = schemas.compactMap { FlowSchemaSpec($0) }
        for object in FlowDefaults.levels {
            guard let spec = PriorityLevelSpec(object), FlowDefaults.mandatory.contains(spec.name) else { continue }
            if !specs.contains(where: { $0.name == spec.name }) { specs.append(spec) }
        }
        for object in FlowDefaults.schemas {
            guard let spec = FlowSchemaSpec(object), FlowDefaults.mandatory.contains(spec.name) else { continue }
            if !flows.contains(where: { $0.name == spec.name }) { flows.append(spec) }
        }
        flows.sort { ($0.precedence, $0.name) < ($1.precedence, $1.name) }
        let nominal = SeatAllocation.nominal(specs.map(\.shares), total: seats)
        let now = now
        var changed: [(PriorityLevel, PriorityLevelSpec, Int)] = []
        configuration.withLock { configuration in
            var next: [String: PriorityLevel] = [:]
            var uids: [String: PriorityLevelSpec] = [:]
            for (spec, limit) in zip(specs, nominal) {
                let level = configuration.levels[spec.name] ?? PriorityLevel(spec, nominal: limit, now: now)
                next[spec.name] = level
                uids[spec.name] = spec
                changed.append((level, spec, limit))
            }
            configuration.levels = next
            configuration.entries = flows.compactMap { schema in
                guard let level = next[schema.level], let spec = uids[schema.level] else { return nil }
                return Entry(schema: schema, level: level, levelUID: spec.uid, isExempt: spec.isExempt)
            }
        }
        for (level, spec, limit) in changed { level.configure(spec, nominal: limit, now: now) }
        lend(changed.filter { !$0.1.isExempt }.map(\.0), of: nominal.reduce(0, +), now)
    }

    /// Once in a while: lends seats that are not used, and turns away what has waited too long.
    public func tick() {
        let time = clock()
        let now = time / .seconds(1)
        let levels = configuration.withLock { Array($0.levels.values) }
        for level in levels { level.expire(waitingSince: now - waitLimit / .seconds(1), now: now) }
        let isDue = nextLending.withLock { next in
            guard time >= next else { return false }
            next = time + Self.borrowingPeriod
            return true
        }
        guard isDue else { return }
        let specs = levels.map { ($0, $0.standing) }
        lend(specs.filter { !$0.1.isExempt }.map(\.0), of: specs.reduce(0) { $0 + $1.1.nominal }, now)
    }

    /// Divides the seats of all levels, exempt ones included, among those that are counted.
    private func lend(_ levels: [PriorityLevel], of total: Int, _ now: Double) {
        let limits = SeatAllocation.limits(total, among: levels.map { $0.share(of: seats, now: now) })
        for (level, limit) in zip(levels, limits) { level.allow(limit, now: now) }
    }

    // MARK: Requests

    /// Where a request belongs. Nil only when not even the last schema matches, which no request of ours does.
    public func classify(_ attributes: RequestAttributes) -> Flow? {
        let entries = configuration.withLock { $0.entries }
        for entry in entries where entry.schema.matches(attributes) {
            let distinguisher =
                switch entry.schema.distinguisher {
                case .user: attributes.user.name
                case .namespace: attributes.namespace
                case .none: ""
                }
            return Flow(
                schema: entry.schema.name,
                schemaUID: entry.schema.uid,
                levelUID: entry.levelUID,
                isExempt: entry.isExempt,
                hash: entry.isExempt ? 0 : FlowHash.of(entry.schema.name, distinguisher),
                level: entry.level
            )
        }
        return nil
    }

    /// Waits for the flow's turn, for `waitLimit` at most.
    public func enter(_ flow: Flow, cost: SeatCost = SeatCost()) async throws(Rejection) -> Ticket {
        let clock = clock
        let entry = await flow.level.enter(flow.schema, flow: flow.hash, seats: cost.seats, now: now) { clock() / .seconds(1) }
        switch entry {
        case .run(let seat): return Ticket(level: flow.level, schema: flow.schema, seat: seat, lingering: cost.lingering)
        case .reject(let reason): throw Rejection(reason: reason)
        }
    }

    /// The request has been answered.
    public func leave(_ ticket: Ticket) {
        let ended = now
        guard ticket.lingering > 0 else { return ticket.level.leave(ticket.seat, ticket.schema, ended: ended, now: ended) }
        // unstructured: the answer must not wait for the seats; the task ends with their time.
        Task { [clock, pause] in
            await pause(.seconds(ticket.lingering))
            ticket.level.leave(
                ticket.seat,
                ticket.schema,
                ended: ended,
                lingering: ticket.lingering,
                now: clock() / .seconds(1)
            )
        }
    }

    /// The levels as they are, by name.
    var pictures: [PriorityLevel.Picture] {
        configuration.withLock { Array($0.levels.values) }.map(\.picture).sorted { $0.name < $1.name }
    }
}
