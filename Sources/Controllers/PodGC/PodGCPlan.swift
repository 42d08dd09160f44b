import APIModel
import APITypes
import Units

/// Which pods nobody else will remove.
public struct PodGCPlan: Sendable {
    /// Why a pod is removed, as the metrics name it.
    public enum Reason: String, Sendable {
        /// Finished, and too many finished ones are kept.
        case terminated
        /// Its node no longer exists.
        case orphaned
        /// Deleted before it was placed.
        case unscheduled = "terminating-unscheduled"
        /// Deleted, on a node that is out of service.
        case outOfService = "terminating-out-of-service"
    }

    /// A pod to remove at once.
    public struct Removal: Sendable {
        /// The pod.
        public var pod: Pod
        /// Why.
        public var reason: Reason
    }

    /// What to remove.
    public var removals: [Removal] = []
    /// Nodes that pods name but nobody knows; to be verified before their pods are removed.
    public var unknownNodes: Set<String> = []

    /// Decides. `gone` are the nodes that were verified not to exist.
    public static func plan(pods: [Pod], nodes: [String: Node], gone: Set<String>, threshold: Int) -> PodGCPlan {
        var plan = PodGCPlan()
        if threshold > 0 { plan.trimFinished(pods, threshold: threshold) }
        for pod in pods {
            let node = pod.spec.nodeName
            if node.isEmpty {
                if pod.isBeingDeleted { plan.removals.append(.init(pod: pod, reason: .unscheduled)) }
                continue
            }
            guard let known = nodes[node] else {
                if gone.contains(node) {
                    plan.removals.append(.init(pod: pod, reason: .orphaned))
                } else {
                    plan.unknownNodes.insert(node)
                }
                continue
            }
            guard pod.isBeingDeleted, known.readyStatus != "True" else { continue }
            if known.spec.taints.contains(where: { $0.key == "node.kubernetes.io/out-of-service" }) {
                plan.removals.append(.init(pod: pod, reason: .outOfService))
            }
        }
        return plan
    }

    /// The evicted go first, then the oldest.
    private mutating func trimFinished(_ pods: [Pod], threshold: Int) {
        let finished = pods.filter { !["Pending", "Running", "Unknown"].contains($0.status.phase) }
        guard finished.count > threshold else { return }
        let ranked = finished.map { (pod: $0, evicted: $0.wasEvicted, created: $0.metadata.creationTimestamp, name: $0.name) }
        let ordered = ranked.sorted { one, other in
            if one.evicted != other.evicted { return one.evicted }
            if one.created != other.created {
                guard let a = one.created, let b = other.created else { return one.created == nil }
                return a < b
            }
            return one.name < other.name
        }
        removals += ordered.prefix(finished.count - threshold).map { .init(pod: $0.pod, reason: .terminated) }
    }
}

extension Pod {
    /// The kubelet put it out for lack of resources.
    var wasEvicted: Bool { status.phase == "Failed" && status.reason == "Evicted" }

    /// This pod, failed; with a reason where there is one.
    func markedFailed(_ reason: PodGCPlan.Reason, now: Timestamp) -> Pod? {
        guard !isFinished else { return nil }
        var copy = self
        copy.status.phase = "Failed"
        if metadata.generation > 0 { copy.status.observedGeneration = metadata.generation }
        if reason == .orphaned {
            copy.status.set(disruption: "DeletionByPodGC", "PodGC: node no longer exists", generation: metadata.generation, now: now)
        }
        return copy
    }
}

extension PodStatus {
    /// Notes why the pod is being removed from outside.
    mutating func set(disruption reason: String, _ message: String, generation: Int, now: Timestamp) {
        var conditions = self.conditions
        let old = conditions.first { $0.type == "DisruptionTarget" }
        let condition = PodCondition {
            $0.type = "DisruptionTarget"
            $0.status = "True"
            $0.reason = reason
            $0.message = message
            if generation > 0 { $0.observedGeneration = generation }
            $0.lastTransitionTime = old?.status == "True" ? old?.lastTransitionTime ?? now : now
        }
        conditions.removeAll { $0.type == "DisruptionTarget" }
        conditions.append(condition)
        self.conditions = conditions
    }
}
