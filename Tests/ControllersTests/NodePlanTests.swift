import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct NodeHealthTests {
    func kinds(_ actions: [NodeHealthMonitor.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .registered(let name, _): "registered \(name)"
            case .removed(let name, _): "removed \(name)"
            case .updateStatus(let node): "status \(node.name) \(node.readyStatus ?? "-")"
            case .becameUnready(let node): "unready \(node.name)"
            case .markPodsUnready(let node): "pods \(node.name)"
            case .taint(let node, let add, let remove):
                "taint \(node.name) +\(add.map(\.key)) -\(remove.map(\.key))"
            }
        }
    }

    @Test func `a node whose lease is not renewed becomes unknown after the grace period`() {
        var monitor = NodeHealthMonitor()
        let nodes = [makeNode("a"), makeNode("b")]
        var now = epoch
        #expect(kinds(monitor.observe(nodes, now: now) { _ in now }) == ["registered a", "registered b"])
        let lastRenewal = now
        for _ in 0..<8 {
            now = now + .seconds(5)
            #expect(kinds(monitor.observe(nodes, now: now) { $0 == "a" ? now : lastRenewal }) == [])
        }
        now = now + .seconds(5)
        let actions = kinds(monitor.observe(nodes, now: now) { $0 == "a" ? now : lastRenewal })
        #expect(actions == ["status b Unknown", "unready b"])
        let tainted = monitor.taintDue(now: now) { name in
            name == "b" ? makeNode("b").silenced(now: now) : makeNode(name)
        }
        #expect(kinds(tainted) == ["taint b +[\"node.kubernetes.io/unreachable\"] -[\"node.kubernetes.io/not-ready\"]"])
    }

    @Test func `a node that never reported is unknown after the startup grace period`() {
        var monitor = NodeHealthMonitor()
        let node = makeNode("a", ready: nil)
        _ = monitor.observe([node], now: epoch) { _ in nil }
        #expect(kinds(monitor.observe([node], now: epoch + .seconds(59)) { _ in nil }) == [])
        #expect(kinds(monitor.observe([node], now: epoch + .seconds(61)) { _ in nil }) == ["status a Unknown", "pods a"])
        let silent = node.silenced(now: epoch)
        #expect(silent.status.conditions.map(\.type) == ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"])
        #expect(silent.condition("Ready")?.reason == "NodeStatusNeverUpdated")
        #expect(silent.condition("Ready")?.message == "Kubelet never posted node status.")
    }

    @Test func `when every node is down nobody is evicted`() {
        var monitor = NodeHealthMonitor()
        let nodes = [makeNode("a"), makeNode("b")]
        _ = monitor.observe(nodes, now: epoch) { _ in epoch }
        let now = epoch + .seconds(50)
        let down = nodes.map { $0.silenced(now: now) }
        _ = monitor.observe(nodes, now: now) { _ in epoch }
        _ = monitor.observe(down, now: now + .seconds(5)) { _ in epoch }
        #expect(monitor.taintDue(now: now + .seconds(60)) { name in down.first { $0.name == name } }.isEmpty)
    }

    @Test func `nodes of a zone are tainted ten seconds apart`() {
        var monitor = NodeHealthMonitor()
        let good = (0..<7).map { makeNode("g\($0)") }
        let bad = (0..<2).map { makeNode("b\($0)", ready: "False") }
        _ = monitor.observe(good + bad, now: epoch) { _ in epoch }
        let find: (String) -> Node? = { name in (good + bad).first { $0.name == name } }
        #expect(monitor.taintDue(now: epoch, node: find).count == 1)
        #expect(monitor.taintDue(now: epoch + .seconds(5), node: find).isEmpty)
        #expect(monitor.taintDue(now: epoch + .seconds(10), node: find).count == 1)
    }

    @Test func `a healthy node loses its eviction taints`() {
        var monitor = NodeHealthMonitor()
        let node = makeNode("a").swappingTaints(add: [.unreachable(epoch)], remove: [])
        #expect(kinds(monitor.observe([node], now: epoch) { _ in epoch }).last == "taint a +[] -[\"node.kubernetes.io/unreachable\"]")
        #expect(kinds(monitor.observe([], now: epoch) { _ in nil }) == ["removed a"])
    }

    @Test func `conditions call for taints that keep new pods away`() {
        var node = makeNode("a", ready: "Unknown")
        node.spec.unschedulable = true
        let tainted = node.withConditionTaints(now: epoch)
        #expect(tainted?.spec.taints.map(\.key) == ["node.kubernetes.io/unreachable", "node.kubernetes.io/unschedulable"])
        #expect(tainted?.spec.taints.allSatisfy { $0.effect == "NoSchedule" } == true)
        #expect(tainted?.withConditionTaints(now: epoch) == nil)
        var healed = tainted ?? node
        healed.status.conditions = makeNode("a").status.conditions
        healed.spec.unschedulable = false
        #expect(healed.withConditionTaints(now: epoch)?.spec.taints.isEmpty == true)
    }
}

@Suite struct EvictionScheduleTests {
    let taint = Taint.make("node.kubernetes.io/unreachable", "NoExecute", epoch)
    func toleration(_ seconds: Int?) -> Toleration {
        Toleration {
            $0.key = "node.kubernetes.io/unreachable"
            $0.operator = "Exists"
            $0.effect = "NoExecute"
            $0.tolerationSeconds = seconds
        }
    }

