/// Pods that want to be near, or away from, other pods.
package struct InterPodAffinity: FilterPlugin, ScorePlugin {
    package let name = "InterPodAffinity"
    /// What a required affinity of a pod in place is worth to a pod it is about.
    static let hardAffinityWeight: Int64 = 1

    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint([.assignedPodAdd, .assignedPodDelete, .assignedPodLabels]),
            RequeueHint([.nodeAdd, .nodeLabels, .nodeTaints]),
            RequeueHint([.podUpdate, .namespaceLabels]),
        ]
    }

    static func queries(_ pod: SchedulingPod) -> [PodQuery] {
        let terms = pod.affinity
        var queries = terms.required.map { affinityQuery($0, terms.required) }
        queries += terms.requiredAnti.map { query($0) }
        queries += (terms.preferred + terms.preferredAnti).map { query($0.term) }
        return queries
    }

    /// Pods in place count for required affinity only if they match all its terms.
    private static func affinityQuery(_ term: AffinityTerm, _ all: [AffinityTerm]) -> PodQuery {
        PodQuery(terms: all, topologyKey: term.topologyKey, ignoresTerminating: false)
    }

    private static func query(_ term: AffinityTerm) -> PodQuery {
        PodQuery(terms: [term], topologyKey: term.topologyKey, ignoresTerminating: false)
    }

    // MARK: Filter

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        func labels(_ namespace: String) -> [String: String] { snapshot.namespaceLabels[namespace] ?? [:] }
        var forbidden: [TopologyKey: DomainCounts] = [:]
        for (held, domains) in snapshot.topology.held where held.weight == 0 {
            guard held.term.matches(pod, namespaceLabels: labels) else { continue }
            forbidden[TopologyKey(held.term.topologyKey), default: [:]].merge(domains) { $0 + $1 }
        }
        let wanted = pod.affinity.required.map { term in
            let query = Self.affinityQuery(term, pod.affinity.required)
            return Counted(key: TopologyKey(term.topologyKey), query: query, counts: snapshot.podCounts(query))
        }
        let avoided = pod.affinity.requiredAnti.map { term in
            let query = Self.query(term)
            return Counted(key: TopologyKey(term.topologyKey), query: query, counts: snapshot.podCounts(query))
        }
        if wanted.isEmpty && avoided.isEmpty && forbidden.isEmpty { return .skip }
        let isOwnCompany = pod.affinity.required.allSatisfy { $0.matches(pod, namespaceLabels: labels) }
        let filter = Near(
            pod: pod,
            wanted: wanted,
            avoided: avoided,
            forbidden: forbidden,
            isOwnCompany: isOwnCompany,
            namespaceLabels: snapshot.namespaceLabels,
            farOff: .unresolvable("node(s) didn't match pod affinity rules", name),
            tooClose: .unschedulable("node(s) didn't match pod anti-affinity rules", name),
            unwelcome: .unschedulable("node(s) didn't satisfy existing pods anti-affinity rules", name)
        )
        return .filter(filter)
    }

    struct Counted: Sendable {
        let key: TopologyKey
        let query: PodQuery
        var counts: DomainCounts
    }

    struct Near: NodeFilter {
        let pod: SchedulingPod
        var wanted: [Counted]
        var avoided: [Counted]
        var forbidden: [TopologyKey: DomainCounts]
        /// The pod satisfies its own affinity: it may be the first of its kind.
        let isOwnCompany: Bool
        let namespaceLabels: [String: [String: String]]
        // Made once: they are answered for thousands of nodes.
        let farOff: Status
        let tooClose: Status
        let unwelcome: Status

        func rejection(of node: NodeSnapshot) -> Status? {
            if !wanted.isEmpty && !isNear(node) {
                return farOff
            }
            for term in avoided {
                if let domain = term.key.domain(of: node), term.counts[domain] ?? 0 > 0 {
                    return tooClose
                }
            }
            for (key, domains) in forbidden {
                if let domain = key.domain(of: node), domains[domain] ?? 0 > 0 {
                    return unwelcome
                }
            }
            return nil
        }

        private func isNear(_ node: NodeSnapshot) -> Bool {
            var isEmpty = true
            var holds = true
            for term in wanted {
                guard let domain = term.key.domain(of: node) else { return false }
                if !term.counts.isEmpty { isEmpty = false }
                if term.counts[domain] ?? 0 <= 0 { holds = false }
            }
            return holds || (isEmpty && isOwnCompany)
        }

        func revised(on node: NodeSnapshot, adding: [SchedulingPod], removing: [SchedulingPod]) -> any NodeFilter {
            var copy = self
            func shift(_ counted: inout Counted) {
                guard let domain = counted.key.domain(of: node) else { return }
                let query = counted.query
                let step = adding.count { query.counts($0, lookUp) } - removing.count { query.counts($0, lookUp) }
                let count = (counted.counts[domain] ?? 0) + step
                counted.counts[domain] = count > 0 ? count : nil
            }
            for index in copy.wanted.indices { shift(&copy.wanted[index]) }
            for index in copy.avoided.indices { shift(&copy.avoided[index]) }
            for (pods, step) in [(adding, 1), (removing, -1)] {
                for other in pods {
                    for term in other.affinity.requiredAnti where term.matches(pod, namespaceLabels: lookUp) {
                        let key = TopologyKey(term.topologyKey)
                        guard let domain = key.domain(of: node) else { continue }
                        copy.forbidden[key, default: [:]][domain, default: 0] += step
                    }
                }
            }
            return copy
        }

        private func lookUp(_ namespace: String) -> [String: String] { namespaceLabels[namespace] ?? [:] }
    }

    // MARK: Score

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        var worth: [TopologyKey: [String: Int64]] = [:]
        func add(_ key: String, _ counts: DomainCounts, _ weight: Int64) {
            let key = TopologyKey(key)
            for (domain, count) in counts { worth[key, default: [:]][domain, default: 0] += weight * Int64(count) }
        }
        for term in pod.affinity.preferred { add(term.term.topologyKey, snapshot.podCounts(Self.query(term.term)), term.weight) }
        for term in pod.affinity.preferredAnti {
            add(term.term.topologyKey, snapshot.podCounts(Self.query(term.term)), -term.weight)
        }
        for (held, domains) in snapshot.topology.held where held.weight != 0 {
            let isMeant = held.term.matches(pod) { snapshot.namespaceLabels[$0] ?? [:] }
            if isMeant { add(held.term.topologyKey, domains, held.weight) }
        }
        return worth.isEmpty ? .skip : .scorer(Company(worth: worth))
    }

    struct Company: NodeScorer {
        let worth: [TopologyKey: [String: Int64]]

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() {
                for (key, domains) in worth {
                    if let domain = key.domain(of: node), let value = domains[domain] { scores[index] += value }
                }
            }
        }

        func normalize(_ scores: inout [Int64], _ nodes: [NodeSnapshot]) {
            let least = scores.min() ?? 0
            let range = (scores.max() ?? 0) - least
            for index in scores.indices {
                scores[index] = range > 0 ? maximumNodeScore * (scores[index] - least) / range : 0
            }
        }
    }
}
