import APIModel
import APITypes
import Units
import Values

/// How many of a budget's pods may be evicted now.
public struct DisruptionBudgetPlan: Sendable {
    /// How long an eviction that was allowed may take to show.
    static let evictionPatience: Duration = .seconds(120)

    /// The status to store.
    public var status: PodDisruptionBudgetStatus
    /// What to tell.
    public var events: [EventNote] = []
    /// When an eviction that did not happen is forgotten.
    public var requeueAfter: Duration?

    /// Decides. `pods` match the budget's selector; `scale` gives how many pods a pod's controller wants, by the
    /// controller's uid, nil for pods nobody manages.
    public static func plan(
        _ budget: PodDisruptionBudget,
        pods: [Pod],
        now: Timestamp,
        scale: (Pod) -> (uid: String, replicas: Int)?
    ) -> DisruptionBudgetPlan {
        var plan = DisruptionBudgetPlan(status: budget.status)
        let (disrupted, recheck) = stillDisrupted(budget, pods, now: now)
        let healthy = pods.count { $0.isReady && !$0.isBeingDeleted && disrupted[$0.name] == nil }
        guard let (expected, desired) = plan.demand(budget, pods, scale) else {
            plan.status.disruptionsAllowed = 0
            plan.note(.init("False", "SyncFailed", ""), generation: budget.metadata.generation, now: now)
            return plan
        }
        let allowed = expected <= 0 ? 0 : max(0, healthy - desired)
        plan.status.currentHealthy = healthy
        plan.status.desiredHealthy = desired
        plan.status.expectedPods = expected
        plan.status.disruptionsAllowed = allowed
        plan.status.disruptedPods = disrupted.mapValues { .string($0.rfc3339) }
        plan.status.observedGeneration = budget.metadata.generation
        let verdict = allowed > 0 ? Verdict("True", "SufficientPods", "") : Verdict("False", "InsufficientPods", "")
        plan.note(verdict, generation: budget.metadata.generation, now: now)
        plan.requeueAfter = recheck
        return plan
    }

    private struct Verdict {
        let status: String
        let reason: String
        let message: String

        init(_ status: String, _ reason: String, _ message: String) {
            (self.status, self.reason, self.message) = (status, reason, message)
        }
    }

    /// How many pods there should be, and how many of them have to be healthy.
    private mutating func demand(
        _ budget: PodDisruptionBudget,
        _ pods: [Pod],
        _ scale: (Pod) -> (uid: String, replicas: Int)?
    ) -> (expected: Int, desired: Int)? {
        if let limit = budget.spec.maxUnavailable {
            let expected = expected(budget, pods, scale)
            guard let most = limit.scaledValue(total: expected, roundUp: true) else { return nil }
            return (expected, max(0, expected - most))
        }
        guard let least = budget.spec.minAvailable else { return (pods.count, 0) }
        if case .int(let number) = least { return (pods.count, Int(number)) }
        let expected = expected(budget, pods, scale)
        return least.scaledValue(total: expected, roundUp: true).map { (expected, $0) }
    }

    private mutating func expected(
        _ budget: PodDisruptionBudget,
        _ pods: [Pod],
        _ scale: (Pod) -> (uid: String, replicas: Int)?
    ) -> Int {
        var scales: [String: Int] = [:]
        var hasUnmanaged = false
        for pod in pods {
            if let found = scale(pod) {
                scales[found.uid] = found.replicas
            } else {
                hasUnmanaged = true
            }
        }
        if hasUnmanaged {
            let advice = "To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value."
            let selected = "Pods selected by this PodDisruptionBudget (selector: \(Self.text(budget.spec.selector)))"
            let message =
                "\(selected) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, "
                + "which may result in undefined behavior. \(advice)"
            events.append(.init(.warning, "UnmanagedPods", message))
        }
        return scales.values.reduce(0, +)
    }

    /// As Go prints a selector, which is what people search for.
    private static func text(_ selector: MetaLabelSelector?) -> String {
        let labels = (selector?.matchLabels ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)," }.joined()
        return "&LabelSelector{MatchLabels:map[string]string{\(labels)},MatchExpressions:[]LabelSelectorRequirement{},}"
    }

    private static func stillDisrupted(
        _ budget: PodDisruptionBudget,
        _ pods: [Pod],
        now: Timestamp
    ) -> (pods: [String: Timestamp], recheck: Duration?) {
        let noted = budget.status.disruptedPods
        guard !noted.isEmpty else { return ([:], nil) }
        var kept: [String: Timestamp] = [:]
        var recheck: Duration?
        for pod in pods where !pod.isBeingDeleted {
            guard let since = noted[pod.name]?.string.flatMap({ Timestamp($0) }) else { continue }
            let rest = evictionPatience - (now - since)
            guard rest > .zero else { continue }
            kept[pod.name] = since
            recheck = min(recheck ?? rest, rest)
        }
        return (kept, recheck)
    }

    private mutating func note(_ verdict: Verdict, generation: Int, now: Timestamp) {
        var conditions = status.conditions
        let old = conditions.first { $0.type == "DisruptionAllowed" }
        if let old, old.status == verdict.status, old.reason == verdict.reason, old.observedGeneration == generation { return }
        conditions.removeAll { $0.type == "DisruptionAllowed" }
        conditions.append(
            Condition {
                $0.type = "DisruptionAllowed"
                $0.status = verdict.status
                $0.reason = verdict.reason
                $0.message = verdict.message
                $0.observedGeneration = generation
                $0.lastTransitionTime = old?.status == verdict.status ? old?.lastTransitionTime ?? now : now
            }
        )
        status.conditions = conditions
    }
}
