import APITypes

/// What a node is, apart from the pods on it. Immutable.
package final class NodeFacts: Sendable {
    package let name: String
    package let uid: String
    package let labels: [String: String]
    package let taints: [NodeTaint]
    /// Taints that keep pods away, apart from those that only discourage.
    let hardTaints: [NodeTaint]
    let softTaints: [NodeTaint]
    package let isUnschedulable: Bool
    package let allocatable: Resources
    package let allowedPods: Int
    /// Image name (each of its names) to size in bytes.
    package let images: [String: Int64]
    /// Region and zone, for interleaving.
    package let zone: String
    let zoneLabel: String?
    let hostnameLabel: String?

    /// Reads a node.
    package convenience init(_ node: Node) {
        let status = node.status
        let spec = node.spec
        let offered = status.allocatable.isEmpty ? status.capacity : status.allocatable
        var images: [String: Int64] = [:]
        for image in status.images {
            for name in image.names { images[SchedulingPod.normalized(name)] = Int64(image.sizeBytes) }
        }
        self.init(
            name: node.name,
            uid: node.uid,
            labels: node.labels,
            taints: spec.taints.map(NodeTaint.init),
            isUnschedulable: spec.unschedulable,
            allocatable: Resources(offered),
            allowedPods: Int(offered["pods"]?.value ?? 0),
            images: images
        )
    }

    /// A node as tests and benchmarks make it.
    package init(
        name: String,
        uid: String = "",
        labels: [String: String] = [:],
        taints: [NodeTaint] = [],
        isUnschedulable: Bool = false,
        allocatable: Resources,
        allowedPods: Int = 110,
        images: [String: Int64] = [:]
    ) {
        self.name = name
        self.uid = uid
        self.labels = labels
        self.taints = taints
        hardTaints = taints.filter { $0.effect == .noSchedule || $0.effect == .noExecute }
        softTaints = taints.filter { $0.effect == .preferNoSchedule }
        self.isUnschedulable = isUnschedulable
        self.allocatable = allocatable
        self.allowedPods = allowedPods
        self.images = images
        zoneLabel = labels[TopologyKey.zone]
        hostnameLabel = labels[TopologyKey.hostname]
        let region = labels["topology.kubernetes.io/region"] ?? ""
        let zone = zoneLabel ?? ""
        self.zone = region.isEmpty && zone.isEmpty ? "" : region + ":" + zone
    }
}

/// A node with the pods on it, as one scheduling cycle sees it. Immutable: a change makes a new one.
package final class NodeSnapshot: Sendable {
    package let facts: NodeFacts
    package let pods: [SchedulingPod]
    package let requested: Resources
    /// The sums scoring uses, with defaults for containers that ask for nothing.
    package let scoredMilliCPU: Int64
    package let scoredMemory: Int64
    package let usedPorts: [HostPort]
    // What the usual filters and scores read of every node, in the object itself: a walk over thousands of nodes is
    // bound by the cache lines it touches.
    let allocatableMilliCPU: Int64
    let allocatableMemory: Int64
    let hasPlace: Bool
    let isUnschedulable: Bool
    let hasHardTaints: Bool
    let hasSoftTaints: Bool
    let zoneLabel: String?
    let hostnameLabel: String?

    /// The name of the node.
    package var name: String { facts.name }

    /// An empty node.
    package convenience init(_ facts: NodeFacts) {
        self.init(facts, pods: [], requested: Resources(), milliCPU: 0, memory: 0, ports: [])
    }

    private init(
        _ facts: NodeFacts,
        pods: [SchedulingPod],
        requested: Resources,
        milliCPU: Int64,
        memory: Int64,
        ports: [HostPort]
    ) {
        self.facts = facts
        self.pods = pods
        self.requested = requested
        scoredMilliCPU = milliCPU
        scoredMemory = memory
        usedPorts = ports
        allocatableMilliCPU = facts.allocatable.milliCPU
        allocatableMemory = facts.allocatable.memory
        hasPlace = pods.count < facts.allowedPods
        isUnschedulable = facts.isUnschedulable
        hasHardTaints = !facts.hardTaints.isEmpty
        hasSoftTaints = !facts.softTaints.isEmpty
        zoneLabel = facts.zoneLabel
        hostnameLabel = facts.hostnameLabel
    }

    /// The node with one pod more.
    package func adding(_ pod: SchedulingPod) -> NodeSnapshot {
        var sum = requested
        sum.add(pod.requests)
        return NodeSnapshot(
            facts,
            pods: pods + [pod],
            requested: sum,
            milliCPU: scoredMilliCPU + pod.scoredMilliCPU,
            memory: scoredMemory + pod.scoredMemory,
            ports: pod.hostPorts.isEmpty ? usedPorts : usedPorts + pod.hostPorts
        )
    }

    /// The node without a pod; the same when the pod is not on it.
    package func removing(uid: String) -> NodeSnapshot {
        guard let index = pods.firstIndex(where: { $0.uid == uid }) else { return self }
        var rest = pods
        let pod = rest.remove(at: index)
        var sum = requested
        sum.subtract(pod.requests)
        return NodeSnapshot(
            facts,
            pods: rest,
            requested: sum,
            milliCPU: scoredMilliCPU - pod.scoredMilliCPU,
            memory: scoredMemory - pod.scoredMemory,
            ports: pod.hostPorts.isEmpty ? usedPorts : rest.flatMap(\.hostPorts)
        )
    }

    /// The same pods on a node that has changed.
    package func with(_ facts: NodeFacts) -> NodeSnapshot {
        NodeSnapshot(
            facts,
            pods: pods,
            requested: requested,
            milliCPU: scoredMilliCPU,
            memory: scoredMemory,
            ports: usedPorts
        )
    }
}
