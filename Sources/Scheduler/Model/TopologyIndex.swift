/// Which pods are counted, and by which label of their node.
struct PodQuery: Hashable, Sendable {
    /// A pod counts when it matches all of these (their topology keys do not matter here).
    let terms: [AffinityTerm]
    let topologyKey: String
    /// Pods on their way out do not count (spreading), or do (affinity).
    let ignoresTerminating: Bool

    func counts(_ pod: SchedulingPod, _ namespaceLabels: (String) -> [String: String]) -> Bool {
        if ignoresTerminating && pod.isTerminating { return false }
        return terms.allSatisfy { $0.matches(pod, namespaceLabels: namespaceLabels) }
    }
}

/// A term that pods in the cluster hold against, or for, pods to come.
struct HeldTerm: Hashable, Sendable {
    let term: AffinityTerm
    /// 0 for required anti-affinity, which forbids; else what it is worth.
    let weight: Int64
}

/// How many pods match a query in each topology domain.
typealias DomainCounts = [String: Int]

/// Counts of pods by query and topology domain, kept current as pods come and go, so that spreading and affinity need no
/// walk over all pods for every pod to schedule. Queries are registered before the first cycle that asks for them.
struct TopologyIndex: Sendable {
    /// Queries kept at most; beyond, all are forgotten and registered anew as they are asked for.
    private static let maximumQueries = 512

    private(set) var counts: [PodQuery: DomainCounts] = [:]
    private(set) var held: [HeldTerm: DomainCounts] = [:]
    /// Topology key to its domains, with the number of nodes in each. Only keys that were asked for.
    private(set) var domains: [String: DomainCounts] = [:]

    func knows(_ query: PodQuery) -> Bool { counts[query] != nil }

    mutating func add(_ node: NodeSnapshot) {
        change(node.facts, by: 1)
        for pod in node.pods { add(pod, on: node.facts) }
    }

    mutating func remove(_ node: NodeSnapshot) {
        for pod in node.pods { remove(pod, on: node.facts) }
        change(node.facts, by: -1)
    }

    mutating func add(_ pod: SchedulingPod, on node: NodeFacts) { change(pod, on: node, by: 1) }

    mutating func remove(_ pod: SchedulingPod, on node: NodeFacts) { change(pod, on: node, by: -1) }

    mutating func forgetQueries() {
        counts = [:]
    }

    /// Counts a query over all nodes and keeps it current from here on.
    mutating func register(
        _ query: PodQuery,
        _ nodes: [NodeSnapshot],
        _ namespaceLabels: [String: [String: String]]
    ) {
        if counts.count >= Self.maximumQueries { counts = [:] }
        var found: DomainCounts = [:]
        for node in nodes {
            guard let domain = node.facts.labels[query.topologyKey] else { continue }
            for pod in node.pods where query.counts(pod, { namespaceLabels[$0] ?? [:] }) { found[domain, default: 0] += 1 }
        }
        counts[query] = found
        labels = namespaceLabels
        guard domains[query.topologyKey] == nil else { return }
        var values: DomainCounts = [:]
        for node in nodes {
            if let value = node.facts.labels[query.topologyKey] { values[value, default: 0] += 1 }
        }
        domains[query.topologyKey] = values
    }

    /// The namespace labels the queries were counted with.
    private var labels: [String: [String: String]] = [:]

    private mutating func change(_ node: NodeFacts, by step: Int) {
        for key in domains.keys {
            guard let value = node.labels[key] else { continue }
            Self.bump(&domains[key, default: [:]], value, step)
        }
    }

    private mutating func change(_ pod: SchedulingPod, on node: NodeFacts, by step: Int) {
        if !counts.isEmpty {
            let labels = labels
            for query in counts.keys {
                guard let domain = node.labels[query.topologyKey], query.counts(pod, { labels[$0] ?? [:] }) else { continue }
                Self.bump(&counts[query, default: [:]], domain, step)
            }
        }
        guard !pod.affinity.isEmpty else { return }
        for term in pod.affinity.requiredAnti { hold(HeldTerm(term: term, weight: 0), node, step) }
        for term in pod.affinity.required {
            hold(HeldTerm(term: term, weight: InterPodAffinity.hardAffinityWeight), node, step)
        }
        for term in pod.affinity.preferred { hold(HeldTerm(term: term.term, weight: term.weight), node, step) }
        for term in pod.affinity.preferredAnti { hold(HeldTerm(term: term.term, weight: -term.weight), node, step) }
    }

    private mutating func hold(_ term: HeldTerm, _ node: NodeFacts, _ step: Int) {
        guard let domain = node.labels[term.term.topologyKey] else { return }
        Self.bump(&held[term, default: [:]], domain, step)
        if held[term]?.isEmpty ?? false { held[term] = nil }
    }

    private static func bump(_ counts: inout DomainCounts, _ domain: String, _ step: Int) {
        let count = (counts[domain] ?? 0) + step
        counts[domain] = count > 0 ? count : nil
    }
}

extension ClusterSnapshot {
    /// Makes sure that the counts which a pod's spreading and affinity rules ask for are kept. Before its cycle.
    package mutating func prepare(for pod: SchedulingPod) {
        arrange()
        guard !pod.spreadConstraints.isEmpty || !pod.affinity.isEmpty else { return }
        for constraint in pod.spreadConstraints { register(PodTopologySpread.query(constraint, pod)) }
        for query in InterPodAffinity.queries(pod) { register(query) }
    }

    func podCounts(_ query: PodQuery) -> DomainCounts { topology.counts[query] ?? [:] }

    private mutating func register(_ query: PodQuery) {
        if !topology.knows(query) { registerQuery(query) }
    }
}
