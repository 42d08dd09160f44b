import APITypes
import PodRuntime

extension PodPlan {
    /// Plans init containers; returns whether the containers proper may be looked at.
    ///
    /// Walks from the last one back: finished init containers may already be removed from the runtime, so the last one
    /// seen tells how far the pod got. Sidecars before that point are kept running.
    mutating func planInitContainers(
        _ pod: Pod,
        _ observed: ObservedPod,
        _ probes: ProbeOutcomes,
        _ actual: [String: ResourceRequirements]
    ) -> Bool {
        let containers = pod.spec.initContainers
        if containers.isEmpty { return true }
        // A container proper that runs proves that initialisation once finished, even if its traces are gone.
        let wasInitialized = pod.spec.containers.contains { container in
            guard let latest = observed.latest(container.name) else { return false }
            return latest.state == .created || latest.state == .running
        }
        var initialized = wasInitialized
        // True once a later init container was seen: everything before it is done, only sidecars still matter.
        var earlierAreDone = wasInitialized
        for index in containers.indices.reversed() {
            let container = containers[index]
            guard let latest = observed.latest(container.name) else {
                if earlierAreDone, container.isRestartableInit { initContainersToStart.append(index) }
                continue
            }
            if earlierAreDone, !container.isRestartableInit { continue }
            let step =
                container.isRestartableInit
                ? planSidecar(index, container, latest, probes, actual)
                : planInit(index, container, latest, pod)
            if latest.state == .running, !container.isRestartableInit { planResize(container, actual) }
            switch step {
            case .failed:
                killPod = true
                initContainersToStart = []
                return false
            case .done where index == containers.count - 1:
                initialized = true
            case .done:
                if !earlierAreDone { initContainersToStart.append(index + 1) }
            case .pending:
                break
            }
            earlierAreDone = true
        }
        if !earlierAreDone { initContainersToStart.append(0) }
        initContainersToStart = Set(initContainersToStart).sorted()
        return initialized
    }

    /// How far one init container is.
    private enum Step { case pending, done, failed }

    private mutating func planInit(_ index: Int, _ container: Container, _ latest: ObservedContainer, _ pod: Pod) -> Step {
        switch latest.state {
        case .running:
            return .pending
        case .created:
            // Made but never started: the runtime failed to start it.
            initContainersToStart.append(index)
            return .pending
        case .exited where latest.exitCode == 0:
            return .done
        case .exited:
            guard pod.spec.restarts(container, exitCode: latest.exitCode) else { return .failed }
            initContainersToStart.append(index)
            return .pending
        case .unknown:
            guard pod.spec.restartsAfterKill(container) else { return .failed }
            containersToKill.append(.lost(latest, "Init container"))
            initContainersToStart.append(index)
            return .pending
        }
    }

    private mutating func planSidecar(
        _ index: Int,
        _ container: Container,
        _ latest: ObservedContainer,
        _ probes: ProbeOutcomes,
        _ actual: [String: ResourceRequirements]
    ) -> Step {
        switch latest.state {
        case .created, .exited:
            initContainersToStart.append(index)
            return .pending
        case .unknown:
            containersToKill.append(.lost(latest, "Init container"))
            initContainersToStart.append(index)
            return .pending
        case .running:
            break
        }
        if ContainerResize(container, actual: actual[container.name]) == .restart {
            containersToKill.append(.resized(latest))
            initContainersToStart.append(index)
            resizesPod = true
            return .done
        }
        planResize(container, actual)
        if container.startupProbe != nil, probes[.startup, latest.id] != .success {
            if probes[.startup, latest.id] == .failure {
                restartSidecar(index, container, latest, "failed startup probe", .startupProbe)
            }
            return .pending
        }
        if latest.hasOtherSpec(than: container) {
            restartSidecar(index, container, latest, "definition changed", .other)
        } else if container.livenessProbe != nil, probes[.liveness, latest.id] == .failure {
            restartSidecar(index, container, latest, "failed liveness probe", .livenessProbe)
        }
        return .done
    }

    private mutating func restartSidecar(
        _ index: Int,
        _ container: Container,
        _ latest: ObservedContainer,
        _ what: String,
        _ reason: KillReason
    ) {
        let message = "Init container \(container.name) \(what)"
        containersToKill.append(ContainerKill(id: latest.id, name: container.name, message: message, reason: reason))
        initContainersToStart.append(index)
    }
}
