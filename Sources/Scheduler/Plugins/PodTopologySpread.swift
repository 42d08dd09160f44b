#if canImport(Glibc)
    import Glibc
#endif

/// Spreads the pods of a selector evenly over zones, hosts or other domains.
package struct PodTopologySpread: FilterPlugin, ScorePlugin {
    package let name = "PodTopologySpread"
    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint([.assignedPodAdd, .assignedPodDelete, .assignedPodLabels]) { pod, event in
                guard let other = event.pod, other.namespace == pod.namespace else { return false }
                let labels = [other.labels, event.oldPod?.labels ?? other.labels]
                return pod.spreadConstraints.contains { rule in labels.contains { rule.selector.matches($0) } }
            },
            RequeueHint([.nodeAdd, .nodeDelete, .nodeLabels, .nodeTaints]),
            RequeueHint(.podUpdate),
        ]
    }

    static func query(_ constraint: SpreadConstraint, _ pod: SchedulingPod) -> PodQuery {
        let term = AffinityTerm(
            topologyKey: constraint.topologyKey,
            selector: constraint.selector,
            namespaces: [pod.namespace]
        )
        return PodQuery(terms: [term], topologyKey: constraint.topologyKey, ignoresTerminating: true)
    }

    // MARK: Filter

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        let constraints = pod.spreadConstraints.filter(\.isRequired)
        if constraints.isEmpty { return .skip }
        let keys = constraints.map(\.topologyKey)
        let rules = constraints.map { constraint in
            let query = Self.query(constraint, pod)
            let counts = Self.counts(query, constraint, pod, snapshot, keys)
            return Rule(constraint: constraint, query: query, isSelf: constraint.selector.matches(pod.labels), counts: counts)
        }
        let reason = "node(s) didn't match pod topology spread constraints"
        let even = Even(
            rules: rules,
            outside: .unresolvable(reason + " (missing required label)", name),
            skewed: .unschedulable(reason, name)
        )
        return .filter(even)
    }

    /// Pods in each domain that counts: domains of nodes that have all keys and that the pod's policies include.
    private static func counts(
        _ query: PodQuery,
        _ constraint: SpreadConstraint,
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ keys: [String]
    ) -> DomainCounts {
        let isSelective = constraint.honorsAffinity && !(pod.nodeSelector.isEmpty && pod.requiredNodeTerms == nil)
        let everywhere = keys.allSatisfy { key in
            snapshot.topology.domains[key].map { $0.values.reduce(0, +) == snapshot.nodes.count } ?? false
        }
        if !isSelective && !constraint.honorsTaints && everywhere && snapshot.topology.knows(query) {
            var counts = snapshot.podCounts(query)
            for domain in (snapshot.topology.domains[constraint.topologyKey] ?? [:]).keys where counts[domain] == nil {
                counts[domain] = 0
            }
            return counts
        }
        let selected = NodeAffinityPlugin.Selected(pod, plugin: "")
        var counts: DomainCounts = [:]
        for node in snapshot.nodes where keys.allSatisfy({ node.facts.labels[$0] != nil }) {
            if isSelective && !selected.admits(node.facts) { continue }
            if constraint.honorsTaints && !node.facts.hardTaints.allSatisfy({ pod.tolerations.tolerate($0) }) { continue }
            guard let domain = node.facts.labels[constraint.topologyKey] else { continue }
            let matching = node.pods.count { query.counts($0) { snapshot.namespaceLabels[$0] ?? [:] } }
            counts[domain, default: 0] += matching
        }
        return counts
    }

    struct Rule: Sendable {
        let constraint: SpreadConstraint
        let key: TopologyKey
        let query: PodQuery
        let isSelf: Bool
        var counts: DomainCounts
        var least = 0

        init(constraint: SpreadConstraint, query: PodQuery, isSelf: Bool, counts: DomainCounts) {
            self.constraint = constraint
            key = TopologyKey(constraint.topologyKey)
            self.query = query
            self.isSelf = isSelf
            self.counts = counts
            settle()
        }

        mutating func settle() {
            least = counts.count < constraint.minDomains ? 0 : counts.values.min() ?? 0
        }
    }

    struct Even: NodeFilter {
        var rules: [Rule]
        let outside: Status
        let skewed: Status

        func rejection(of node: NodeSnapshot) -> Status? {
            for rule in rules {
                guard let domain = rule.key.domain(of: node) else { return outside }
                let skew = (rule.counts[domain] ?? 0) + (rule.isSelf ? 1 : 0) - rule.least
                if skew > rule.constraint.maxSkew { return skewed }
            }
            return nil
        }

        func revised(on node: NodeSnapshot, adding: [SchedulingPod], removing: [SchedulingPod]) -> any NodeFilter {
            var copy = self
            for index in copy.rules.indices {
                guard let domain = rules[index].key.domain(of: node) else { continue }
                let query = rules[index].query
                let more = adding.count { query.counts($0) { _ in [:] } }
                let fewer = removing.count { query.counts($0) { _ in [:] } }
                if more != fewer, let count = copy.rules[index].counts[domain] {
                    copy.rules[index].counts[domain] = count + more - fewer
                    copy.rules[index].settle()
                }
            }
            return copy
        }
    }

    // MARK: Score

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        let constraints = pod.spreadConstraints.filter { !$0.isRequired }
        if constraints.isEmpty { return .skip }
        let keys = constraints.map(\.topologyKey)
        let eligible = nodes.filter { node in keys.allSatisfy { node.facts.labels[$0] != nil } }
        let weighed = constraints.map { constraint in
            let counts = snapshot.podCounts(Self.query(constraint, pod))
            let domains =
                constraint.topologyKey == TopologyKey.hostname
                ? eligible.count : Set(eligible.compactMap { $0.facts.labels[constraint.topologyKey] }).count
            let key = TopologyKey(constraint.topologyKey)
            return Weighed(constraint: constraint, key: key, counts: counts, weight: log(Double(domains) + 2))
        }
        return .scorer(Spread(rules: weighed))
    }

    struct Weighed: Sendable {
        let constraint: SpreadConstraint
        let key: TopologyKey
        let counts: DomainCounts
        let weight: Double
    }

    struct Spread: NodeScorer {
        let rules: [Weighed]
        /// Marks nodes that lack a key; they score nothing.
        private static let ignored: Int64 = -1

        init(rules: [Weighed]) {
            self.rules = rules
        }

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() {
                var sum = 0.0
                var isIgnored = false
                for rule in rules {
                    guard let domain = rule.key.domain(of: node) else {
                        isIgnored = true
                        break
                    }
                    sum += Double(rule.counts[domain] ?? 0) * rule.weight + Double(rule.constraint.maxSkew - 1)
                }
                scores[index] = isIgnored ? Self.ignored : Int64(sum.rounded())
            }
        }

        func normalize(_ scores: inout [Int64], _ nodes: [NodeSnapshot]) {
            let counted = scores.filter { $0 != Self.ignored }
            let most = counted.max() ?? 0
            let least = counted.min() ?? 0
            for index in scores.indices {
                if scores[index] == Self.ignored {
                    scores[index] = 0
                } else {
                    scores[index] = most == 0 ? maximumNodeScore : maximumNodeScore * (most + least - scores[index]) / most
                }
            }
        }
    }
}
