/// A plugin in a profile, with what its score counts.
package struct ProfiledPlugin: Sendable {
    package let plugin: any SchedulerPlugin
    package let weight: Int64

    /// A plugin; the weight matters for those that score.
    package init(_ plugin: any SchedulerPlugin, weight: Int64 = 1) {
        self.plugin = plugin
        self.weight = weight
    }
}

/// A scheduler by name: which plugins it runs, in which order.
public struct SchedulingProfile: Sendable {
    /// What pods name in `spec.schedulerName`.
    public let name: String
    package let plugins: [ProfiledPlugin]
    /// Stop looking for nodes when this share of them fits; 0 adapts to the size of the cluster.
    package var percentageOfNodesToScore = 0

    let preEnqueue: [any PreEnqueuePlugin]
    let queueSort: any QueueSortPlugin
    let filters: [any FilterPlugin]
    let postFilters: [any PostFilterPlugin]
    let scorers: [(plugin: any ScorePlugin, weight: Int64)]
    let hints: [String: [RequeueHint]]

    /// A profile of these plugins.
    package init(name: String, plugins: [ProfiledPlugin]) {
        self.name = name
        self.plugins = plugins
        let all = plugins.map(\.plugin)
        preEnqueue = all.compactMap { $0 as? any PreEnqueuePlugin }
        queueSort = all.lazy.compactMap { $0 as? any QueueSortPlugin }.first ?? PrioritySort()
        filters = all.compactMap { $0 as? any FilterPlugin }
        postFilters = all.compactMap { $0 as? any PostFilterPlugin }
        scorers = plugins.compactMap { entry in (entry.plugin as? any ScorePlugin).map { ($0, entry.weight) } }
        hints = Dictionary(all.map { ($0.name, $0.requeueHints) }) { $0 + $1 }
    }

    /// The plugin table of upstream's default profile, as far as it is built.
    public static func standard(name: String = "default-scheduler") -> SchedulingProfile {
        SchedulingProfile(
            name: name,
            plugins: [
                ProfiledPlugin(SchedulingGates()),
                ProfiledPlugin(PrioritySort()),
                ProfiledPlugin(NodeUnschedulable()),
                ProfiledPlugin(NodeName()),
                ProfiledPlugin(TaintToleration(), weight: 3),
                ProfiledPlugin(NodeAffinityPlugin(), weight: 2),
                ProfiledPlugin(NodePorts()),
                ProfiledPlugin(NodeResourcesFit()),
                ProfiledPlugin(VolumeBinding()),
                ProfiledPlugin(PodTopologySpread(), weight: 2),
                ProfiledPlugin(InterPodAffinity(), weight: 2),
                ProfiledPlugin(DefaultPreemption()),
                ProfiledPlugin(NodeResourcesBalancedAllocation()),
                ProfiledPlugin(ImageLocality()),
            ]
        )
    }

    func plugins<T>(_: T.Type) -> [T] {
        plugins.compactMap { $0.plugin as? T }
    }

    /// Whether an event may help a pod that these plugins have rejected.
    func helps(_ event: ClusterEvent, _ pod: SchedulingPod, rejectedBy rejectors: Set<String>) -> Bool {
        if event.kind == .timeout || rejectors.isEmpty { return true }
        return rejectors.contains { rejector in
            hints[rejector]?.contains { !$0.kinds.isDisjoint(with: event.kind) && $0.helps(pod, event) } ?? true
        }
    }
}
