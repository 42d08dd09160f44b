import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct DisruptionBudgetPlanTests {
    func makeBudget(least: IntOrString? = nil, most: IntOrString? = nil) -> PodDisruptionBudget {
        var budget = PodDisruptionBudget(name: "b", namespace: "default")
        budget.metadata.generation = 3
        budget.spec.minAvailable = least
        budget.spec.maxUnavailable = most
        return budget
    }

    func plan(_ budget: PodDisruptionBudget, _ pods: [Pod], scale: Int? = 4, at now: Timestamp = epoch) -> DisruptionBudgetPlan {
        DisruptionBudgetPlan.plan(budget, pods: pods, now: now) { _ in scale.map { ("owner", $0) } }
    }

    let pods = (0..<4).map { makePod("p\($0)", ready: $0 != 3) }

    @Test(
        arguments: [
            (IntOrString.int(2), nil, 2, 1), (.int(3), nil, 3, 0), (.string("50%"), nil, 2, 1), (nil, IntOrString.int(1), 3, 0),
            (nil, .string("50%"), 2, 1), (nil, .int(9), 0, 3),
        ] as [(IntOrString?, IntOrString?, Int, Int)]
    )
    func `what may be evicted is what is healthy beyond the demand`(_ row: (IntOrString?, IntOrString?, Int, Int)) {
        let status = plan(makeBudget(least: row.0, most: row.1), pods).status
        #expect(status.desiredHealthy == row.2)
        #expect(status.disruptionsAllowed == row.3)
        #expect(status.currentHealthy == 3)
        #expect(status.expectedPods == 4)
        #expect(status.observedGeneration == 3)
        #expect(status.conditions.first?.reason == (row.3 > 0 ? "SufficientPods" : "InsufficientPods"))
    }

    @Test func `an eviction under way counts against the budget for two minutes`() {
        var budget = makeBudget(least: .int(1))
        budget.status.disruptedPods = ["p0": .string(epoch.rfc3339), "gone": .string(epoch.rfc3339)]
        let soon = plan(budget, pods, at: epoch + .seconds(30))
        #expect(soon.status.currentHealthy == 2)
        #expect(soon.status.disruptedPods.keys.sorted() == ["p0"])
        #expect(soon.requeueAfter == .seconds(90))
        #expect(plan(budget, pods, at: epoch + .seconds(121)).status.currentHealthy == 3)
    }

    @Test func `pods nobody manages make a percentage meaningless, and are named`() {
        let result = plan(makeBudget(most: .int(1)), pods, scale: nil)
        #expect(result.status.disruptionsAllowed == 0)
        #expect(result.events.first?.reason == "UnmanagedPods")
    }
}
