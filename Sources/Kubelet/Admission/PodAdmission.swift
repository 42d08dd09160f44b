import APITypes
import Units

/// Whether the node takes a pod that was bound to it: whoever bound it may not have known what else is here. Pure.
struct PodAdmission: Sendable {
    /// What pods may use of the node together.
    var allocatable: [String: Quantity]
    /// The node as the API shows it; nil while that is not known: its labels then refuse nothing.
    var node: Node?

    /// Why a pod is not taken beside the others; nil when it is. Worded as upstream words it.
    func refusal(_ pod: Pod, beside others: [Pod]) -> PodFailure? {
        let node = node
        if let wanted = pod.metadata.labels["kubernetes.io/os"], let node, wanted != node.labels["kubernetes.io/os"] ?? "linux" {
            return PodFailure(
                reason: "PodOSSelectorNodeLabelDoesNotMatch",
                message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
            )
        }
        if let system = pod.spec.os?.name, system != "linux" {
            return PodFailure(reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS")
        }
        if let shortage = shortage(pod, others) { return shortage }
        if let node, !NodeRequirements.match(pod.spec, node) {
            return Self.predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
        }
        if !Self.portsAreFree(pod, others) {
            return Self.predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
        }
        if let node, !Self.tolerates(pod, node) {
            return Self.predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
        }
        return nil
    }

    private static func predicate(_ name: String, _ reason: String) -> PodFailure {
        PodFailure(reason: name, message: "Predicate \(name) failed: \(reason)")
    }

    // MARK: resources

    private func shortage(_ pod: Pod, _ others: [Pod]) -> PodFailure? {
        let capacity = PodRequests.amounts(allocatable)
        if let pods = capacity["pods"], Int64(others.count) + 1 > pods {
            return Self.outOf("pods", requested: 1, used: Int64(others.count), capacity: pods)
        }
        let wanted = PodRequests(pod).amounts.filter { $0.value > 0 }
        guard !wanted.isEmpty else { return nil }
        var used = PodRequests()
        for other in others { used.add(PodRequests(other)) }
        let order = ["cpu", "memory", "ephemeral-storage"] + wanted.keys.sorted().filter { !Self.plain.contains($0) }
        for name in order {
            // A resource that the node does not know may be the cluster's own.
            guard let requested = wanted[name], let has = capacity[name] else { continue }
            let taken = used.amounts[name] ?? 0
            if requested > has - taken { return Self.outOf(name, requested: requested, used: taken, capacity: has) }
        }
        return nil
    }

    private static let plain: Set = ["cpu", "memory", "ephemeral-storage"]

    private static func outOf(_ resource: String, requested: Int64, used: Int64, capacity: Int64) -> PodFailure {
        PodFailure(
            reason: "OutOf\(resource)",
            message: "Node didn't have enough resource: \(resource), requested: \(requested), used: \(used), capacity: \(capacity)"
        )
    }

    // MARK: taints and ports

    private static func tolerates(_ pod: Pod, _ node: Node) -> Bool {
        node.spec.taints.filter { $0.effect == "NoExecute" }.allSatisfy { taint in
            pod.spec.tolerations.contains { toleration in
                let isKey = toleration.key.isEmpty ? toleration.operator == "Exists" : toleration.key == taint.key
                let isEffect = toleration.effect.isEmpty || toleration.effect == taint.effect
                return isKey && isEffect && (toleration.operator == "Exists" || toleration.value == taint.value)
            }
        }
    }

    private struct HostPort: Hashable {
        var address: String
        var transport: String
        var port: Int

        func collides(_ other: HostPort) -> Bool {
            port == other.port && transport == other.transport
                && (address == other.address || address == "0.0.0.0" || other.address == "0.0.0.0")
        }
    }

    private static func portsAreFree(_ pod: Pod, _ others: [Pod]) -> Bool {
        let wanted = hostPorts(pod)
        guard !wanted.isEmpty else { return true }
        let taken = others.flatMap(hostPorts)
        return !wanted.contains { port in taken.contains { $0.collides(port) } }
    }

    private static func hostPorts(_ pod: Pod) -> [HostPort] {
        (pod.spec.containers + pod.spec.initContainers.filter(\.isRestartableInit)).flatMap(\.ports).compactMap { port in
            guard port.hostPort > 0 else { return nil }
            return HostPort(
                address: port.hostIP.isEmpty ? "0.0.0.0" : port.hostIP,
                transport: port.protocol.isEmpty ? "TCP" : port.protocol,
                port: port.hostPort
            )
        }
    }
}

/// `nodeSelector` and required node affinity: terms are alternatives, their parts all count.
enum NodeRequirements {
    static func match(_ spec: PodSpec, _ node: Node) -> Bool {
        let labels = node.labels
        guard spec.nodeSelector.allSatisfy({ labels[$0.key] == $0.value }) else { return false }
        guard let required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution else { return true }
        return required.nodeSelectorTerms.contains { term in
            guard !term.matchExpressions.isEmpty || !term.matchFields.isEmpty else { return false }
            return term.matchExpressions.allSatisfy { holds($0, labels[$0.key]) }
                && term.matchFields.allSatisfy { $0.key == "metadata.name" && holds($0, node.name) }
        }
    }

    private static func holds(_ requirement: NodeSelectorRequirement, _ value: String?) -> Bool {
        switch requirement.operator {
        case "In": return value.map(requirement.values.contains) ?? false
        case "NotIn": return value.map { !requirement.values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let number = value.flatMap({ Int64($0) }), let bound = requirement.values.first.flatMap({ Int64($0) }) else {
                return false
            }
            return requirement.operator == "Gt" ? number > bound : number < bound
        default: return false
        }
    }
}
