import APITypes
import Channels
import PodRuntime
import Synchronization
import Units

/// Runs the probes of the node's containers, one task for each probe of each running container, and keeps what they
/// concluded. Guarded by `state`.
final class ProbeWorkers: Sendable {
    struct Key: Hashable, Sendable {
        var podUID: String
        var containerID: String
        var kind: ProbeKind
    }

    private struct State {
        var outcomes: [String: ProbeOutcomes] = [:]
        /// Where the pods are reached, by uid.
        var addresses: [String: String] = [:]
    }

    private let prober: any Prober
    private let clock: any ClusterClock
    private let events: EventSink
    private let state = Mutex(State())
    private let tasks = TaskSet<Key>()
    /// False: every probe counts as succeeded (a runtime that pretends).
    private let isActive: Bool
    /// Called when a probe concluded something new about a pod.
    private let concluded: @Sendable (String) -> Void

    init(
        prober: any Prober,
        clock: any ClusterClock,
        events: EventSink,
        isActive: Bool,
        concluded: @escaping @Sendable (String) -> Void
    ) {
        self.prober = prober
        self.clock = clock
        self.events = events
        self.isActive = isActive
        self.concluded = concluded
    }

    func outcomes(_ uid: String) -> ProbeOutcomes {
        state.withLock { $0.outcomes[uid] } ?? ProbeOutcomes()
    }

    /// Starts and ends probes so that they fit what runs.
    func update(_ pod: Pod, _ observed: ObservedPod, _ status: PodStatus, isTerminating: Bool = false) {
        let uid = pod.metadata.uid
        guard isActive else {
            pretend(pod, observed)
            return
        }
        let probed = (pod.spec.containers + pod.spec.initContainers.filter(\.isRestartableInit)).filter(\.hasProbe)
        if probed.isEmpty { return }
        var wanted: Set<Key> = []
        // Before the tasks begin: they read it.
        state.withLock { $0.addresses[uid] = status.podIP }
        for container in probed {
            guard let seen = observed.latest(container.name), seen.state == .running else { continue }
            let isStarted = (status.containerStatuses + status.initContainerStatuses)
                .contains { $0.name == container.name && $0.started == true }
            for kind in ProbeKind.allCases {
                guard let probe = container.probe(kind) else { continue }
                if isTerminating, kind != .readiness { continue }
                if kind == .startup ? isStarted : !isStarted { continue }
                let key = Key(podUID: uid, containerID: seen.id, kind: kind)
                wanted.insert(key)
                tasks.start(key) { await self.run(key, probe, container, pod, seen) }
            }
        }
        let running = Set(observed.containers.filter { $0.state == .running }.map(\.id))
        state.withLock { state in
            state.outcomes[uid]?.keepOnly(running)
        }
        tasks.cancel { $0.podUID == uid && !wanted.contains($0) }
    }

    func remove(_ uid: String) {
        tasks.cancel { $0.podUID == uid }
        state.withLock { state in
            state.outcomes[uid] = nil
            state.addresses[uid] = nil
        }
    }

    func close() async {
        await tasks.close()
    }

    /// A runtime that pretends has probes that succeed.
    private func pretend(_ pod: Pod, _ observed: ObservedPod) {
        let uid = pod.metadata.uid
        let probed = pod.spec.containers.filter(\.hasProbe)
        if probed.isEmpty { return }
        let isNew = state.withLock { state -> Bool in
            var outcomes = state.outcomes[uid] ?? ProbeOutcomes()
            let before = outcomes
            for container in probed {
                guard let seen = observed.latest(container.name), seen.state == .running else { continue }
                for kind in ProbeKind.allCases where container.probe(kind) != nil { outcomes[kind, seen.id] = .success }
            }
            state.outcomes[uid] = outcomes
            return outcomes != before
        }
        if isNew { concluded(uid) }
    }

    // MARK: One probe

    private func run(_ key: Key, _ probe: Probe, _ container: Container, _ pod: Pod, _ seen: ObservedContainer) async {
        var tally = ProbeTally(
            kind: key.kind,
            successThreshold: probe.successThreshold,
            failureThreshold: probe.failureThreshold == 0 ? 3 : probe.failureThreshold
        )
        let period = Duration.seconds(max(probe.periodSeconds, 1))
        let age = clock.now - (seen.startedAt ?? clock.now)
        let delay = Duration.seconds(probe.initialDelaySeconds) - age
        if delay > .zero, (try? await clock.sleep(for: delay)) == nil { return }
        while !Task.isCancelled {
            let began = clock.monotonic
            let podIP = state.withLock { $0.addresses[key.podUID] } ?? ""
            let result = await prober.probe(probe, container: container, containerID: key.containerID, podIP: podIP)
            if Task.isCancelled { return }
            report(result, key.kind, container, pod)
            if let conclusion = tally.record(result.result) { conclude(key, conclusion) }
            if tally.isOver { return }
            if (try? await clock.sleep(until: began + period)) == nil { return }
        }
    }

    private func report(_ result: ProbeResult, _ kind: ProbeKind, _ container: Container, _ pod: Pod) {
        if result.isWarning {
            let message = "\(kind.rawValue) probe warning: \(result.output)"
            events.container(pod, container, isWarning: true, "ProbeWarning", message)
        } else if result.result == .failure {
            let message = "\(kind.rawValue) probe failed: \(result.output)"
            events.container(pod, container, isWarning: true, "Unhealthy", message)
        } else if result.result == .unknown {
            let message = "\(kind.rawValue) probe errored and resulted in unknown state: \(result.output)"
            events.container(pod, container, isWarning: true, "Unhealthy", message)
        }
    }

    private func conclude(_ key: Key, _ outcome: ProbeOutcome) {
        let isNew = state.withLock { state -> Bool in
            var outcomes = state.outcomes[key.podUID] ?? ProbeOutcomes()
            let isNew = outcomes[key.kind, key.containerID] != outcome
            outcomes[key.kind, key.containerID] = outcome
            state.outcomes[key.podUID] = outcomes
            return isNew
        }
        if isNew { concluded(key.podUID) }
    }
}

extension Container {
    var hasProbe: Bool { livenessProbe != nil || readinessProbe != nil || startupProbe != nil }

    func probe(_ kind: ProbeKind) -> Probe? {
        switch kind {
        case .liveness: livenessProbe
        case .readiness: readinessProbe
        case .startup: startupProbe
        }
    }
}
