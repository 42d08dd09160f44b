import APITypes
import Units
import Values

/// What is written into the status of a pod that was not scheduled.
struct PodStatusPatch {
    /// The strategic merge patch; nil when the pod says all of it already.
    let body: JSONValue?

    init(_ pod: SchedulingPod, reason: String, message: String, nominatedNode: String?, now: Timestamp) {
        let known = pod.scheduledCondition
        let isKnown = known?.status == "False" && known?.reason == reason && known?.message == message
        let isNominated = nominatedNode == nil || nominatedNode == pod.nominatedNodeName
        if isKnown && isNominated {
            body = nil
            return
        }
        let since = known?.status == "False" ? known?.lastTransitionTime ?? now : now
        var condition: [String: JSONValue] = [
            "type": "PodScheduled",
            "status": "False",
            "reason": .string(reason),
            "message": .string(message),
            "lastProbeTime": .null,
            "lastTransitionTime": .string(since.rfc3339),
        ]
        if pod.generation > 0 { condition["observedGeneration"] = .integer(Int64(pod.generation)) }
        var status: [String: JSONValue] = ["conditions": .array([Self.object(condition)])]
        if let nominatedNode, !isNominated {
            status["nominatedNodeName"] = nominatedNode.isEmpty ? .null : .string(nominatedNode)
        }
        body = Self.object(["status": Self.object(status)])
    }

    /// Marks a victim, so that its owners know why it goes.
    static func disruption(of pod: SchedulingPod, by scheduler: String, now: Timestamp) -> JSONValue {
        var condition: [String: JSONValue] = [
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": .string("\(scheduler): preempting to accommodate a higher priority pod"),
            "lastTransitionTime": .string(now.rfc3339),
        ]
        if pod.generation > 0 { condition["observedGeneration"] = .integer(Int64(pod.generation)) }
        return object(["status": object(["conditions": .array([object(condition)])])])
    }

    private static func object(_ members: [String: JSONValue]) -> JSONValue {
        var object = JSONObject()
        for (key, value) in members { object[key] = value }
        return .object(object)
    }
}

extension SchedulingPod {
    /// What events are about.
    var reference: ObjectReference {
        ObjectReference {
            $0.kind = "Pod"
            $0.apiVersion = "v1"
            $0.namespace = namespace
            $0.name = name
            $0.uid = uid
        }
    }
}
