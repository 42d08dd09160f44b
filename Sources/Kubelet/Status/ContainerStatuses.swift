import APITypes
import PodRuntime
import Units

/// Makes `containerStatuses`, `initContainerStatuses` and `ephemeralContainerStatuses`.
struct ContainerStatuses {
    /// What is said of a container that vanished without a trace.
    static let lostReason = "ContainerStatusUnknown"
    static let lostMessage = "The container could not be located when the pod was deleted.  The container used to be Running"
    static let lostExitCode: Int = 137

    let inputs: StatusInputs
    let isInit: Bool
    let defaultReason: String
    /// What the runtime shows, by name, newest first.
    private let observed: [String: [ObservedContainer]]

    init(_ inputs: StatusInputs, isInit: Bool) {
        self.inputs = inputs
        self.isInit = isInit
        observed = Dictionary(grouping: inputs.observed.containers, by: \.name)
        defaultReason = inputs.pod.spec.initContainers.isEmpty ? "ContainerCreating" : "PodInitializing"
    }

    func statuses(of containers: [Container], previous: [ContainerStatus]) -> [ContainerStatus] {
        var old: [String: ContainerStatus] = [:]
        for status in previous { old[status.name] = status }
        let made = containers.map { container in
            var status = status(of: container, old: old[container.name])
            applyWaitingReason(&status, container)
            return status
        }
        return isInit ? made : made.sorted { $0.name < $1.name }
    }

    private func status(of container: Container, old: ContainerStatus?) -> ContainerStatus {
        let seen = observed[container.name] ?? []
        guard let latest = seen.first else { return unseen(container, old) }
        var status = convert(latest, container, old)
        if seen.count > 1 {
            status.lastState = convert(seen[1], container, old).state
        } else if let terminated = old?.lastState.terminated, terminated.containerID != status.containerID {
            status.lastState.terminated = terminated
        }
        if let old, let ended = old.state.terminated, old.containerID != latest.runtimeID, seen.count == 1 {
            status.lastState.terminated = ended
        }
        return status
    }

    /// A container of which the runtime shows nothing: not made yet, or removed.
    private func unseen(_ container: Container, _ old: ContainerStatus?) -> ContainerStatus {
        if let old, old.state.terminated != nil { return old }
        var status = base(container)
        status.state.waiting = waiting(defaultReason)
        guard let old else { return status }
        status.restartCount = old.restartCount
        status.lastState = old.lastState
        guard old.state.running != nil, status.lastState.terminated == nil else { return status }
        var lost = ContainerStateTerminated(fields: [:])
        lost.reason = Self.lostReason
        lost.message = Self.lostMessage
        lost.exitCode = Self.lostExitCode
        status.lastState.terminated = lost
        if inputs.pod.metadata.deletionTimestamp == nil { status.restartCount += 1 }
        return status
    }

    private func base(_ container: Container) -> ContainerStatus {
        var status = ContainerStatus(fields: [:])
        status.name = container.name
        status.image = container.image
        status.imageID = ""
        status.ready = false
        status.restartCount = 0
        status.volumeMounts = container.volumeMounts.map { mount in
            var shown = VolumeMountStatus(fields: [:])
            shown.name = mount.name
            shown.mountPath = mount.mountPath
            shown.readOnly = mount.readOnly
            if mount.readOnly { shown.recursiveReadOnly = "Disabled" }
            return shown
        }
        return status
    }

    private func convert(_ seen: ObservedContainer, _ container: Container, _ old: ContainerStatus?) -> ContainerStatus {
        var status = base(container)
        status.restartCount = max(seen.restartCount, 0)
        if !seen.image.isEmpty { status.image = seen.image }
        status.imageID = seen.imageReference
        status.containerID = seen.runtimeID
        // A container that runs has what the runtime was last told, others will have what they were given.
        let actual = seen.state == .running ? inputs.allocation?.actual[container.name] : nil
        status.resources = actual ?? container.resources
        if !container.resources.requests.isEmpty { status.allocatedResources = container.resources.requests }
        if let user = seen.user {
            var shown = LinuxContainerUser(fields: [:])
            shown.uid = user.uid
            shown.gid = user.gid
            shown.supplementalGroups = user.groups
            var wrapper = ContainerUser(fields: [:])
            wrapper.linux = shown
            status.user = wrapper
        }
        setState(&status, seen, old)
        return status
    }

    private func setState(_ status: inout ContainerStatus, _ seen: ObservedContainer, _ old: ContainerStatus?) {
        switch seen.state {
        case .running:
            var running = ContainerStateRunning(fields: [:])
            running.startedAt = seen.startedAt
            status.state.running = running
        case .exited:
            var ended = ContainerStateTerminated(fields: [:])
            ended.exitCode = seen.exitCode
            ended.reason = seen.reason
            ended.message = seen.message
            ended.startedAt = seen.startedAt
            ended.finishedAt = seen.finishedAt
            ended.containerID = seen.runtimeID
            status.state.terminated = ended
        case .unknown where old?.state.running != nil:
            var ended = ContainerStateTerminated(fields: [:])
            ended.reason = Self.lostReason
            ended.message = "The container could not be located when the pod was terminated"
            ended.exitCode = Self.lostExitCode
            status.state.terminated = ended
            status.restartCount = (old?.restartCount ?? 0) + 1
        case .created, .unknown:
            status.state.waiting = ContainerStateWaiting(fields: [:])
        }
    }

    /// A container that is to be started but could not be is Waiting, with the reason it could not.
    private func applyWaitingReason(_ status: inout ContainerStatus, _ container: Container) {
        let latest = observed[container.name]?.first
        if isInit {
            if let latest, latest.state == .exited, latest.exitCode == 0, !container.isRestartableInit { return }
            if latest == nil, !container.isRestartableInit, status.state.waiting != nil, regularContainerWasMade {
                var ended = ContainerStateTerminated(fields: [:])
                ended.reason = "Completed"
                ended.message =
                    "Unable to get init container status from container runtime and pod has been initialized, "
                    + "treat it as exited normally"
                ended.exitCode = 0
                status.state = ContainerState(fields: [:])
                status.state.terminated = ended
                return
            }
        }
        guard !inputs.isTerminal, inputs.pod.mustStart(container, inputs.observed) else { return }
        guard let waiting = inputs.waiting[container.name] else { return }
        if status.state.terminated != nil { status.lastState = status.state }
        var shown = ContainerStateWaiting(fields: [:])
        shown.reason = waiting.reason
        shown.message = waiting.message
        status.state = ContainerState(fields: [:])
        status.state.waiting = shown
    }

    private var regularContainerWasMade: Bool {
        inputs.pod.spec.containers.contains { observed[$0.name] != nil }
    }

    private func waiting(_ reason: String) -> ContainerStateWaiting {
        var waiting = ContainerStateWaiting(fields: [:])
        waiting.reason = reason
        return waiting
    }
}

extension ObservedContainer {
    /// The id as the API shows it.
    var runtimeID: String { "containerd://\(id)" }
}
