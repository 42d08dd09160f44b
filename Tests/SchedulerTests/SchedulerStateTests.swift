import Testing
import Values

@testable import Scheduler

/// The scheduler's own book-keeping: assumed pods, confirmations, failures, nodes and pods in any order.
@Suite struct SchedulerStateTests {
    private func state(_ nodes: NodeFacts...) -> SchedulerState {
        var state = SchedulerState(.standard(), seed: 1)
        for node in nodes { state.apply(.node(node), now: .zero) }
        return state
    }

    private func used(_ state: SchedulerState, _ node: String) -> Int64 {
        state.snapshot.node(node)?.requested.milliCPU ?? -1
    }

    private func bindJob(_ job: SchedulerState.Job?) -> (pod: QueuedPod, node: String)? {
        if case .bind(let pod, let node)? = job { return (pod, node) }
        return nil
    }

    @Test func `a decision counts before it is written, and once only after it is seen`() throws {
        var state = state(node("a", cpu: 2))
        state.apply(.pod(pod("p", cpu: "1500m")), now: .zero)
        state.apply(.pod(pod("q", cpu: "1")), now: .zero)
        let first = state.decide(now: .zero)
        let job = try #require(bindJob(first))
        #expect(job.node == "a")
        #expect(used(state, "a") == 1_500)
        guard case .report(let other, let message, _, _)? = state.decide(now: .zero) else {
            Issue.record("q fits where p is assumed")
            return
        }
        #expect(other.pod.name == "q")
        #expect(message.hasPrefix("0/1 nodes are available: 1 Insufficient cpu."))
        state.bound(job.pod)
        // The echo of the pod from before the binding, then the bound pod, twice.
        state.apply(.pod(pod("p", cpu: "1500m")), now: .zero)
        #expect(state.queue.hasActive == false)
        for _ in 0..<2 { state.apply(.pod(pod("p", cpu: "1500m", on: "a")), now: .zero) }
        #expect(used(state, "a") == 1_500)
        #expect(state.assumedCount == 0)
        state.apply(.podGone(uid: "uid-p"), now: .seconds(2))
        #expect(used(state, "a") == 0)
        #expect(state.queue.counts.active == 1)
    }

    @Test func `a binding that fails gives the room back and the pod another try`() throws {
        var state = state(node("a"))
        state.apply(.pod(pod("p", cpu: "1")), now: .zero)
        let first = state.decide(now: .zero)
        let job = try #require(bindJob(first))
        state.bindFailed(job.pod, now: .zero)
        #expect(used(state, "a") == 0)
        #expect(state.queue.counts.backoff == 1)
        let again = state.decide(now: .seconds(1))
        #expect(bindJob(again)?.pod.attempts == 2)
    }

    @Test func `a pod deleted while it is being bound is forgotten`() throws {
        var state = state(node("a"))
        state.apply(.pod(pod("p", cpu: "1")), now: .zero)
        let first = state.decide(now: .zero)
        let job = try #require(bindJob(first))
        state.apply(.podGone(uid: "uid-p"), now: .zero)
        state.bindFailed(job.pod, now: .zero)
        #expect(used(state, "a") == 0)
        #expect(state.queue.counts == (0, 0, 0, 0))
    }

    @Test func `a binding that failed but was made after all stands`() throws {
        var state = state(node("a"))
        state.apply(.pod(pod("p", cpu: "1")), now: .zero)
        let first = state.decide(now: .zero)
        let job = try #require(bindJob(first))
        state.apply(.pod(pod("p", cpu: "1", on: "a")), now: .zero)
        state.bindFailed(job.pod, now: .zero)
        #expect(used(state, "a") == 1_000)
        #expect(state.queue.counts == (0, 0, 0, 0))
    }

    @Test func `pods seen before their node count once it comes, and again when it comes back`() {
        var state = state()
        state.apply(.pod(pod("p", cpu: "1", on: "a")), now: .zero)
        state.apply(.node(node("a")), now: .zero)
        #expect(used(state, "a") == 1_000)
        state.apply(.nodeGone("a"), now: .zero)
        state.apply(.node(node("a")), now: .zero)
        #expect(used(state, "a") == 1_000)
        state.apply(.podGone(uid: "uid-p"), now: .zero)
        #expect(used(state, "a") == 0)
    }

    @Test func `a finished pod takes no room`() {
        var state = state(node("a"))
        state.apply(.pod(pod("p", cpu: "1", on: "a")), now: .zero)
        state.apply(.pod(pod("p", cpu: "1", on: "a", status: json(#"{"phase":"Succeeded"}"#))), now: .zero)
        #expect(used(state, "a") == 0)
    }

    @Test func `a node that comes brings back who waits for one`() {
        var state = state()
        state.apply(.pod(pod("p", cpu: "1")), now: .zero)
        guard case .report(_, "no nodes available to schedule pods", nil, _)? = state.decide(now: .zero) else {
            Issue.record("a pod was placed on nothing")
            return
        }
        state.apply(.node(node("a")), now: .seconds(5))
        let job = state.decide(now: .seconds(5))
        #expect(bindJob(job)?.node == "a")
    }

    @Test func `pods of other schedulers are counted but not scheduled`() {
        var state = state(node("a"))
        state.apply(.pod(pod("p", cpu: "1", spec: json(#"{"schedulerName":"other"}"#))), now: .zero)
        let none = state.decide(now: .zero)
        #expect(bindJob(none) == nil)
        state.apply(.pod(pod("p", cpu: "1", on: "a", spec: json(#"{"schedulerName":"other"}"#))), now: .zero)
        #expect(used(state, "a") == 1_000)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `the book agrees with the cluster after any sequence of changes`(_ seed: UInt64) {
        var random = Mixer(state: seed)
        var state = SchedulerState(.standard(), seed: seed)
        var nodes: Set<String> = []
        var placed: [String: String] = [:]
        var now = Duration.zero
        for step in 0..<600 {
            now += .milliseconds(Int.random(in: 0..<800, using: &random))
            let name = "n\(Int.random(in: 0..<6, using: &random))"
            let uid = "p\(Int.random(in: 0..<40, using: &random))"
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                state.apply(.node(node(name, cpu: 4)), now: now)
                nodes.insert(name)
            case 1 where step % 3 == 0:
                state.apply(.nodeGone(name), now: now)
                nodes.remove(name)
            case 2:
                state.apply(.podGone(uid: "uid-\(uid)"), now: now)
                placed[uid] = nil
            case 3...6:
                if placed[uid] == nil { state.apply(.pod(pod(uid, cpu: "1")), now: now) }
            default:
                guard case .bind(let job, let target)? = state.decide(now: now) else { continue }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    state.bindFailed(job, now: now)
                } else {
                    state.bound(job)
                    state.apply(.pod(pod(job.pod.name, cpu: "1", on: target)), now: now)
                    placed[job.pod.name] = target
                }
            }
            for node in nodes {
                let expected = placed.values.count { $0 == node }
                #expect(state.snapshot.node(node)?.pods.count == expected, "seed \(seed) step \(step) node \(node)")
                #expect(used(state, node) == Int64(expected) * 1_000)
                #expect(expected <= 4)
            }
        }
    }
}
