/// Keeps pods off nodes that are cordoned, unless they tolerate the taint that stands for it.
package struct NodeUnschedulable: FilterPlugin, NodeFilter {
    package let name = "NodeUnschedulable"
    static let taint = NodeTaint(key: "node.kubernetes.io/unschedulable", effect: .noSchedule)

    package init() {}

    package var requeueHints: [RequeueHint] {
        [RequeueHint([.nodeAdd, .nodeTaints]) { _, event in !(event.node?.isUnschedulable ?? false) }]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        pod.tolerations.tolerate(Self.taint) ? .skip : .filter(self)
    }

    package func rejection(of node: NodeSnapshot) -> Status? {
        node.isUnschedulable ? .unresolvable("node(s) were unschedulable", name) : nil
    }
}

/// A pod that names its node goes nowhere else.
package struct NodeName: FilterPlugin {
    package let name = "NodeName"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [RequeueHint(.nodeAdd) { pod, event in pod.nodeName.isEmpty || event.node?.name == pod.nodeName }]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        pod.nodeName.isEmpty ? .skip : .filter(Named(wanted: pod.nodeName, plugin: name))
    }

    struct Named: NodeFilter {
        let wanted: String
        let plugin: String

        func rejection(of node: NodeSnapshot) -> Status? {
            node.name == wanted ? nil : .unresolvable("node(s) didn't match the requested node name", plugin)
        }
    }
}

/// Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer that discourage.
package struct TaintToleration: FilterPlugin, ScorePlugin {
    package let name = "TaintToleration"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint([.nodeAdd, .nodeTaints]) { pod, event in
                event.node?.hardTaints.allSatisfy { pod.tolerations.tolerate($0) } ?? true
            },
            RequeueHint(.podUpdate),
        ]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        .filter(Tolerating(tolerations: pod.tolerations, plugin: name))
    }

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        let soft = pod.tolerations.filter { $0.effect.isEmpty || $0.effect == NodeTaint.Effect.preferNoSchedule.rawValue }
        return .scorer(Tolerating(tolerations: soft, plugin: name))
    }

    struct Tolerating: NodeFilter, NodeScorer {
        let tolerations: [PodToleration]
        let plugin: String

        func rejection(of node: NodeSnapshot) -> Status? {
            guard node.hasHardTaints else { return nil }
            for taint in node.facts.hardTaints where !tolerations.tolerate(taint) {
                return .unresolvable("node(s) had untolerated taint(s)", plugin)
            }
            return nil
        }

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() where node.hasSoftTaints {
                scores[index] = Int64(node.facts.softTaints.count { !tolerations.tolerate($0) })
            }
        }

        func normalize(_ scores: inout [Int64], _ nodes: [NodeSnapshot]) {
            normalizeScores(&scores, reversed: true)
        }
    }
}

/// Node selector and node affinity, required and preferred.
package struct NodeAffinityPlugin: FilterPlugin, ScorePlugin {
    package let name = "NodeAffinity"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint([.nodeAdd, .nodeLabels]) { pod, event in
                event.node.map { Selected(pod, plugin: "").admits($0) } ?? true
            },
            RequeueHint(.podUpdate),
        ]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        if pod.nodeSelector.isEmpty && pod.requiredNodeTerms == nil { return .skip }
        let filter = Selected(pod, plugin: name)
        guard let terms = pod.requiredNodeTerms, !terms.isEmpty else { return .filter(filter) }
        var names: Set<String> = []
        for term in terms {
            guard let some = term.names else { return .filter(filter) }
            names.formUnion(some)
        }
        if names.isEmpty { return .rejected(.unresolvable("pod affinity terms conflict", name)) }
        return .filter(filter, nodes: names)
    }

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        pod.preferredNodeTerms.isEmpty ? .skip : .scorer(Preferred(terms: pod.preferredNodeTerms))
    }

    /// Whether a node is among those a pod asks for.
    struct Selected: NodeFilter {
        let selector: [String: String]
        let terms: [NodeTerm]?
        private let mismatch: Status

        init(_ pod: SchedulingPod, plugin: String) {
            selector = pod.nodeSelector
            terms = pod.requiredNodeTerms
            mismatch = .unresolvable("node(s) didn't match Pod's node affinity/selector", plugin)
        }

        func admits(_ node: NodeFacts) -> Bool {
            for (key, value) in selector where node.labels[key] != value { return false }
            return terms.map { $0.contains { $0.matches(node) } } ?? true
        }

        func rejection(of node: NodeSnapshot) -> Status? {
            admits(node.facts) ? nil : mismatch
        }
    }

    struct Preferred: NodeScorer {
        let terms: [WeightedNodeTerm]

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() {
                for term in terms where term.weight != 0 && term.term.matches(node.facts) { scores[index] += term.weight }
            }
        }

        func normalize(_ scores: inout [Int64], _ nodes: [NodeSnapshot]) {
            normalizeScores(&scores, reversed: false)
        }
    }
}

/// Two pods cannot have the same host port.
package struct NodePorts: FilterPlugin {
    package let name = "NodePorts"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint(.assignedPodDelete) { pod, event in
                guard let gone = event.pod else { return true }
                return pod.hostPorts.contains { wanted in gone.hostPorts.contains { $0.conflicts(with: wanted) } }
            },
            RequeueHint(.nodeAdd),
        ]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        pod.hostPorts.isEmpty ? .skip : .filter(Free(wanted: pod.hostPorts, plugin: name))
    }

    struct Free: NodeFilter {
        let wanted: [HostPort]
        let plugin: String

        func rejection(of node: NodeSnapshot) -> Status? {
            for used in node.usedPorts where wanted.contains(where: { $0.conflicts(with: used) }) {
                return .unschedulable("node(s) didn't have free ports for the requested pod ports", plugin)
            }
            return nil
        }
    }
}

/// Prefers nodes that have the images already, weighed by size and by how widely they are spread.
package struct ImageLocality: ScorePlugin {
    package let name = "ImageLocality"
    private static let least: Int64 = 23 << 20
    private static let mostPerContainer: Int64 = 1_000 << 20

    package init() {}

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        let total = snapshot.nodes.count
        var wanted: [(name: String, spread: Double)] = []
        for image in pod.images {
            if let count = snapshot.imageNodes[image] { wanted.append((image, Double(count) / Double(max(total, 1)))) }
        }
        if wanted.isEmpty { return .skip }
        return .scorer(Present(wanted: wanted, most: Self.mostPerContainer * Int64(max(pod.containerCount, 1))))
    }

    struct Present: NodeScorer {
        let wanted: [(name: String, spread: Double)]
        let most: Int64

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() {
                var sum: Int64 = 0
                for image in wanted {
                    if let size = node.facts.images[image.name] { sum += Int64(Double(size) * image.spread) }
                }
                let bounded = min(max(sum, ImageLocality.least), most)
                scores[index] = maximumNodeScore * (bounded - ImageLocality.least) / (most - ImageLocality.least)
            }
        }
    }
}
