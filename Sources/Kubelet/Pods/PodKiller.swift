import APITypes
import PodRuntime
import Units

/// Ends containers: preStop hook, then the stop signal, then, after the grace period, the kill.
struct PodKiller: Sendable {
    /// A container always gets this long after its hook, however long that took.
    static let minimumGrace: Duration = .seconds(2)
    static let defaultGraceSeconds: Int64 = 30

    let node: NodeContext
    /// Nil for a pod of which only the runtime knows.
    let pod: Pod?
    let uid: String

    /// Ends every container that may run: those proper at the same time, then sidecars from the last to the first.
    func killAll(_ observed: ObservedPod, graceSeconds: Int64?) async throws {
        let sidecars = (pod?.spec.initContainers ?? []).filter(\.isRestartableInit).map(\.name)
        let live = observed.live
        try await withThrowingTaskGroup(of: Void.self) { group in
            for container in live where !sidecars.contains(container.name) {
                group.addTask {
                    try await kill(container, message: nil, reason: .other, graceSeconds: graceSeconds)
                }
            }
            try await group.waitForAll()
        }
        for name in sidecars.reversed() {
            for container in live where container.name == name {
                try await kill(container, message: nil, reason: .other, graceSeconds: graceSeconds)
            }
        }
    }

    func kill(
        _ container: ObservedContainer,
        message: String?,
        reason: KillReason,
        graceSeconds: Int64?
    ) async throws {
        let spec = pod.flatMap { pod in
            (pod.spec.containers + pod.spec.initContainers).first { $0.name == container.name }
        }
        let full = grace(container, spec, reason, graceSeconds)
        if let pod {
            let known = spec ?? Container { $0.name = container.name }
            node.events.container(pod, known, "Killing", message ?? "Stopping container \(container.name)")
        }
        var left = full
        if let hook = spec?.lifecycle?.preStop, let spec, full > .zero, node.runtime.runsProcesses {
            left = full - (await preStop(hook, spec, container, limit: full))
            left = max(left, min(Self.minimumGrace, full))
        }
        try await node.runtime.stopContainer(container.id, timeout: left)
    }

    private func grace(
        _ container: ObservedContainer,
        _ spec: Container?,
        _ reason: KillReason,
        _ override: Int64?
    ) -> Duration {
        if let override { return .seconds(override) }
        if let seconds = pod?.metadata.deletionGracePeriodSeconds { return .seconds(seconds) }
        let ofProbe: Int? =
            switch reason {
            case .livenessProbe: spec?.livenessProbe?.terminationGracePeriodSeconds
            case .startupProbe: spec?.startupProbe?.terminationGracePeriodSeconds
            default: nil
            }
        if let ofProbe { return .seconds(ofProbe) }
        if let seconds = pod?.spec.terminationGracePeriodSeconds { return .seconds(seconds) }
        return .seconds(container.gracePeriodSeconds ?? Self.defaultGraceSeconds)
    }

    /// Runs the hook, at most for `limit`; returns how long it took.
    private func preStop(
        _ hook: LifecycleHandler,
        _ spec: Container,
        _ container: ObservedContainer,
        limit: Duration
    ) async -> Duration {
        let began = node.clock.monotonic
        do {
            try await node.hooks.run(
                hook,
                container: spec,
                containerID: container.id,
                podIP: node.pods.record(uid)?.observed.addresses.first ?? "",
                limit: limit
            )
        } catch {
            if let pod, !(error is CancellationError) {
                node.events.container(pod, spec, isWarning: true, "FailedPreStopHook", "PreStopHook failed")
            }
        }
        return min(node.clock.monotonic - began, limit)
    }
}
