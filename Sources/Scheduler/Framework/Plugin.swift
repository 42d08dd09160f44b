/// A plugin. It takes part in a cycle by implementing one or more of the protocols below, one for each extension point.
///
/// Plugins are values without state of their own: what a cycle needs is prepared from the snapshot, so a decision depends
/// on nothing else.
package protocol SchedulerPlugin: Sendable {
    /// The name, as upstream's configuration spells it.
    var name: String { get }
    /// Changes in the cluster that may make a pod schedulable which this plugin has rejected.
    var requeueHints: [RequeueHint] { get }
}

extension SchedulerPlugin {
    package var requeueHints: [RequeueHint] { [] }
}

/// PreEnqueue: whether a pod may enter the active queue at all.
package protocol PreEnqueuePlugin: SchedulerPlugin {
    func preEnqueue(_ pod: SchedulingPod) -> Status
}

/// QueueSort: which pod comes first.
package protocol QueueSortPlugin: SchedulerPlugin {
    func isBefore(_ left: QueuedPod, _ right: QueuedPod) -> Bool
}

/// What PreFilter makes of a pod.
package enum FilterPreparation: Sendable {
    /// The plugin's filter need not be asked.
    case skip
    /// The pod fits nowhere.
    case rejected(Status)
    /// Ask this of every node, or of the named ones only.
    case filter(any NodeFilter, nodes: Set<String>? = nil)
}

/// PreFilter and Filter: the filter is prepared once a cycle and then asked of every node.
package protocol FilterPlugin: SchedulerPlugin {
    func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation
}

/// A prepared filter of one pod.
package protocol NodeFilter: Sendable {
    /// Why the pod does not fit on the node; nil when this filter lets it (asked of every node: nil costs nothing).
    func rejection(of node: NodeSnapshot) -> Status?
    /// The filter as if pods had been added to and removed from a node (PreFilterExtensions: preemption, nominated pods).
    func revised(on node: NodeSnapshot, adding: [SchedulingPod], removing: [SchedulingPod]) -> any NodeFilter
}

extension NodeFilter {
    package func revised(on node: NodeSnapshot, adding: [SchedulingPod], removing: [SchedulingPod]) -> any NodeFilter { self }
}

/// PostFilter: what to do about a pod that fits nowhere.
package protocol PostFilterPlugin: SchedulerPlugin {
    func postFilter(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ failure: FitError,
        _ filters: [any NodeFilter]
    ) -> PostFilterResult
}

/// What PostFilter proposes.
package struct PostFilterResult: Sendable {
    package var status: Status
    /// The node the pod is to wait for; nil leaves the nomination, an empty name clears it.
    package var nominatedNode: String?
    /// Pods to remove from that node first.
    package var victims: [SchedulingPod] = []
}

/// What PreScore makes of a pod.
package enum ScorePreparation: Sendable {
    /// The plugin's score is left out.
    case skip
    case scorer(any NodeScorer)
}

/// PreScore, Score and NormalizeScore.
package protocol ScorePlugin: SchedulerPlugin {
    func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation
}

/// A prepared scorer of one pod.
package protocol NodeScorer: Sendable {
    /// Writes one score, 0 to 100 after `normalize`, for each node.
    func score(_ nodes: [NodeSnapshot], into scores: inout [Int64])
    /// Brings raw scores into 0 to 100.
    func normalize(_ scores: inout [Int64], _ nodes: [NodeSnapshot])
}

extension NodeScorer {
    package func normalize(_ scores: inout [Int64], _ nodes: [NodeSnapshot]) {}
}

/// The best score a plugin gives.
package let maximumNodeScore: Int64 = 100

/// Scales raw scores so that the greatest becomes 100, or the least does when reversed.
func normalizeScores(_ scores: inout [Int64], reversed: Bool) {
    let greatest = scores.max() ?? 0
    guard greatest > 0 else {
        if reversed { for index in scores.indices { scores[index] = maximumNodeScore } }
        return
    }
    for index in scores.indices {
        let scaled = maximumNodeScore * scores[index] / greatest
        scores[index] = reversed ? maximumNodeScore - scaled : scaled
    }
}

/// Reserve: takes note that a pod will be on a node, and undoes it when binding fails.
package protocol ReservePlugin: SchedulerPlugin {
    func reserve(_ pod: SchedulingPod, on node: String) async -> Status
    func unreserve(_ pod: SchedulingPod, on node: String) async
}

/// Permit: holds a pod back before it is bound. `.wait` with a limit; the answer comes through the closure's return.
package protocol PermitPlugin: SchedulerPlugin {
    func permit(_ pod: SchedulingPod, on node: String) async -> Status
}

/// PreBind: what must be done before the binding.
package protocol PreBindPlugin: SchedulerPlugin {
    func preBind(_ pod: SchedulingPod, to node: String) async -> Status
}

/// Bind: writes the binding; `.skip` leaves it to the next plugin.
package protocol BindPlugin: SchedulerPlugin {
    func bind(_ pod: SchedulingPod, to node: String) async -> Status
}

/// PostBind: takes note that a pod was bound.
package protocol PostBindPlugin: SchedulerPlugin {
    func postBind(_ pod: SchedulingPod, to node: String) async
}
