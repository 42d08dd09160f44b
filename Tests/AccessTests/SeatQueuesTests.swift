import Channels
import Testing

@testable import Access

/// Drives the queues of one level through time with made-up tenants. Nothing waits; every run has a seed.
private struct Tenants {
    private struct Running {
        let tenant: Int
        let queue: Int
        let seats: Int
        let began: Double
        let end: Double
    }

    var queues: SeatQueues
    private var running: [Running] = []
    private var waiting: [UInt64: Int] = [:]
    private var nextID: UInt64 = 0
    private(set) var time = 0.0
    private(set) var done: [Int: Int] = [:]
    private(set) var rejected: [Int: Int] = [:]
    private(set) var longestWait: [Int: Double] = [:]
    private(set) var mostSeats = 0
    let length: Double

    init(_ settings: SeatQueues.Settings, limit: Int, length: Double) {
        queues = SeatQueues(settings, limit: limit, now: 0)
        self.length = length
    }

    mutating func arrive(_ tenant: Int, seats: Int = 1) {
        nextID += 1
        switch queues.arrived(nextID, seats: seats, flow: FlowHash.of("schema", "tenant-\(tenant)"), now: time) {
        case .run(let queue, let seats): begin(tenant, queue, seats)
        case .wait: waiting[nextID] = tenant
        case .reject: rejected[tenant, default: 0] += 1
        }
    }

    private mutating func begin(_ tenant: Int, _ queue: Int, _ seats: Int) {
        running.append(Running(tenant: tenant, queue: queue, seats: seats, began: time, end: time + length))
        // What is wider than the level runs alone.
        if queues.running > 1 { mostSeats = max(mostSeats, queues.seatsInUse) }
    }

    /// Lets everything end that ends before `end`.
    mutating func run(until end: Double) {
        while let index = running.indices.min(by: { running[$0].end < running[$1].end }), running[index].end <= end {
            let one = running.remove(at: index)
            time = one.end
            done[one.tenant, default: 0] += 1
            for start in queues.finished(queue: one.queue, seats: one.seats, ran: time - one.began, now: time) {
                guard let tenant = waiting.removeValue(forKey: start.id) else { continue }
                longestWait[tenant] = max(longestWait[tenant] ?? 0, start.waited)
                begin(tenant, start.queue, start.seats)
            }
        }
        time = end
    }

    var unfinished: Int { running.count + waiting.count }
}

@Suite struct SeatQueuesTests {
    private static let settings = SeatQueues.Settings(queues: 64, handSize: 6, queueLength: 50)

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `a flood of one tenant leaves the others their share`(seed: UInt64) {
        let random = SeededRandom(seed: seed)
        var tenants = Tenants(Self.settings, limit: 10, length: 0.1)
        // The level serves 100 a second. Tenant 0 sends 1,000 a second, nine others 5 each.
        var step = 0
        while step < 10_000 {
            tenants.run(until: Double(step) / 1000)
            tenants.arrive(0)
            if step % 200 == 0 {
                for tenant in 1...9 where random.next() % 100 < 100 { tenants.arrive(tenant) }
            }
            step += 1
        }
        tenants.run(until: 11)
        for tenant in 1...9 {
            #expect(tenants.done[tenant, default: 0] >= 45, "tenant \(tenant): \(tenants.done[tenant, default: 0]) of 50")
            #expect(tenants.rejected[tenant, default: 0] <= 5)
            #expect((tenants.longestWait[tenant] ?? 0) < 2)
        }
        // What is left goes to the flood, so that nothing is idle; the rest of it is refused.
        #expect(tenants.done[0, default: 0] > 450)
        #expect(tenants.rejected[0, default: 0] > 5000)
        #expect(tenants.mostSeats <= 10)
    }

    @Test(arguments: [11, 12, 13] as [UInt64])
    func `whatever comes, seats are never overbooked and everything ends`(seed: UInt64) {
        let random = SeededRandom(seed: seed)
        var tenants = Tenants(SeatQueues.Settings(queues: 8, handSize: 3, queueLength: 20), limit: 7, length: 0.05)
        for step in 0..<5000 {
            tenants.run(until: Double(step) / 500)
            tenants.arrive(Int(random.next() % 20), seats: 1 + Int(random.next() % 10))
            if step % 977 == 0 {
                _ = tenants.queues.resized(SeatQueues.Settings(queues: 8, handSize: 3, queueLength: 20), limit: 7, now: tenants.time)
            }
        }
        tenants.run(until: 1000)
        #expect(tenants.unfinished == 0)
        #expect(tenants.queues.seatsInUse == 0)
        #expect(tenants.queues.running == 0)
        #expect(tenants.queues.waitingCount == 0)
        #expect(tenants.mostSeats <= 7)
        let served = tenants.done.values.reduce(0, +) + tenants.rejected.values.reduce(0, +)
        #expect(served == 5000)
    }

