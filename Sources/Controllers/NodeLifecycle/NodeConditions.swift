import APIModel
import APITypes
import Units

extension Node {
    /// The condition of a type.
    func condition(_ type: String) -> NodeCondition? { status.conditions.first { $0.type == type } }

    /// The status of `Ready`; nil when the kubelet has not written one.
    var readyStatus: String? { condition("Ready")?.status }

    /// Where the node is, as far as failures go together.
    var zone: String {
        let labels = metadata.labels
        let region = labels["topology.kubernetes.io/region"] ?? labels["failure-domain.beta.kubernetes.io/region"] ?? ""
        let zone = labels["topology.kubernetes.io/zone"] ?? labels["failure-domain.beta.kubernetes.io/zone"] ?? ""
        return region.isEmpty && zone.isEmpty ? "" : "\(region):\0:\(zone)"
    }

    func has(_ taint: Taint) -> Bool {
        spec.taints.contains { $0.key == taint.key && $0.effect == taint.effect }
    }

    /// This node with everything its kubelet vouches for unknown.
    func silenced(now: Timestamp) -> Node {
        var copy = self
        var conditions = status.conditions
        for type in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
            if let index = conditions.firstIndex(where: { $0.type == type }) {
                guard conditions[index].status != "Unknown" else { continue }
                conditions[index].status = "Unknown"
                conditions[index].reason = "NodeStatusUnknown"
                conditions[index].message = "Kubelet stopped posting node status."
                conditions[index].lastTransitionTime = now
            } else {
                conditions.append(
                    NodeCondition {
                        $0.type = type
                        $0.status = "Unknown"
                        $0.reason = "NodeStatusNeverUpdated"
                        $0.message = "Kubelet never posted node status."
                        $0.lastHeartbeatTime = metadata.creationTimestamp
                        $0.lastTransitionTime = now
                    }
                )
            }
        }
        copy.status.conditions = conditions
        return copy
    }

    /// The taints that keep new pods away, as the conditions call for; nil when they are there already.
    func withConditionTaints(now: Timestamp) -> Node? {
        let wanted = conditionTaints
        let present = spec.taints.filter { $0.effect == "NoSchedule" && Taint.ofConditions.contains($0.key) }
        let missing = wanted.filter { key in !present.contains { $0.key == key } }
        let surplus = present.filter { !wanted.contains($0.key) }.map(\.key)
        guard !missing.isEmpty || !surplus.isEmpty else { return nil }
        return swappingTaints(
            add: missing.map { Taint.make($0, "NoSchedule", now) },
            remove: surplus.map { Taint.make($0, "NoSchedule", nil) }
        )
    }

    private var conditionTaints: [String] {
        var keys: [String] = []
        for condition in status.conditions {
            switch (condition.type, condition.status) {
            case ("Ready", "False"): keys.append("node.kubernetes.io/not-ready")
            case ("Ready", "Unknown"): keys.append("node.kubernetes.io/unreachable")
            case ("MemoryPressure", "True"): keys.append("node.kubernetes.io/memory-pressure")
            case ("DiskPressure", "True"): keys.append("node.kubernetes.io/disk-pressure")
            case ("NetworkUnavailable", "True"): keys.append("node.kubernetes.io/network-unavailable")
            case ("PIDPressure", "True"): keys.append("node.kubernetes.io/pid-pressure")
            default: break
            }
        }
        if spec.unschedulable { keys.append("node.kubernetes.io/unschedulable") }
        return keys
    }

    /// With some taints gone and others in; what is there already stays as it is.
    func swappingTaints(add: [Taint], remove: [Taint]) -> Node {
        var copy = self
        var taints = spec.taints.filter { taint in
            !remove.contains { $0.key == taint.key && $0.effect == taint.effect }
        }
        for taint in add where !taints.contains(where: { $0.key == taint.key && $0.effect == taint.effect }) {
            taints.append(taint)
        }
        copy.spec.taints = taints
        return copy
    }

    /// The old names of the two labels every node has, kept in step.
    var labelCorrections: [String: String] {
        let labels = metadata.labels
        var result: [String: String] = [:]
        for name in ["os", "arch"] {
            guard let value = labels["kubernetes.io/\(name)"], labels["beta.kubernetes.io/\(name)"] != value else { continue }
            result["beta.kubernetes.io/\(name)"] = value
        }
        return result
    }
}

extension Taint {
    /// The keys this controller owns with effect `NoSchedule`.
    static let ofConditions: Set<String> = [
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure", "node.kubernetes.io/network-unavailable", "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/unschedulable",
    ]

    static func make(_ key: String, _ effect: String, _ time: Timestamp?) -> Taint {
        Taint {
            $0.key = key
            $0.effect = effect
            $0.timeAdded = time
        }
    }

    static func notReady(_ time: Timestamp?) -> Taint { make("node.kubernetes.io/not-ready", "NoExecute", time) }
    static func unreachable(_ time: Timestamp?) -> Taint { make("node.kubernetes.io/unreachable", "NoExecute", time) }
}
