/// Something that happened in the cluster which may matter to pods that wait.
package struct ClusterEvent: Sendable {
    /// What kind of thing changed, and how.
    package struct Kind: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32

        /// Kinds by bit.
        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        package static let nodeAdd = Kind(rawValue: 1 << 0)
        package static let nodeDelete = Kind(rawValue: 1 << 1)
        package static let nodeAllocatable = Kind(rawValue: 1 << 2)
        package static let nodeLabels = Kind(rawValue: 1 << 3)
        /// Taints, or `spec.unschedulable`.
        package static let nodeTaints = Kind(rawValue: 1 << 4)
        package static let assignedPodAdd = Kind(rawValue: 1 << 5)
        package static let assignedPodDelete = Kind(rawValue: 1 << 6)
        package static let assignedPodLabels = Kind(rawValue: 1 << 7)
        package static let assignedPodScaleDown = Kind(rawValue: 1 << 8)
        /// The waiting pod itself changed.
        package static let podUpdate = Kind(rawValue: 1 << 9)
        package static let namespaceLabels = Kind(rawValue: 1 << 10)
        /// It waited long enough: tried again whatever the plugins say.
        package static let timeout = Kind(rawValue: 1 << 11)

        package static let claim = Kind(rawValue: 1 << 12)
        package static let storageClass = Kind(rawValue: 1 << 13)

        package static let anyNode: Kind = [.nodeAdd, .nodeAllocatable, .nodeLabels, .nodeTaints]
    }

    package var kind: Kind
    /// As the metric labels it.
    package var label: String
    package var node: NodeFacts?
    package var oldNode: NodeFacts?
    package var pod: SchedulingPod?
    package var oldPod: SchedulingPod?
    /// `namespace/name` of the persistent volume claim that changed.
    package var claim: String?

    /// An event.
    package init(
        _ kind: Kind,
        label: String,
        node: NodeFacts? = nil,
        oldNode: NodeFacts? = nil,
        pod: SchedulingPod? = nil,
        oldPod: SchedulingPod? = nil,
        claim: String? = nil
    ) {
        self.kind = kind
        self.label = label
        self.node = node
        self.oldNode = oldNode
        self.pod = pod
        self.oldPod = oldPod
        self.claim = claim
    }
}

/// Which events may help a pod that a plugin has rejected.
package struct RequeueHint: Sendable {
    package let kinds: ClusterEvent.Kind
    /// Whether this very event may help this very pod. Cheap; unsure means yes.
    package let helps: @Sendable (_ pod: SchedulingPod, _ event: ClusterEvent) -> Bool

    /// A hint.
    package init(
        _ kinds: ClusterEvent.Kind,
        helps: @escaping @Sendable (SchedulingPod, ClusterEvent) -> Bool = { _, _ in true }
    ) {
        self.kinds = kinds
        self.helps = helps
    }
}
