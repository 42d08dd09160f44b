import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct ReplicaSetPlanTests {
    let now = epoch + .seconds(3600)

    @Test func `too few pods are made up for, at most a burst at a time`() {
        let set = makeReplicaSet("web", 700)
        #expect(ReplicaSetPlan.scale(set, active: [makePod("a")], related: [], now: now).create == 500)
        #expect(ReplicaSetPlan.scale(makeReplicaSet("web", 3), active: [makePod("a")], related: [], now: now).create == 2)
        #expect(ReplicaSetPlan.scale(makeReplicaSet("web", 1), active: [makePod("a")], related: [], now: now).create == 0)
    }

    @Test func `of too many pods those go first whose loss is felt least`() {
        var cheap = makePod("cheap")
        cheap.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = "-5"
        let doubled = [makePod("twin-a", node: "n2"), makePod("twin-b", node: "n2")]
        var restarted = makePod("restarted")
        restarted.status.containerStatuses = [ContainerStatus { $0.restartCount = 4 }]
        let pods =
            [
                makePod("old", readyAt: epoch), restarted, cheap, makePod("unready", node: "n3", ready: false),
                makePod("pending", node: "n4", phase: "Pending", ready: false),
                makePod("unassigned", node: "", phase: "Pending", ready: false),
                makePod("young", node: "n5", readyAt: now + .seconds(-2)),
            ] + doubled
        let set = makeReplicaSet("web", 0)
        let order = DeletionOrder.first(8, of: pods, related: pods, now: now).map(\.name)
        #expect(order.prefix(4) == ["unassigned", "pending", "unready", "cheap"])
        #expect(!order.contains("young") || order.firstIndex(of: "young") == 7)
        #expect(set.desired == 0)
        #expect(
            DeletionOrder.first(2, of: doubled + [makePod("alone", node: "n9")], related: doubled, now: now).allSatisfy {
                $0.name.hasPrefix("twin")
            }
        )
    }

    @Test func `the newest of equally ready pods goes first, ages compared by magnitude`() {
        let pods = [makePod("old", readyAt: epoch), makePod("young", readyAt: now + .seconds(-10))]
        #expect(DeletionOrder.first(1, of: pods, related: [], now: now).first?.name == "young")
        var twinA = makePod("a", readyAt: now + .seconds(-1000))
        var twinB = makePod("b", readyAt: now + .seconds(-1010))
        twinA.metadata.uid = "2"
        twinB.metadata.uid = "1"
        #expect(DeletionOrder.first(1, of: [twinA, twinB], related: [], now: now).first?.name == "b")
    }

    @Test func `the status counts ready, available, labelled and terminating pods`() {
        var set = makeReplicaSet("web", 3)
        set.spec.minReadySeconds = 60
        let pods = [
            makePod("a", readyAt: now + .seconds(-61)), makePod("b", readyAt: now + .seconds(-20)),
            makePod("c", labels: ["other": "x"], ready: false),
        ]
        let status = ReplicaSetPlan.status(set, active: pods, terminating: 2, failure: nil, now: now)
        #expect(status.replicas == 3)
        #expect(status.readyReplicas == 2)
        #expect(status.availableReplicas == 1)
        #expect(status.fullyLabeledReplicas == 2)
        #expect(status.terminatingReplicas == 2)
        #expect(ReplicaSetPlan.nextCheck(set, status: status, active: pods, now: now) == .seconds(40))
    }

    @Test func `a failure to create is a condition until it works again`() {
        var set = makeReplicaSet("web", 3)
        set.status = ReplicaSetPlan.status(set, active: [], terminating: nil, failure: "quota", now: now)
        let condition = set.status.conditions.first
        #expect(condition?.type == "ReplicaFailure")
        #expect(condition?.reason == "FailedCreate")
        #expect(condition?.message == "quota")
        let after = ReplicaSetPlan.status(set, active: [], terminating: nil, failure: nil, now: now)
        #expect(after.conditions.isEmpty)
    }

    @Test func `orphans are adopted, strangers left alone, mismatches released`() {
        let set = makeReplicaSet("web", 3)
        let reference = set.controllerReference()
        var owned = makePod("owned")
        owned.metadata.ownerReferences = [reference]
        var stray = makePod("stray", labels: ["app": "other"])
        stray.metadata.ownerReferences = [reference]
        var foreign = makePod("foreign")
        foreign.metadata.ownerReferences = [makeReplicaSet("else", 1).controllerReference()]
        var leaving = makePod("leaving")
        leaving.metadata.deletionTimestamp = now
        let all = [owned, stray, foreign, leaving, makePod("orphan"), makePod("unrelated", labels: [:])]
        let claim = Claim.plan(owner: set.metadata, candidates: all) { $0.labels["app"] == "web" }
        #expect(claim.owned.map(\.name) == ["owned"])
        #expect(claim.adopt.map(\.name) == ["orphan"])
        #expect(claim.release.map(\.name) == ["stray"])
        var dying = set
        dying.metadata.deletionTimestamp = now
        let last = Claim.plan(owner: dying.metadata, candidates: all) { $0.labels["app"] == "web" }
        #expect(last.adopt.isEmpty)
        #expect(last.release.isEmpty)
        #expect(last.owned.map(\.name) == ["owned"])
    }
}
