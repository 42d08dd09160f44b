/// Higher priority first; among equals, who has waited longer.
public struct PrioritySort: QueueSortPlugin {
    public let name = "PrioritySort"

    public init() {}

    public func isBefore(_ left: QueuedPod, _ right: QueuedPod) -> Bool {
        if left.pod.priority != right.pod.priority { return left.pod.priority > right.pod.priority }
        if left.enqueued != right.enqueued { return left.enqueued < right.enqueued }
        return left.order < right.order
    }
}

/// Holds pods back until their gates are taken away.
public struct SchedulingGates: PreEnqueuePlugin {
    public let name = "SchedulingGates"

    public init() {}

    public var requeueHints: [RequeueHint] {
        [RequeueHint(.podUpdate) { pod, event in (event.pod ?? pod).schedulingGates.isEmpty }]
    }

    public func preEnqueue(_ pod: SchedulingPod) -> Status {
        guard !pod.schedulingGates.isEmpty else { return .success }
        let gates = pod.schedulingGates.joined(separator: " ")
        return .unresolvable("waiting for scheduling gates: [\(gates)]", name)
    }
}
