/// All nodes with their pods, as one scheduling cycle sees them. A value: the owner changes it in place between cycles,
/// at the cost of what changed.
package struct ClusterSnapshot: Sendable {
    /// In the order in which nodes are tried: zones take turns.
    package private(set) var nodes: [NodeSnapshot] = []
    private var places: [String: Int] = [:]
    /// How many nodes have an image, by name: widely spread images weigh more.
    private(set) var imageNodes: [String: Int] = [:]
    /// Labels of namespaces, for affinity terms that select namespaces.
    package private(set) var namespaceLabels: [String: [String: String]] = [:]
    /// Where pods stand by labels and topology, for spreading and affinity.
    private(set) var topology = TopologyIndex()
    private var isOrdered = true
    /// Pods that wait for a node on which room is being made, by that node.
    package private(set) var nominated: [String: [SchedulingPod]] = [:]
    /// What preemption should not violate.
    package var disruptionBudgets: [DisruptionBudget] = []
    /// Persistent volume claims by `namespace/name`.
    package var claims: [String: ClaimFacts] = [:]
    /// Names of storage classes whose claims wait for their first consumer.
    package var delayedClasses: Set<String> = []

    /// An empty cluster.
    package init() {}

    /// A cluster of these nodes.
    package init(_ nodes: some Sequence<NodeSnapshot>) {
        for node in nodes {
            setNode(node.facts)
            for pod in node.pods { addPod(pod, to: node.name) }
        }
        arrange()
    }

    /// A node by name.
    package func node(_ name: String) -> NodeSnapshot? {
        places[name].map { nodes[$0] }
    }

    // MARK: Changes

    /// Adds or changes a node; pods on it stay.
    package mutating func setNode(_ facts: NodeFacts) {
        if let place = places[facts.name] {
            let old = nodes[place]
            countImages(old.facts, by: -1)
            topology.remove(old)
            nodes[place] = old.with(facts)
            topology.add(nodes[place])
            isOrdered = isOrdered && old.facts.zone == facts.zone
        } else {
            places[facts.name] = nodes.count
            nodes.append(NodeSnapshot(facts))
            topology.add(nodes[nodes.count - 1])
            isOrdered = false
        }
        countImages(facts, by: 1)
    }

    /// Forgets a node and the pods on it.
    package mutating func removeNode(_ name: String) {
        guard let place = places[name] else { return }
        countImages(nodes[place].facts, by: -1)
        topology.remove(nodes[place])
        nodes.remove(at: place)
        isOrdered = false
        arrange()
    }

    /// Counts a pod on its node; false when the node is not known.
    @discardableResult
    package mutating func addPod(_ pod: SchedulingPod, to name: String) -> Bool {
        guard let place = places[name] else { return false }
        nodes[place] = nodes[place].adding(pod)
        topology.add(pod, on: nodes[place].facts)
        return true
    }

    /// Stops counting a pod.
    package mutating func removePod(uid: String, from name: String) {
        guard let place = places[name] else { return }
        guard let pod = nodes[place].pods.first(where: { $0.uid == uid }) else { return }
        topology.remove(pod, on: nodes[place].facts)
        nodes[place] = nodes[place].removing(uid: uid)
    }

    /// Notes, or forgets, that a pod waits for a node.
    package mutating func nominate(_ pod: SchedulingPod, to node: String?) {
        for name in nominated.keys where nominated[name]?.contains(where: { $0.uid == pod.uid }) ?? false {
            nominated[name]?.removeAll { $0.uid == pod.uid }
            if nominated[name]?.isEmpty ?? false { nominated[name] = nil }
        }
        if let node, !node.isEmpty { nominated[node, default: []].append(pod) }
    }

    /// Notes the labels of a namespace; nil when it is gone.
    package mutating func setNamespace(_ name: String, labels: [String: String]?) {
        guard namespaceLabels[name] != labels else { return }
        namespaceLabels[name] = labels
        topology.forgetQueries()
    }

    mutating func registerQuery(_ query: PodQuery) {
        topology.register(query, nodes, namespaceLabels)
    }

    /// Orders the nodes so that zones take turns. Called before a cycle; costs nothing when nothing moved.
    package mutating func arrange() {
        guard !isOrdered else { return }
        isOrdered = true
        var zones: [String: [NodeSnapshot]] = [:]
        var order: [String] = []
        for node in nodes {
            if zones[node.facts.zone] == nil { order.append(node.facts.zone) }
            zones[node.facts.zone, default: []].append(node)
        }
        var arranged: [NodeSnapshot] = []
        arranged.reserveCapacity(nodes.count)
        var turn = 0
        while arranged.count < nodes.count {
            for zone in order {
                if let members = zones[zone], turn < members.count { arranged.append(members[turn]) }
            }
            turn += 1
        }
        nodes = arranged
        places = [:]
        for (place, node) in nodes.enumerated() { places[node.name] = place }
    }

    private mutating func countImages(_ facts: NodeFacts, by step: Int) {
        for name in facts.images.keys {
            let count = (imageNodes[name] ?? 0) + step
            imageNodes[name] = count > 0 ? count : nil
        }
    }
}
