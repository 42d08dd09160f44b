/// Higher priority first; among equals, who has waited longer.
package struct PrioritySort: QueueSortPlugin {
    package let name = "PrioritySort"

    package init() {}

    package func isBefore(_ left: QueuedPod, _ right: QueuedPod) -> Bool {
        if left.pod.priority != right.pod.priority { return left.pod.priority > right.pod.priority }
        if left.enqueued != right.enqueued { return left.enqueued < right.enqueued }
        return left.order < right.order
    }
}

/// Holds pods back until their gates are taken away.
package struct SchedulingGates: PreEnqueuePlugin {
    package let name = "SchedulingGates"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [RequeueHint(.podUpdate) { pod, event in (event.pod ?? pod).schedulingGates.isEmpty }]
    }

    package func preEnqueue(_ pod: SchedulingPod) -> Status {
        guard !pod.schedulingGates.isEmpty else { return .success }
        let gates = pod.schedulingGates.joined(separator: " ")
        return .unresolvable("waiting for scheduling gates: [\(gates)]", name)
    }
}
