import APIModel
import APITypes
import Units
import Values

@testable import Scheduler

/// A node with so many cores and gibibytes.
func node(
    _ name: String,
    cpu: Int64 = 4,
    memory: Int64 = 8,
    pods: Int = 110,
    labels: [String: String] = [:],
    taints: [NodeTaint] = [],
    isUnschedulable: Bool = false,
    scalars: [String: Int64] = [:],
    images: [String: Int64] = [:]
) -> NodeFacts {
    NodeFacts(
        name: name,
        labels: ["kubernetes.io/hostname": name].merging(labels) { $1 },
        taints: taints,
        isUnschedulable: isUnschedulable,
        allocatable: Resources(milliCPU: cpu * 1_000, memory: memory << 30, scalars: scalars),
        allowedPods: pods,
        images: images
    )
}

/// A pod from the JSON of its spec; `requests` go to its only container.
func pod(
    _ name: String,
    cpu: String? = nil,
    memory: String? = nil,
    labels: [String: String] = [:],
    priority: Int? = nil,
    on node: String? = nil,
    spec extra: JSONValue = .object([:]),
    status: JSONValue = .object([:])
) -> SchedulingPod {
    SchedulingPod(rawPod(name, cpu: cpu, memory: memory, labels: labels, priority: priority, on: node, spec: extra, status: status))
}

func rawPod(
    _ name: String,
    cpu: String? = nil,
    memory: String? = nil,
    labels: [String: String] = [:],
    priority: Int? = nil,
    on node: String? = nil,
    spec extra: JSONValue = .object([:]),
    status: JSONValue = .object([:])
) -> Pod {
    var requests: JSONObject = [:]
    if let cpu { requests["cpu"] = .string(cpu) }
    if let memory { requests["memory"] = .string(memory) }
    var spec: JSONObject = [
        "containers": .array([
            .object(["name": "c", "image": "nginx", "resources": .object(["requests": .object(requests)])])
        ]),
        "schedulerName": "default-scheduler",
    ]
    if let priority { spec["priority"] = .integer(Int64(priority)) }
    if let node { spec["nodeName"] = .string(node) }
    if case .object(let extra) = extra {
        for (key, value) in extra { spec[key] = value }
    }
    var pod = Pod(name: name, namespace: "default")
    pod.metadata.uid = "uid-\(name)"
    pod.metadata.labels = labels
    pod.metadata.generation = 1
    pod.fields["spec"] = .object(spec)
    pod.fields["status"] = status
    return pod
}

/// A pod spec, or part of one, from JSON text.
func json(_ text: String) -> JSONValue {
    (try? JSONParser.parse(text)) ?? .null
}

/// A cluster of nodes with pods on them.
func cluster(_ nodes: [NodeFacts], _ pods: [SchedulingPod] = []) -> ClusterSnapshot {
    var snapshot = ClusterSnapshot(nodes.map { NodeSnapshot($0) })
    for pod in pods { snapshot.addPod(pod, to: pod.nodeName) }
    return snapshot
}

/// What the standard profile decides.
func decide(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot, seed: UInt64 = 1) -> SchedulingPlan {
    var snapshot = snapshot
    snapshot.prepare(for: pod)
    var state = SchedulingAlgorithm.State(seed: seed)
    return SchedulingAlgorithm(.standard()).schedule(pod, snapshot, &state)
}

extension SchedulingPlan {
    var node: String? {
        if case .place(let node, _, _) = self { return node }
        return nil
    }

    var failure: FitError? {
        if case .reject(let failure, _) = self { return failure }
        return nil
    }

    var outcome: PostFilterResult? {
        if case .reject(_, let outcome) = self { return outcome }
        return nil
    }
}
