import APITypes
import Testing
import Values

@testable import Scheduler

/// Pods whose claims have no volume yet, in the words of upstream.
@Suite struct VolumeBindingTests {
    private func claim(
        bound: Bool = false,
        storageClass: String = "fast",
        phase: String = "Pending",
        deleted: Bool = false,
        owner: String? = nil
    ) -> ClaimFacts {
        var claim = PersistentVolumeClaim(name: "data", namespace: "default")
        claim.spec.storageClassName = storageClass
        if bound || phase == "Lost" { claim.spec.volumeName = "pv-1" }
        if bound { claim.metadata.annotations = ["pv.kubernetes.io/bind-completed": "yes"] }
        claim.fields["status"] = ["phase": .string(phase)]
        if deleted { claim.fields["metadata"]?.set("2026-01-01T00:00:00Z", at: ["deletionTimestamp"]) }
        if let owner {
            let reference: JSONValue = ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": .string(owner), "controller": true]
            claim.fields["metadata"]?.set([reference], at: ["ownerReferences"])
        }
        return ClaimFacts(claim)
    }

    private let user = pod("p", spec: ["volumes": [["name": "v", "persistentVolumeClaim": ["claimName": "data"]]]])
    private let ephemeral = pod("p", spec: ["volumes": [["name": "scratch", "ephemeral": ["volumeClaimTemplate": [:]]]]])

    private func answer(_ pod: SchedulingPod, _ claims: [String: ClaimFacts], delayed: Set<String> = []) -> SchedulingPlan {
        var snapshot = cluster([node("a")])
        snapshot.claims = claims
        snapshot.delayedClasses = delayed
        return decide(pod, snapshot)
    }

    private func refusal(_ pod: SchedulingPod, _ claims: [String: ClaimFacts]) -> String {
        guard case .reject(let failure, _) = answer(pod, claims) else { return "none" }
        return failure.preFilterMessage
    }

    @Test func `a pod waits for the volume of its claim, and says so as upstream does`() {
        guard case .reject(let failure, let outcome) = answer(user, ["default/data": claim()]) else {
            Issue.record("placed without a volume")
            return
        }
        var told = failure
        told.postFilterMessage = outcome?.status.message ?? ""
        #expect(
            told.message == "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. "
                + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
        #expect(failure.rejectors == ["VolumeBinding"])
        #expect(answer(user, ["default/data": claim(bound: true)]).node == "a")
        #expect(answer(user, ["default/data": claim()], delayed: ["fast"]).node == "a", "its class waits for the pod")
        #expect(answer(user, ["default/data": claim(storageClass: "")], delayed: ["fast"]).node == nil)
    }

    @Test func `claims that cannot be used have words of their own`() {
        #expect(refusal(user, [:]) == "persistentvolumeclaim \"data\" not found")
        #expect(refusal(user, ["other/data": claim(bound: true)]) == "persistentvolumeclaim \"data\" not found")
        #expect(refusal(user, ["default/data": claim(bound: true, deleted: true)]) == "persistentvolumeclaim \"data\" is being deleted")
        #expect(
            refusal(user, ["default/data": claim(phase: "Lost")])
                == "persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"pv-1\""
        )
        #expect(
            refusal(ephemeral, [:]) == "waiting for ephemeral volume controller to create the persistentvolumeclaim \"p-scratch\""
        )
        #expect(
            refusal(ephemeral, ["default/p-scratch": claim(bound: true)])
                == "PVC default/p-scratch was not created for pod default/p (pod is not owner)"
        )
        #expect(answer(ephemeral, ["default/p-scratch": claim(bound: true, owner: "uid-p")]).node == "a")
    }

    @Test func `the pod is tried again when its claim is bound, not when another's is`() {
        var state = SchedulerState(.standard(), seed: 1)
        state.apply(.node(node("a")), now: .zero)
        state.apply(.claim("default/data", claim()), now: .zero)
        state.apply(.pod(user), now: .zero)
        guard case .report(_, let message, _, _)? = state.decide(now: .zero) else {
            Issue.record("not refused")
            return
        }
        #expect(message.contains("unbound immediate"))
        state.apply(.claim("default/other", claim(bound: true)), now: .seconds(20))
        state.tick(now: .seconds(20))
        if state.decide(now: .seconds(20)) != nil { Issue.record("tried for nothing") }
        state.apply(.claim("default/data", claim(bound: true)), now: .seconds(21))
        state.tick(now: .seconds(40))
        guard case .bind(_, "a")? = state.decide(now: .seconds(40)) else {
            Issue.record("not bound after its claim was")
            return
        }
    }
}