    @Test func `a pod leaves when its toleration runs out, counted from the taint`() {
        var schedule = EvictionSchedule()
        #expect(schedule.observe("p", tolerations: [toleration(300)], taints: [taint], now: epoch) == .due(epoch + .seconds(300)))
        #expect(schedule.observe("p", tolerations: [toleration(300)], taints: [taint], now: epoch + .seconds(100)) == .none)
        #expect(schedule.takeDue(now: epoch + .seconds(299)).isEmpty)
        #expect(schedule.takeDue(now: epoch + .seconds(300)) == ["p"])
        #expect(schedule.next == nil)
    }

    @Test func `no toleration means at once, an endless one never`() {
        var schedule = EvictionSchedule()
        #expect(schedule.observe("now", tolerations: [], taints: [taint], now: epoch) == .due(epoch))
        #expect(schedule.observe("never", tolerations: [toleration(nil)], taints: [taint], now: epoch) == .none)
        #expect(schedule.observe("zero", tolerations: [toleration(0)], taints: [taint], now: epoch) == .due(epoch))
        #expect(schedule.takeDue(now: epoch).count == 2)
    }

    @Test func `a removed taint cancels`() {
        var schedule = EvictionSchedule()
        _ = schedule.observe("p", tolerations: [toleration(300)], taints: [taint], now: epoch)
        #expect(schedule.observe("p", tolerations: [toleration(300)], taints: [], now: epoch) == .cancelled)
        #expect(schedule.cancel("p") == .none)
    }
}

@Suite struct PodGCPlanTests {
    @Test func `the oldest finished pods beyond the threshold go, the evicted first`() {
        var evicted = makePod("evicted", phase: "Failed", created: epoch + .seconds(99))
        evicted.status.reason = "Evicted"
        let pods = (0..<4).map { makePod("p\($0)", phase: "Succeeded", created: epoch + .seconds($0)) } + [evicted]
        let plan = PodGCPlan.plan(pods: pods, nodes: ["n1": makeNode("n1")], gone: [], threshold: 3)
        #expect(plan.removals.map(\.pod.name) == ["evicted", "p0"])
    }

    @Test func `pods of nodes that are verified gone are failed with a reason`() {
        let pod = makePod("p", node: "lost")
        let first = PodGCPlan.plan(pods: [pod], nodes: [:], gone: [], threshold: 10)
        #expect(first.removals.isEmpty)
        #expect(first.unknownNodes == ["lost"])
        let second = PodGCPlan.plan(pods: [pod], nodes: [:], gone: ["lost"], threshold: 10)
        #expect(second.removals.map(\.reason) == [.orphaned])
        let failed = pod.markedFailed(.orphaned, now: epoch)
        #expect(failed?.status.phase == "Failed")
        #expect(failed?.status.conditions.last?.reason == "DeletionByPodGC")
        #expect(failed?.status.conditions.last?.message == "PodGC: node no longer exists")
    }

    @Test func `a pod deleted before it was placed goes at once`() {
        var pod = makePod("p", node: "", phase: "Pending", ready: false)
        pod.metadata.deletionTimestamp = epoch
        #expect(PodGCPlan.plan(pods: [pod], nodes: [:], gone: [], threshold: 1).removals.map(\.reason) == [.unscheduled])
    }
}

@Suite struct PodCIDRPoolTests {
    @Test func `every node gets a part of its own until there are none`() throws {
        let cluster = try #require(CIDR("10.244.0.0/22"))
        var pool = try #require(PodCIDRPool(cluster: cluster, nodePrefix: 24))
        let own = pool.occupy("10.244.1.0/24")
        let foreign = pool.occupy("192.168.0.0/24")
        #expect(own && !foreign)
        #expect(pool.allocate() == "10.244.0.0/24")
        #expect(pool.allocate() == "10.244.2.0/24")
        #expect(pool.allocate() == "10.244.3.0/24")
        #expect(pool.allocate() == nil)
        pool.release("10.244.2.0/24")
        #expect(pool.allocate() == "10.244.2.0/24")
        #expect(PodCIDRPool(cluster: cluster, nodePrefix: 16) == nil)
    }

    @Test func `a large range is handed out in order`() throws {
        let cluster = try #require(CIDR("10.244.0.0/16"))
        var pool = try #require(PodCIDRPool(cluster: cluster, nodePrefix: 24))
        let all = (0..<256).compactMap { _ in pool.allocate() }
        #expect(Set(all).count == 256)
        #expect(all.last == "10.244.255.0/24")
        #expect(pool.allocate() == nil)
    }
}

@Suite struct FinishedJobTests {
    @Test func `a finished job is removed when its time is over`() {
        var job = Job(name: "j", namespace: "default")
        job.spec.ttlSecondsAfterFinished = 60
        #expect(FinishedJob.decide(job, now: epoch) == .keep)
        job.status.conditions = [
            JobCondition {
                $0.type = "Complete"
                $0.status = "True"
                $0.lastTransitionTime = epoch
            }
        ]
        #expect(FinishedJob.decide(job, now: epoch + .seconds(20)) == .wait(.seconds(40)))
        #expect(FinishedJob.decide(job, now: epoch + .seconds(60)) == .remove)
    }
}