    @Test func `a level that rejects has no queues`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 0, handSize: 1, queueLength: 0), limit: 2, now: 0)
        let outcome1 = queues.arrived(1, seats: 1, flow: 1, now: 0)
        #expect(outcome1 == .run(queue: 0, seats: 1))
        let outcome2 = queues.arrived(2, seats: 1, flow: 2, now: 0)
        #expect(outcome2 == .run(queue: 0, seats: 1))
        let outcome3 = queues.arrived(3, seats: 1, flow: 3, now: 0)
        #expect(outcome3 == .reject(reason: "concurrency-limit"))
        _ = queues.finished(queue: 0, seats: 1, ran: 1, now: 1)
        let outcome4 = queues.arrived(4, seats: 1, flow: 3, now: 1)
        #expect(outcome4 == .run(queue: 0, seats: 1))
    }

    @Test func `a full queue refuses, a request given up makes room, one too wide runs alone`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 1, handSize: 1, queueLength: 1), limit: 2, now: 0)
        let outcome5 = queues.arrived(1, seats: 9, flow: 0, now: 0)
        #expect(outcome5 == .run(queue: 0, seats: 9))
        let outcome6 = queues.arrived(2, seats: 1, flow: 0, now: 0)
        #expect(outcome6 == .wait(queue: 0))
        let outcome7 = queues.arrived(3, seats: 1, flow: 0, now: 0)
        #expect(outcome7 == .reject(reason: "queue-full"))
        #expect(queues.waiting(since: 0).map(\.id) == [2])
        let outcome8 = queues.abandoned(2, queue: 0, now: 1)
        #expect(outcome8 == [])
        let outcome9 = queues.abandoned(2, queue: 0, now: 1)
        #expect(outcome9 == nil)
        let outcome10 = queues.arrived(4, seats: 1, flow: 0, now: 1)
        #expect(outcome10 == .wait(queue: 0))
        let started = queues.finished(queue: 0, seats: 9, ran: 2, now: 2)
        #expect(started.map(\.id) == [4])
        #expect(started.first?.waited == 1)
    }

    @Test func `a narrow request goes before a wide one of another flow that does not fit yet`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 64, handSize: 1, queueLength: 9), limit: 3, now: 0)
        _ = queues.arrived(1, seats: 2, flow: 1, now: 0)
        let wide = queues.arrived(2, seats: 2, flow: 2, now: 0)
        #expect(wide == .wait(queue: 2))
        let narrow = queues.arrived(3, seats: 1, flow: 3, now: 0)
        #expect(narrow == .run(queue: 3, seats: 1))
    }

    /// After the one that arrives the turn is at the other of two that tie, and it would fit.
    @Test func `an arrival starts nobody else, who would not be told`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 8, handSize: 1, queueLength: 9), limit: 6, now: 0)
        for (id, flow) in [(1, 0), (2, 3), (3, 3)] { _ = queues.arrived(UInt64(id), seats: 1, flow: UInt64(flow), now: 0) }
        let wide = queues.arrived(4, seats: 4, flow: 1, now: 0)
        let tied = queues.arrived(5, seats: 2, flow: 3, now: 0)
        #expect(wide == .wait(queue: 1) && tied == .wait(queue: 3))
        let early = queues.arrived(6, seats: 1, flow: 2, now: 0)
        #expect(early == .run(queue: 2, seats: 1) && queues.waitingCount == 2 && queues.seatsInUse == 4)
        let started = queues.finished(queue: 0, seats: 1, ran: 60, now: 0)
        #expect(started.map(\.id) == [5])
    }

    @Test func `those behind a wide request that is given up start, and no arrival starts them unseen`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 1, handSize: 1, queueLength: 9), limit: 3, now: 0)
        _ = queues.arrived(1, seats: 2, flow: 0, now: 0)
        for (id, seats) in [(2, 2), (3, 1)] {
            let arrival = queues.arrived(UInt64(id), seats: seats, flow: 0, now: 0)
            #expect(arrival == .wait(queue: 0))
        }
        let started = queues.abandoned(2, queue: 0, now: 1)
        #expect(started?.map(\.id) == [3])
        let late = queues.arrived(4, seats: 1, flow: 0, now: 1)
        #expect(late == .wait(queue: 0))
        #expect(queues.waitingCount == 1)
    }

    @Test func `a wide request that waits beside free seats lifts no bound`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 1, handSize: 1, queueLength: 1), limit: 3, now: 0)
        _ = queues.arrived(1, seats: 2, flow: 0, now: 0)
        let wide = queues.arrived(2, seats: 3, flow: 0, now: 0)
        let next = queues.arrived(3, seats: 1, flow: 0, now: 0)
        #expect(wide == .wait(queue: 0))
        #expect(next == .reject(reason: "queue-full"))
    }

    @Test func `a level without seats serves one after the other where it has no queues, and nobody where it has`() {
        var bare = SeatQueues(SeatQueues.Settings(queues: 0, handSize: 1, queueLength: 0), limit: 0, now: 0)
        let first = bare.arrived(1, seats: 1, flow: 1, now: 0)
        let second = bare.arrived(2, seats: 1, flow: 1, now: 0)
        #expect(first == .run(queue: 0, seats: 1))
        #expect(second == .reject(reason: "concurrency-limit"))
        var queued = SeatQueues(SeatQueues.Settings(queues: 1, handSize: 1, queueLength: 1), limit: 0, now: 0)
        let third = queued.arrived(3, seats: 1, flow: 1, now: 0)
        let fourth = queued.arrived(4, seats: 1, flow: 1, now: 0)
        #expect(third == .wait(queue: 0))
        #expect(fourth == .reject(reason: "queue-full"))
    }

    @Test func `more seats start those who wait`() {
        var queues = SeatQueues(SeatQueues.Settings(queues: 4, handSize: 1, queueLength: 9), limit: 1, now: 0)
        _ = queues.arrived(1, seats: 1, flow: 0, now: 0)
        for id in 2...4 {
            let arrival = queues.arrived(UInt64(id), seats: 1, flow: UInt64(id), now: 0)
            #expect(arrival != .reject(reason: "queue-full"))
        }
        let outcome11 = queues.resized(SeatQueues.Settings(queues: 4, handSize: 1, queueLength: 9), limit: 3, now: 1)
        #expect(outcome11.count == 2)
        #expect(queues.waitingCount == 1)
    }

    @Test func `flows are spread over the queues`() {
        var used: Set<Int> = []
        for flow in 0..<200 {
            var queues = SeatQueues(Self.settings, limit: 1, now: 0)
            guard case .run(let queue, _) = queues.arrived(1, seats: 1, flow: FlowHash.of("s", "user-\(flow)"), now: 0) else { continue }
            used.insert(queue)
        }
        #expect(used.count > 50)
        #expect(used.allSatisfy { (0..<64).contains($0) })
    }

    @Test func `seats are divided by shares, lent within bounds`() {
        #expect(SeatAllocation.nominal([30, 40, 10, 40, 100, 20, 5, 0], total: 600) == [74, 98, 25, 98, 245, 49, 13, 0])
        func share(_ kept: Double, _ minimum: Double, _ maximum: Double, _ target: Double) -> SeatAllocation.Share {
            SeatAllocation.Share(kept: kept, minimum: minimum, maximum: maximum, target: target)
        }
        let shares = [share(5, 10, 1e6, 300), share(20, 50, 60, 50), share(0, 0, 1e6, 100)]
        let divided = SeatAllocation.divide(200, among: shares)
        #expect(abs(divided.reduce(0, +) - 200) < 0.01)
        #expect(divided[1] == 50)
        #expect(abs(divided[0] - 112.5) < 0.1)
        #expect(abs(divided[2] - 37.5) < 0.1)
        #expect(SeatAllocation.limits(200, among: shares) == [113, 50, 38] || SeatAllocation.limits(200, among: shares) == [112, 50, 37])
        // Too few for what was used last: as much of that as there is; too few for what is kept: that.
        #expect(SeatAllocation.limits(42, among: shares) == [7, 35, 0])
        #expect(SeatAllocation.limits(20, among: shares) == [5, 20, 0])
    }
}
