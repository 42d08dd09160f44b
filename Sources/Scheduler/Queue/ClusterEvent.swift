/// Something that happened in the cluster which may matter to pods that wait.
public struct ClusterEvent: Sendable {
    /// What kind of thing changed, and how.
    public struct Kind: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32

        /// Kinds by bit.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        public static let nodeAdd = Kind(rawValue: 1 << 0)
        public static let nodeDelete = Kind(rawValue: 1 << 1)
        public static let nodeAllocatable = Kind(rawValue: 1 << 2)
        public static let nodeLabels = Kind(rawValue: 1 << 3)
        /// Taints, or `spec.unschedulable`.
        public static let nodeTaints = Kind(rawValue: 1 << 4)
        public static let assignedPodAdd = Kind(rawValue: 1 << 5)
        public static let assignedPodDelete = Kind(rawValue: 1 << 6)
        public static let assignedPodLabels = Kind(rawValue: 1 << 7)
        public static let assignedPodScaleDown = Kind(rawValue: 1 << 8)
        /// The waiting pod itself changed.
        public static let podUpdate = Kind(rawValue: 1 << 9)
        public static let namespaceLabels = Kind(rawValue: 1 << 10)
        /// It waited long enough: tried again whatever the plugins say.
        public static let timeout = Kind(rawValue: 1 << 11)

        public static let anyNode: Kind = [.nodeAdd, .nodeAllocatable, .nodeLabels, .nodeTaints]
    }

    public var kind: Kind
    /// As the metric labels it.
    public var label: String
    public var node: NodeFacts?
    public var oldNode: NodeFacts?
    public var pod: SchedulingPod?
    public var oldPod: SchedulingPod?

    /// An event.
    public init(
        _ kind: Kind,
        label: String,
        node: NodeFacts? = nil,
        oldNode: NodeFacts? = nil,
        pod: SchedulingPod? = nil,
        oldPod: SchedulingPod? = nil
    ) {
        self.kind = kind
        self.label = label
        self.node = node
        self.oldNode = oldNode
        self.pod = pod
        self.oldPod = oldPod
    }
}

/// Which events may help a pod that a plugin has rejected.
public struct RequeueHint: Sendable {
    public let kinds: ClusterEvent.Kind
    /// Whether this very event may help this very pod. Cheap; unsure means yes.
    public let helps: @Sendable (_ pod: SchedulingPod, _ event: ClusterEvent) -> Bool

    /// A hint.
    public init(
        _ kinds: ClusterEvent.Kind,
        helps: @escaping @Sendable (SchedulingPod, ClusterEvent) -> Bool = { _, _ in true }
    ) {
        self.kinds = kinds
        self.helps = helps
    }
}
