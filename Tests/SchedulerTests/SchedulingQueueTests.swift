import Testing
import Values

@testable import Scheduler

/// Which pod comes next, and what brings a rejected one back.
@Suite struct SchedulingQueueTests {
    private func names(_ queue: inout SchedulingQueue, now: Duration) -> [String] {
        var names: [String] = []
        while let next = queue.pop(now: now) { names.append(next.pod.name) }
        return names
    }

    private func peek(_ queue: SchedulingQueue, _ now: Duration) -> String? {
        var copy = queue
        return copy.pop(now: now)?.pod.name
    }

    @Test func `priority first, then who came first`() {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("b", priority: 1), now: .seconds(1))
        queue.update(pod("a", priority: 1), now: .seconds(1))
        queue.update(pod("c", priority: 9), now: .seconds(5))
        queue.update(pod("d", priority: 1), now: .seconds(0))
        let found = names(&queue, now: .seconds(9))
        #expect(found == ["c", "d", "b", "a"])
    }

    @Test func `a heap gives back what was put in, in order, whatever is removed`() {
        var random = Mixer(state: 3)
        var queue = SchedulingQueue(.standard())
        var expected: [(Int, Int)] = []
        for index in 0..<500 {
            let priority = Int.random(in: 0..<20, using: &random)
            queue.update(pod("\(index)", priority: priority), now: .zero)
            expected.append((priority, index))
        }
        for _ in 0..<200 {
            let gone = expected.remove(at: Int.random(in: 0..<expected.count, using: &random))
            queue.remove("uid-\(gone.1)")
        }
        expected.sort { $0.0 != $1.0 ? $0.0 > $1.0 : $0.1 < $1.1 }
        let found = names(&queue, now: .zero)
        #expect(found == expected.map { "\($0.1)" })
    }

    @Test func `a rejected pod waits for an event its rejectors care about`() throws {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("p", cpu: "3", spec: json(#"{"nodeSelector":{"d":"ssd"}}"#)), now: .zero)
        let popped = queue.pop(now: .zero)
        var queued = try #require(popped)
        queued.rejectors = ["NodeAffinity"]
        queue.requeue(queued, now: .zero)
        #expect(queue.counts == (0, 0, 1, 0))
        queue.happened(ClusterEvent(.assignedPodDelete, label: "AssignedPodDelete"), now: .seconds(20))
        queue.happened(ClusterEvent(.nodeAdd, label: "NodeAdd", node: node("x")), now: .seconds(20))
        #expect(queue.counts == (0, 0, 1, 0))
        queue.happened(ClusterEvent(.nodeAdd, label: "NodeAdd", node: node("x", labels: ["d": "ssd"])), now: .seconds(20))
        #expect(queue.counts == (1, 0, 0, 0))
    }

    @Test func `backing off doubles to ten seconds`() throws {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("p"), now: .zero)
        var now = Duration.zero
        for wait in [1, 2, 4, 8, 10, 10] {
            let popped = queue.pop(now: now)
            let queued = try #require(popped)
            queue.requeue(queued, now: now)
            #expect(queue.counts == (0, 1, 0, 0))
            #expect(queue.nextTick == now + .seconds(wait))
            #expect(peek(queue, now + .seconds(wait) - .milliseconds(1)) == nil)
            now += .seconds(wait)
        }
        #expect(peek(queue, now) != nil)
    }

    @Test func `an event during the cycle is not missed`() throws {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("p", cpu: "1"), now: .zero)
        let popped = queue.pop(now: .zero)
        var queued = try #require(popped)
        queue.happened(ClusterEvent(.nodeAdd, label: "NodeAdd", node: node("x")), now: .zero)
        queued.rejectors = ["NodeResourcesFit"]
        queue.requeue(queued, now: .zero)
        #expect(queue.counts == (0, 1, 0, 0))
    }

    @Test func `gates hold a pod back until they are gone`() {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("p", spec: json(#"{"schedulingGates":[{"name":"x.io/g"}]}"#)), now: .zero)
        #expect(queue.counts == (0, 0, 0, 1))
        #expect(peek(queue, .zero) == nil)
        queue.update(pod("p"), now: .seconds(1))
        #expect(peek(queue, .seconds(1)) == "p")
        #expect(
            SchedulingGates().preEnqueue(pod("p", spec: json(#"{"schedulingGates":[{"name":"a"},{"name":"b"}]}"#))).message
                == "waiting for scheduling gates: [a b]"
        )
    }

    @Test func `a pod no event has helped is tried again after five minutes`() throws {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("p", cpu: "1"), now: .zero)
        let popped = queue.pop(now: .zero)
        var queued = try #require(popped)
        queued.rejectors = ["NodeResourcesFit"]
        queue.requeue(queued, now: .zero)
        queue.tick(now: .seconds(299))
        #expect(queue.counts.unschedulable == 1)
        queue.tick(now: .seconds(301))
        #expect(queue.counts == (1, 0, 0, 0))
    }

    @Test func `our own status patch does not bring a pod back`() throws {
        var queue = SchedulingQueue(.standard())
        queue.update(pod("p", cpu: "1"), now: .zero)
        let popped = queue.pop(now: .zero)
        var queued = try #require(popped)
        queued.rejectors = ["NodeResourcesFit"]
        queue.requeue(queued, now: .zero)
        queue.update(pod("p", cpu: "1", status: json(#"{"conditions":[{"type":"PodScheduled","status":"False"}]}"#)), now: .seconds(1))
        #expect(queue.counts.unschedulable == 1)
        queue.update(pod("p", cpu: "500m"), now: .seconds(2))
        #expect(queue.counts.unschedulable == 0)
    }
}

struct Mixer: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
