import APIModel
import APITypes
import Units

/// What controllers ask of a pod; each answer is derived from the object alone.
extension Pod {
    /// Counts towards its owner's replicas: neither finished nor being deleted.
    public var isActive: Bool { !isFinished && metadata.deletionTimestamp == nil }

    /// Ran to its end, well or badly.
    public var isFinished: Bool { status.phase == "Succeeded" || status.phase == "Failed" }

    /// Is being deleted while its containers may still run.
    public var isTerminating: Bool { !isFinished && metadata.deletionTimestamp != nil }

    /// Its `Ready` condition.
    public var readyCondition: PodCondition? { status.conditions.first { $0.type == "Ready" } }

    /// Passed its readiness probes and gates.
    public var isReady: Bool { readyCondition?.status == "True" }

    /// Since when the pod has been ready; nil while it is not.
    public var readySince: Timestamp? {
        guard let condition = readyCondition, condition.status == "True" else { return nil }
        return condition.lastTransitionTime
    }

    /// Has been ready for at least `minReadySeconds`.
    public func isAvailable(minReadySeconds: Int, now: Timestamp) -> Bool {
        guard isReady else { return false }
        guard minReadySeconds > 0 else { return true }
        guard let since = readySince else { return false }
        return since + Duration.seconds(minReadySeconds) <= now
    }

    /// When a pod that is ready but not yet available becomes available, counted from `now`.
    public func becomesAvailable(minReadySeconds: Int, now: Timestamp) -> Duration? {
        guard minReadySeconds > 0, isReady, let since = readySince else { return nil }
        let rest = (since + Duration.seconds(minReadySeconds)) - now
        return rest > .zero ? rest : nil
    }

    /// The preference given by `controller.kubernetes.io/pod-deletion-cost`; malformed values count as 0.
    public var deletionCost: Int {
        guard let text = metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] else { return 0 }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard let first = digits.first, first != "0" || digits == "0", first != "+", let cost = Int32(text) else { return 0 }
        return Int(cost)
    }
}
