import APITypes
import PodRuntime
import Units
import Values

/// What the kubelet says of a pod's resize in its conditions. A value; owned by the pod's `PodRecord`.
struct ResizeConditions: Sendable, Hashable {
    /// The spec wants something that the node cannot give now.
    var pending: PodCondition?
    /// What was given is not yet what the containers have.
    var inProgress: PodCondition?

    var all: [PodCondition] { [pending, inProgress].compactMap(\.self) }

    /// A condition of a resize; its transition time stays when it said the same before.
    static func condition(
        _ type: String,
        _ reason: String,
        _ message: String,
        generation: Int,
        after old: PodCondition?,
        now: Timestamp
    ) -> PodCondition {
        var condition = PodCondition(fields: [:])
        condition.type = type
        condition.status = "True"
        condition.reason = reason
        condition.message = message
        condition.observedGeneration = generation
        let isSame = old.map { $0.reason == reason && $0.message == message && $0.observedGeneration == generation } ?? false
        if isSame, let old { return old }
        condition.lastProbeTime = now
        condition.lastTransitionTime = old?.lastTransitionTime ?? now
        return condition
    }
}

/// Something about a resize that users are told as an event.
struct ResizeEvent: Sendable, Hashable {
    var reason: String
    var isWarning = false
    var message: String

    /// The words of an event with the amounts that the pod's containers are to have, as upstream writes them.
    init(_ reason: String, isWarning: Bool = false, _ what: String, _ pod: Pod, generation: Int, problem: String = "") {
        self.reason = reason
        self.isWarning = isWarning
        func list(_ containers: [Container]) -> String {
            let items = containers.map { container -> String in
                let resources = JSONValue.object(container.resources.fields).description
                return "{\"name\":\(JSONValue.string(container.name).description),\"resources\":\(resources)}"
            }
            return "[\(items.joined(separator: ","))]"
        }
        var parts: [String] = []
        if !pod.spec.initContainers.isEmpty { parts.append("\"initContainers\":\(list(pod.spec.initContainers))") }
        parts.append("\"containers\":\(list(pod.spec.containers))")
        parts.append("\"generation\":\(generation)")
        if !problem.isEmpty { parts.append("\"error\":\(JSONValue.string(problem).description)") }
        message = "Pod resize \(what): {\(parts.joined(separator: ","))}"
    }
}

extension PodRecord {
    /// The pod as if its spec wanted what it was given; the pod itself while nothing is known of that.
    var grantedPod: Pod? { pod.map { pod in allocation?.granted(pod) ?? pod } }

    /// Whether the pod waits for an answer to a change of its amounts.
    var wantsResize: Bool {
        guard isAdmitted, !mustTerminate, occupiesNode, let pod, let allocation else { return false }
        return allocation.differs(from: pod)
    }

    /// Brings the condition of a running resize up to date with what runs.
    mutating func noteProgress(_ observed: ObservedPod, now: Timestamp) -> ResizeEvent? {
        guard let pod, let allocation else { return nil }
        let names = Set(observed.containers.map(\.name)).filter { observed.latest($0)?.state == .running }
        if allocation.isUnderWay(running: names) {
            if resize.inProgress != nil { return nil }
            let generation = pod.metadata.generation
            resize.inProgress = ResizeConditions.condition("PodResizeInProgress", "", "", generation: generation, after: nil, now: now)
            return ResizeEvent("ResizeStarted", "started", allocation.granted(pod), generation: generation)
        }
        guard let done = resize.inProgress else { return nil }
        resize.inProgress = nil
        return ResizeEvent("ResizeCompleted", "completed", allocation.granted(pod), generation: done.observedGeneration)
    }

    /// The runtime or the kernel would not take the new amounts; tried again later.
    mutating func resizeFailed(_ problem: String, now: Timestamp) -> ResizeEvent? {
        guard let pod, let allocation else { return nil }
        let old = resize.inProgress
        let generation = old?.observedGeneration ?? pod.metadata.generation
        let condition = ResizeConditions.condition("PodResizeInProgress", "Error", problem, generation: generation, after: old, now: now)
        resize.inProgress = condition
        if condition == old { return nil }
        return ResizeEvent(
            "ResizeError",
            isWarning: true,
            "error",
            allocation.granted(pod),
            generation: generation,
            problem: problem
        )
    }
}
