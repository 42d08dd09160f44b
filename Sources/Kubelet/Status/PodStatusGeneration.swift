import APITypes
import Units

extension StatusInputs {
    /// The status of the pod: a pure function of the inputs.
    func status() -> PodStatus {
        var status = PodStatus(fields: previous.fields)
        status.observedGeneration = pod.metadata.generation
        status.qosClass = QoSClass(pod).rawValue
        status.startTime = previous.startTime ?? pod.status.startTime ?? now
        setContainers(&status)
        setPhase(&status)
        setConditions(&status)
        setAmounts(&status)
        setAddresses(&status)
        return status
    }

    private func setContainers(_ status: inout PodStatus) {
        let initStatuses = ContainerStatuses(self, isInit: true)
            .statuses(of: pod.spec.initContainers, previous: previous.initContainerStatuses)
        let containerStatuses = ContainerStatuses(self, isInit: false)
            .statuses(of: pod.spec.containers, previous: previous.containerStatuses)
        let ephemeral = pod.spec.ephemeralContainers.map { Container(fields: $0.fields) }
        status.initContainerStatuses = withReadiness(
            initStatuses,
            specs: pod.spec.initContainers,
            before: previous.initContainerStatuses,
            isInit: true
        )
        status.containerStatuses = withReadiness(
            containerStatuses,
            specs: pod.spec.containers,
            before: previous.containerStatuses,
            isInit: false
        )
        status.ephemeralContainerStatuses = ContainerStatuses(self, isInit: false)
            .statuses(of: ephemeral, previous: previous.ephemeralContainerStatuses)
    }

    private func withReadiness(
        _ statuses: [ContainerStatus],
        specs: [Container],
        before: [ContainerStatus],
        isInit: Bool
    ) -> [ContainerStatus] {
        let specs = Dictionary(specs.map { ($0.name, $0) }) { first, _ in first }
        let before = Dictionary(before.map { ($0.name, $0) }) { first, _ in first }
        return statuses.map { status in
            guard let container = specs[status.name] else { return status }
            return withReadiness(status, of: container, before: before[status.name], isInit: isInit)
        }
    }

    /// Sets `started` and `ready`. Where no probe has concluded yet (the kubelet just began), what was said of the very
    /// same container before still holds: a restart of the kubelet takes no pod out of its services.
    private func withReadiness(
        _ given: ContainerStatus,
        of container: Container,
        before: ContainerStatus?,
        isInit: Bool
    ) -> ContainerStatus {
        var status = given
        let id = String(status.containerID.drop { $0 != "/" }.drop { $0 == "/" })
        let same = before.flatMap { $0.containerID == status.containerID && !$0.containerID.isEmpty ? $0 : nil }
        let isRunning = status.state.running != nil
        if isInit, !container.isRestartableInit {
            status.started = false
            status.ready = status.state.terminated.map { $0.exitCode == 0 } ?? false
            return status
        }
        var started = isRunning
        if isRunning, container.startupProbe != nil {
            started = probes[.startup, id].map { $0 == .success } ?? (same?.started ?? false)
        }
        status.started = started
        guard started, container.readinessProbe != nil else {
            status.ready = started
            return status
        }
        switch probes[.readiness, id] {
        case .success: status.ready = true
        case .failure: status.ready = false
        case .unknown, nil: status.ready = same?.ready ?? false
        }
        return status
    }

    private func setPhase(_ status: inout PodStatus) {
        let all = status.initContainerStatuses + status.containerStatuses
        let wasInitialized = pod.spec.containers.contains { container in
            guard let latest = observed.latest(container.name) else { return false }
            return latest.state == .running || latest.state == .exited
        }
        var phase = PodPhase.phase(pod.spec, all, isTerminal: isTerminal, wasInitialized: wasInitialized)
        // Terminal phases are never left.
        for former in [previous.phase, pod.status.phase] where former == "Failed" || former == "Succeeded" {
            phase = former
        }
        if let failure {
            status.phase = "Failed"
            status.reason = failure.reason
            status.message = failure.message
            return
        }
        if phase != previous.phase {
            status.reason = ""
            status.message = ""
        }
        status.phase = phase
    }

    private func setConditions(_ status: inout PodStatus) {
        let all = status.initContainerStatuses + status.containerStatuses
        let conditions = PodConditions(pod, phase: status.phase, statuses: all)
        let kept = pod.status.conditions.filter { !PodConditions.owned.contains($0.type) }
        var made = [
            conditions.readyToStart(observed), conditions.initialized(), conditions.ready(kept),
            conditions.containersReady(), conditions.scheduled(),
        ]
        let before = previous.conditions + pod.status.conditions
        for index in made.indices {
            let old = before.first { $0.type == made[index].type && $0.status == made[index].status }
            made[index].lastTransitionTime = old?.lastTransitionTime ?? now
        }
        status.conditions = kept + resize + made
    }

    private func setAddresses(_ status: inout PodStatus) {
        if let host = hostAddresses.first {
            status.hostIP = host
            status.hostIPs = hostAddresses.map { address in
                var shown = HostIP(fields: [:])
                shown.ip = address
                return shown
            }
        }
        // The API keeps the address of a pod whose sandbox is gone.
        var addresses = observed.addresses
        if pod.spec.hostNetwork { addresses = hostAddresses }
        guard let first = addresses.first else { return }
        status.podIP = first
        status.podIPs = addresses.map { address in
            var shown = PodIP(fields: [:])
            shown.ip = address
            return shown
        }
    }
}
