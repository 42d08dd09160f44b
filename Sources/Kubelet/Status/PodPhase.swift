import APITypes

/// Counts that decide a pod's phase.
struct PodPhase {
    private var pendingInit = 0
    private var pendingSidecars = 0
    private var initFailedForGood = false
    private var unknown = 0
    private var running = 0
    private var waiting = 0
    private var stopped = 0
    private var stoppedForGood = 0
    private var succeeded = 0
    private let spec: PodSpec

    /// The phase of a pod whose containers have these statuses.
    static func phase(_ spec: PodSpec, _ statuses: [ContainerStatus], isTerminal: Bool, wasInitialized: Bool) -> String {
        var count = PodPhase(spec: spec)
        var byName: [String: ContainerStatus] = [:]
        for status in statuses { byName[status.name] = status }
        for container in spec.initContainers {
            let status = byName[container.name]
            if container.isRestartableInit { count.countSidecar(status) } else { count.countInit(container, status) }
        }
        for container in spec.containers { count.countContainer(container, byName[container.name]) }
        return count.decide(isTerminal: isTerminal, wasInitialized: wasInitialized)
    }

    private init(spec: PodSpec) {
        self.spec = spec
    }

    private mutating func countInit(_ container: Container, _ status: ContainerStatus?) {
        guard let state = status?.state else {
            pendingInit += 1
            return
        }
        let ended = state.terminated ?? (state.waiting != nil ? status?.lastState.terminated : nil)
        guard let ended, state.running == nil else {
            pendingInit += 1
            return
        }
        if ended.exitCode != 0, !spec.restarts(container, exitCode: ended.exitCode) { initFailedForGood = true }
    }

    private mutating func countSidecar(_ status: ContainerStatus?) {
        guard let status else {
            unknown += 1
            return
        }
        if status.state.running != nil {
            if status.started != true { pendingSidecars += 1 }
            running += 1
        } else if status.state.terminated != nil {
            return
        } else if status.state.waiting != nil {
            if status.lastState.terminated == nil {
                pendingSidecars += 1
                waiting += 1
            }
        } else {
            pendingSidecars += 1
            unknown += 1
        }
    }

    private mutating func countContainer(_ container: Container, _ status: ContainerStatus?) {
        guard let status else {
            unknown += 1
            return
        }
        if status.state.running != nil {
            running += 1
        } else if let ended = status.state.terminated {
            stopped += 1
            if !spec.restarts(container, exitCode: ended.exitCode) { stoppedForGood += 1 }
            if ended.exitCode == 0 { succeeded += 1 }
        } else if status.state.waiting != nil {
            if let ended = status.lastState.terminated {
                stopped += 1
                if !spec.restarts(container, exitCode: ended.exitCode) { stoppedForGood += 1 }
            } else {
                waiting += 1
            }
        } else {
            unknown += 1
        }
    }

    private func decide(isTerminal: Bool, wasInitialized: Bool) -> String {
        if initFailedForGood { return "Failed" }
        if pendingInit > 0 || (pendingSidecars > 0 && !wasInitialized) || waiting > 0 { return "Pending" }
        if running > 0, unknown == 0 { return "Running" }
        guard running == 0, stopped > 0, unknown == 0 else { return "Pending" }
        if isTerminal || stopped == stoppedForGood { return stopped == succeeded ? "Succeeded" : "Failed" }
        return "Running"
    }
}
