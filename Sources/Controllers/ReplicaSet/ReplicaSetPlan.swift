import APIModel
import APITypes
import Units

/// What a replica set (or replication controller, seen as one) does next about its pods.
public struct ReplicaSetPlan: Sendable {
    /// No reconcile starts or stops more pods than this.
    public static let burst = 500

    /// How many pods to start.
    public var create = 0
    /// Which pods to stop.
    public var delete: [Pod] = []

    /// Compares the pods that count with the wanted number.
    /// `related` are the pods of all replica sets of the same controller: a node that runs several is thinned first.
    public static func scale(_ set: ReplicaSet, active: [Pod], related: [Pod], now: Timestamp) -> ReplicaSetPlan {
        var plan = ReplicaSetPlan()
        let difference = active.count - Int(set.spec.replicas ?? 1)
        if difference < 0 {
            plan.create = min(-difference, burst)
        } else if difference > 0 {
            plan.delete = DeletionOrder.first(
                min(difference, burst),
                of: active,
                related: related,
                minReadySeconds: set.spec.minReadySeconds,
                now: now
            )
        }
        return plan
    }

    /// The status that follows from the pods; `failure` is what the last scaling ran into.
    public static func status(
        _ set: ReplicaSet,
        active: [Pod],
        terminating: Int?,
        failure: String?,
        now: Timestamp
    ) -> ReplicaSetStatus {
        var status = set.status
        let minReadySeconds = Int(set.spec.minReadySeconds)
        let wanted = set.spec.template.metadata.labels
        var labeled = 0
        var ready = 0
        var available = 0
        for pod in active {
            let labels = pod.metadata.labels
            if wanted.allSatisfy({ labels[$0.key] == $0.value }) { labeled += 1 }
            guard pod.isReady else { continue }
            ready += 1
            if pod.isAvailable(minReadySeconds: minReadySeconds, now: now) { available += 1 }
        }
        setFailure(&status, set: set, active: active.count, failure: failure, now: now)
        status.replicas = .init(active.count)
        status.fullyLabeledReplicas = .init(labeled)
        status.readyReplicas = .init(ready)
        status.availableReplicas = .init(available)
        status.terminatingReplicas = terminating.map { .init($0) }
        return status
    }

    /// Whether the new status says anything the stored one does not.
    public static func statusDiffers(_ set: ReplicaSet, from status: ReplicaSetStatus) -> Bool {
        let old = set.status
        return old.replicas != status.replicas || old.fullyLabeledReplicas != status.fullyLabeledReplicas
            || old.readyReplicas != status.readyReplicas || old.availableReplicas != status.availableReplicas
            || old.terminatingReplicas != status.terminatingReplicas || old.conditions != status.conditions
            || set.metadata.generation != old.observedGeneration
    }

    /// When the status has to be looked at again because a ready pod becomes available by time alone.
    public static func nextCheck(
        _ set: ReplicaSet,
        status: ReplicaSetStatus,
        active: [Pod],
        now: Timestamp
    ) -> Duration? {
        let minReadySeconds = Int(set.spec.minReadySeconds)
        guard minReadySeconds > 0, status.readyReplicas != status.availableReplicas else { return nil }
        let next = active.compactMap { $0.becomesAvailable(minReadySeconds: minReadySeconds, now: now) }.min()
        return next ?? .seconds(minReadySeconds)
    }

    private static func setFailure(
        _ status: inout ReplicaSetStatus,
        set: ReplicaSet,
        active: Int,
        failure: String?,
        now: Timestamp
    ) {
        let known = status.conditions.contains { $0.type == "ReplicaFailure" }
        if let failure, !known {
            var condition = ReplicaSetCondition(fields: [:])
            condition.type = "ReplicaFailure"
            condition.status = "True"
            let difference = active - Int(set.spec.replicas ?? 1)
            condition.reason = difference < 0 ? "FailedCreate" : difference > 0 ? "FailedDelete" : ""
            condition.message = failure
            condition.lastTransitionTime = now
            status.conditions.append(condition)
        } else if failure == nil, known {
            status.conditions.removeAll { $0.type == "ReplicaFailure" }
        }
    }
}
