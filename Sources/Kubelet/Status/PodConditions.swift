import APITypes
import PodRuntime
import Units

/// The conditions that the kubelet owns.
struct PodConditions {
    /// Types that only the kubelet writes; all others are kept as the API server has them.
    static let owned: Set<String> = [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "PodResizePending",
        "PodResizeInProgress",
    ]

    let pod: Pod
    let phase: String
    let statuses: [ContainerStatus]
    private let byName: [String: ContainerStatus]

    init(_ pod: Pod, phase: String, statuses: [ContainerStatus]) {
        self.pod = pod
        self.phase = phase
        self.statuses = statuses
        var byName: [String: ContainerStatus] = [:]
        for status in statuses { byName[status.name] = status }
        self.byName = byName
    }

    private func condition(_ type: String, _ isTrue: Bool, _ reason: String = "", _ message: String = "") -> PodCondition {
        var condition = PodCondition(fields: [:])
        condition.type = type
        condition.status = isTrue ? "True" : "False"
        condition.reason = reason
        condition.message = message
        condition.observedGeneration = pod.metadata.generation
        return condition
    }

    /// True once the pod's network is set up.
    func readyToStart(_ observed: ObservedPod) -> PodCondition {
        condition("PodReadyToStartContainers", !SandboxNeed(pod, observed).needsNew)
    }

    func scheduled() -> PodCondition {
        condition("PodScheduled", true)
    }

    func containersReady(as type: String = "ContainersReady") -> PodCondition {
        var unknown: [String] = []
        var unready: [String] = []
        for container in pod.spec.initContainers.filter(\.isRestartableInit) + pod.spec.containers {
            guard let status = byName[container.name] else {
                unknown.append(container.name)
                continue
            }
            if !status.ready { unready.append(container.name) }
        }
        if phase == "Succeeded", unknown.isEmpty { return condition(type, false, "PodCompleted") }
        if phase == "Failed" { return condition(type, false, "PodFailed") }
        let message = Self.message([("unknown", unknown), ("unready", unready)])
        if !message.isEmpty { return condition(type, false, "ContainersNotReady", message) }
        return condition(type, true)
    }

    /// Ready: all containers are, and every readiness gate is open.
    func ready(_ others: [PodCondition]) -> PodCondition {
        let containers = containersReady(as: "Ready")
        guard containers.status == "True" else { return containers }
        var closed: [String] = []
        for gate in pod.spec.readinessGates {
            let type = gate.conditionType
            guard let found = others.first(where: { $0.type == type }) else {
                closed.append("corresponding condition of pod readiness gate \"\(type)\" does not exist.")
                continue
            }
            if found.status != "True" {
                closed.append("the status of pod readiness gate \"\(type)\" is not \"True\", but \(found.status)")
            }
        }
        if closed.isEmpty { return containers }
        return condition("Ready", false, "ReadinessGatesNotReady", closed.joined(separator: ", "))
    }

    func initialized() -> PodCondition {
        var unknown: [String] = []
        var incomplete: [String] = []
        for container in pod.spec.initContainers {
            guard let status = byName[container.name] else {
                unknown.append(container.name)
                continue
            }
            let isDone = container.isRestartableInit ? status.started == true : status.ready
            if !isDone { incomplete.append(container.name) }
        }
        if phase == "Succeeded", unknown.isEmpty { return condition("Initialized", true, "PodCompleted") }
        if hasStartedContainer { return condition("Initialized", true) }
        let message = Self.message([("unknown", unknown), ("incomplete", incomplete)])
        if !message.isEmpty { return condition("Initialized", false, "ContainersNotInitialized", message) }
        return condition("Initialized", true)
    }

    private var hasStartedContainer: Bool {
        pod.spec.containers.contains { container in
            guard let status = byName[container.name] else { return false }
            return status.state.running != nil || status.state.terminated != nil || status.lastState.terminated != nil
                || status.started == true
        }
    }

    private static func message(_ parts: [(what: String, names: [String])]) -> String {
        parts.filter { !$0.names.isEmpty }
            .map { "containers with \($0.what) status: [\($0.names.joined(separator: " "))]" }
            .joined(separator: ", ")
    }
}
