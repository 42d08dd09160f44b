import APITypes
import Units

/// How many pods of a selector may still be taken away.
package struct DisruptionBudget: Sendable, Hashable {
    package let namespace: String
    package let selector: LabelSelector
    package let allowed: Int
    /// Pods whose eviction was granted already.
    package let disrupted: Set<String>

    /// A budget.
    package init(namespace: String, selector: LabelSelector, allowed: Int, disrupted: Set<String> = []) {
        self.namespace = namespace
        self.selector = selector
        self.allowed = allowed
        self.disrupted = disrupted
    }

    init(_ budget: PodDisruptionBudget) {
        self.init(
            namespace: budget.namespace,
            selector: TermSelector.read(budget.spec.selector, adding: []),
            allowed: budget.status.disruptionsAllowed,
            disrupted: Set(budget.status.disruptedPods.keys)
        )
    }

    /// Whether the budget is about the pod.
    func covers(_ pod: SchedulingPod) -> Bool {
        pod.namespace == namespace && !pod.labels.isEmpty && !selector.isEverything && selector.matches(pod.labels)
            && !disrupted.contains(pod.name)
    }
}
