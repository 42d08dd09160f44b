import Testing
import Units
import Values

@testable import Scheduler

/// Who has to go for a pod of higher priority.
@Suite struct PreemptionTests {
    private func victims(_ plan: SchedulingPlan) -> [String] { (plan.outcome?.victims ?? []).map(\.name).sorted() }

    @Test func `the least important pods go, and only as many as needed`() {
        let placed = [
            pod("low", cpu: "2", priority: 1, on: "a"), pod("mid", cpu: "1", priority: 5, on: "a"),
            pod("high", cpu: "1", priority: 100, on: "a"),
        ]
        let plan = decide(pod("p", cpu: "2", priority: 50), cluster([node("a")], placed))
        #expect(plan.outcome?.nominatedNode == "a")
        #expect(victims(plan) == ["low"])
        #expect(plan.failure?.message == "0/1 nodes are available: 1 Insufficient cpu.")
    }

    @Test func `the node whose victims matter least is taken`() {
        let placed = [
            pod("a1", cpu: "4", priority: 5, on: "a"), pod("b1", cpu: "4", priority: 2, on: "b"),
            pod("c1", cpu: "2", priority: 2, on: "c"), pod("c2", cpu: "2", priority: 1, on: "c"),
        ]
        let plan = decide(pod("p", cpu: "4", priority: 50), cluster([node("a"), node("b"), node("c")], placed))
        #expect(plan.outcome?.nominatedNode == "b")
    }

    @Test func `budgets are spared where possible`() {
        let placed = [
            pod("a1", cpu: "4", labels: ["app": "web"], priority: 1, on: "a"), pod("b1", cpu: "4", priority: 9, on: "b"),
        ]
        var snapshot = cluster([node("a"), node("b")], placed)
        snapshot.disruptionBudgets = [
            DisruptionBudget(namespace: "default", selector: LabelSelector(matchLabels: ["app": "web"]), allowed: 0)
        ]
        #expect(decide(pod("p", cpu: "4", priority: 50), snapshot).outcome?.nominatedNode == "b")
        snapshot.disruptionBudgets = []
        #expect(decide(pod("p", cpu: "4", priority: 50), snapshot).outcome?.nominatedNode == "a")
    }

    @Test func `pods of equal or higher priority stay`() {
        let plan = decide(pod("p", cpu: "4", priority: 5), cluster([node("a")], [pod("x", cpu: "1", priority: 5, on: "a")]))
        #expect(plan.outcome?.victims.isEmpty ?? true)
        #expect(plan.outcome?.nominatedNode == "")
    }

    @Test func `a host port or an anti-affinity can be made free`() {
        let port = FilterTests.port(80)
        let plan = decide(
            pod("p", priority: 5, spec: .object(port.object.map { $0.merging("priority", 5) } ?? [:])),
            cluster([node("a")], [pod("x", on: "a", spec: port)])
        )
        #expect(victims(plan) == ["x"])
        let apart = FilterTests.near(anti: true, "kubernetes.io/hostname")
        let other = pod("p", labels: ["app": "web"], priority: 5, spec: .object(apart.object.map { $0.merging("priority", 5) } ?? [:]))
        #expect(victims(decide(other, cluster([node("a")], [pod("x", labels: ["app": "web"], on: "a")]))) == ["x"])
    }

    @Test func `room that was made is kept for whom it was made`() {
        var snapshot = cluster([node("a")])
        snapshot.nominate(pod("vip", cpu: "3", priority: 50), to: "a")
        #expect(decide(pod("p", cpu: "2", priority: 10), snapshot).node == nil)
        #expect(decide(pod("p", cpu: "2", priority: 60), snapshot).node == "a")
        snapshot.nominate(pod("vip"), to: nil)
        #expect(decide(pod("p", cpu: "2", priority: 10), snapshot).node == "a")
    }
}

extension JSONObject {
    func merging(_ key: String, _ value: JSONValue) -> JSONObject {
        var copy = self
        copy[key] = value
        return copy
    }
}
