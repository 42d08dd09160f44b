import APITypes
import Units

/// A rule that spreads the pods of a selector over the domains of a topology key.
package struct SpreadConstraint: Sendable, Hashable {
    package let maxSkew: Int
    package let topologyKey: String
    /// DoNotSchedule; else ScheduleAnyway.
    package let isRequired: Bool
    package let selector: LabelSelector
    package let minDomains: Int
    /// Nodes that the pod's node affinity excludes do not count (the default).
    package let honorsAffinity: Bool
    /// Nodes whose taints the pod does not tolerate do not count.
    package let honorsTaints: Bool

    init(_ constraint: TopologySpreadConstraint, labels: [String: String]) {
        maxSkew = constraint.maxSkew
        topologyKey = constraint.topologyKey
        isRequired = constraint.whenUnsatisfiable != "ScheduleAnyway"
        let keys = constraint.matchLabelKeys.filter { labels[$0] != nil }
        selector = TermSelector.read(constraint.labelSelector, adding: keys.map { ($0, .isIn, labels[$0]) })
        minDomains = constraint.minDomains ?? 1
        honorsAffinity = constraint.nodeAffinityPolicy != "Ignore"
        honorsTaints = constraint.nodeTaintsPolicy == "Honor"
    }

    /// A rule, for tests and benchmarks.
    package init(maxSkew: Int, topologyKey: String, isRequired: Bool, selector: LabelSelector, minDomains: Int = 1) {
        self.maxSkew = maxSkew
        self.topologyKey = topologyKey
        self.isRequired = isRequired
        self.selector = selector
        self.minDomains = minDomains
        honorsAffinity = true
        honorsTaints = false
    }
}

/// Which pods a term of pod (anti-)affinity is about, and within which domains.
package struct AffinityTerm: Sendable, Hashable {
    package let topologyKey: String
    package let selector: LabelSelector
    /// The namespaces named; with no namespace selector and none named, the pod's own.
    package let namespaces: Set<String>
    /// Namespaces by label; nil when there is no such selector.
    package let namespaceSelector: LabelSelector?

    /// A term.
    package init(
        topologyKey: String,
        selector: LabelSelector,
        namespaces: Set<String>,
        namespaceSelector: LabelSelector? = nil
    ) {
        self.topologyKey = topologyKey
        self.selector = selector
        self.namespaces = namespaces
        self.namespaceSelector = namespaceSelector
    }

    init(_ term: PodAffinityTerm, namespace: String, labels: [String: String]) {
        topologyKey = term.topologyKey
        let adding = term.matchLabelKeys.filter { labels[$0] != nil }.map { ($0, LabelSelector.Operator.isIn, labels[$0]) }
        let removing = term.mismatchLabelKeys.filter { labels[$0] != nil }.map { ($0, LabelSelector.Operator.notIn, labels[$0]) }
        selector = TermSelector.read(term.labelSelector, adding: adding + removing)
        namespaceSelector = term.namespaceSelector.map { TermSelector.read($0, adding: []) }
        let named = Set(term.namespaces)
        namespaces = named.isEmpty && namespaceSelector == nil ? [namespace] : named
    }

    /// Whether a pod is one the term is about.
    func matches(_ pod: SchedulingPod, namespaceLabels: (String) -> [String: String]) -> Bool {
        guard selector.matches(pod.labels) else { return false }
        if namespaces.contains(pod.namespace) { return true }
        return namespaceSelector?.matches(namespaceLabels(pod.namespace)) ?? false
    }
}

/// A preferred term with what it is worth.
package struct WeightedAffinityTerm: Sendable, Hashable {
    package let weight: Int64
    package let term: AffinityTerm
}

/// All pod affinity and anti-affinity of a pod.
package struct PodAffinityTerms: Sendable, Hashable {
    package var required: [AffinityTerm] = []
    package var preferred: [WeightedAffinityTerm] = []
    package var requiredAnti: [AffinityTerm] = []
    package var preferredAnti: [WeightedAffinityTerm] = []

    /// Nothing of either.
    package var isEmpty: Bool { required.isEmpty && preferred.isEmpty && requiredAnti.isEmpty && preferredAnti.isEmpty }

    init(_ affinity: Affinity?, namespace: String, labels: [String: String]) {
        guard let affinity else { return }
        func read(_ terms: [PodAffinityTerm]?) -> [AffinityTerm] {
            (terms ?? []).map { AffinityTerm($0, namespace: namespace, labels: labels) }
        }
        func weigh(_ terms: [WeightedPodAffinityTerm]?) -> [WeightedAffinityTerm] {
            (terms ?? []).map {
                let term = AffinityTerm($0.podAffinityTerm, namespace: namespace, labels: labels)
                return WeightedAffinityTerm(weight: Int64($0.weight), term: term)
            }
        }
        required = read(affinity.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
        preferred = weigh(affinity.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution)
        requiredAnti = read(affinity.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
        preferredAnti = weigh(affinity.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution)
    }
}

/// Reads the selector of a term: an absent one matches nothing, a malformed one too.
enum TermSelector {
    typealias Extra = (key: String, op: LabelSelector.Operator, value: String?)

    static func read(_ selector: MetaLabelSelector?, adding extra: [Extra]) -> LabelSelector {
        guard let selector, let parsed = try? selector.parsed(), !parsed.isNothing else { return .nothing }
        let more = extra.compactMap { extra in
            extra.value.map { LabelSelector.Requirement(unchecked: extra.key, extra.op, [$0]) }
        }
        return more.isEmpty ? parsed : LabelSelector(requirements: parsed.requirements + more)
    }
}
