import APITypes
import Channels
import PodRuntime
import RPC
import Units

/// What a worker does after one pass over a pod.
enum SyncOutcome: Sendable {
    /// Nothing until something changes, or until then.
    case settled(until: Timestamp?)
    /// Something failed: again, with growing waits.
    case failed(String)
    /// The pod left the node.
    case gone
}

/// One pass over one pod: look, decide, act, tell. Never runs twice at a time for the same pod.
struct PodSync: Sendable {
    /// How often volumes that follow the API are looked at when nothing told of a change.
    static let refreshPeriod: Duration = .seconds(60)

    let node: NodeContext
    let uid: String

    var now: Timestamp { node.clock.now }

    func run() async -> SyncOutcome {
        guard let record = node.pods.record(uid) else { return .gone }
        do {
            if record.mustTerminate { return try await terminate(record) }
            guard let pod = record.pod else { return .gone }
            return try await sync(pod, record)
        } catch {
            return .failed("\(error)")
        }
    }

    private func sync(_ pod: Pod, _ record: PodRecord) async throws -> SyncOutcome {
        let observed = try await observe(record)
        if let refusal = refusal(pod, record, observed) {
            node.events.warning(pod, refusal.reason, refusal.message)
            let failure = PodFailure(reason: refusal.reason, message: "Pod was rejected: \(refusal.message)")
            _ = node.pods.failed(uid, failure, graceSeconds: nil)
            return try await terminate(node.pods.record(uid) ?? record)
        }
        let pod = await granted(pod, observed)
        var status = publish(pod, observed)
        if status.phase == "Failed" || status.phase == "Succeeded" { return try await terminate(record) }
        if let failure = deadlineFailure(pod, status) {
            node.events.normal(pod, failure.reason, failure.message)
            _ = node.pods.failed(uid, failure, graceSeconds: nil)
            return try await terminate(node.pods.record(uid) ?? record)
        }
        node.probes.update(pod, observed, status)
        let plan = plan(pod, observed)
        var wakeAt: [Timestamp] = []
        var problem: String?
        if plan.isEmpty {
            await refreshVolumes(pod)
        } else {
            var execution = PodExecution(sync: self, pod: pod, observed: observed)
            await execution.run(plan)
            wakeAt = execution.wakeAt
            problem = execution.problem
            let after = try await observe(node.pods.record(uid) ?? record)
            noteProgress(pod, after)
            status = publish(pod, after)
            node.probes.update(pod, after, status)
            await removeOldContainers(pod, after)
            if status.phase == "Failed" || status.phase == "Succeeded" { return .settled(until: now) }
        }
        if let problem { return .failed(problem) }
        if let soon = nextLook(pod, wakeAt) { wakeAt.append(soon) }
        if node.pods.record(uid)?.resize.pending != nil { wakeAt.append(now + Self.resizeRetryPeriod) }
        if let until = deadline(pod, status) { wakeAt.append(until) }
        if let refreshAt = node.pods.record(uid)?.refreshAt { wakeAt.append(refreshAt) }
        return .settled(until: wakeAt.min())
    }

    private func plan(_ pod: Pod, _ observed: ObservedPod) -> PodPlan {
        PodPlan.plan(
            pod,
            observed: observed,
            probes: node.probes.outcomes(uid),
            allocation: node.pods.record(uid)?.allocation
        )
    }

    /// Why the node does not take the pod; nil when it does, or did.
    private func refusal(_ pod: Pod, _ record: PodRecord, _ observed: ObservedPod) -> PodFailure? {
        if record.isAdmitted || ["Failed", "Succeeded"].contains(pod.status.phase) { return nil }
        return node.pods.admit(uid, hasBegun: !observed.sandboxes.isEmpty) {
            let facts = node.facts.current
            return PodAdmission(allocatable: facts.allocatable, node: facts.node)
        }
    }

    // MARK: Looking and telling

    func observe(_ record: PodRecord) async throws -> ObservedPod {
        let observer = PodObserver(runtime: node.runtime, pool: node.pool)
        let observed = try await observer.observe(uid, previous: record.observed)
        node.pods.change(uid) { $0.observed = observed }
        return observed
    }

    /// Generates the pod's status and hands it to the writer.
    @discardableResult
    func publish(_ pod: Pod, _ observed: ObservedPod, isTerminal: Bool = false) -> PodStatus {
        let facts = node.facts.current
        let outcomes = node.probes.outcomes(uid)
        let status = node.pods.change(uid) { record -> PodStatus in
            let inputs = StatusInputs(
                pod: record.grantedPod ?? pod,
                previous: record.status ?? pod.status,
                observed: observed,
                waiting: record.waiting,
                probes: outcomes,
                isTerminal: isTerminal,
                failure: record.failure.map { ($0.reason, $0.message) },
                hostAddresses: facts.addresses,
                allocation: record.allocation,
                resize: record.resize.all,
                now: now
            )
            let status = inputs.status()
            record.status = status
            return status
        }
        guard let status else { return pod.status }
        node.statuses.set(node.pods.record(uid)?.pod ?? pod, status)
        return status
    }

    /// How soon an init container that has just begun is looked at again, and for how long: most end quickly, and the
    /// next one waits for it.
    static let initPollPeriod: Duration = .milliseconds(100)
    static let initPollLimit: Duration = .seconds(5)

    /// When to look again without being told of a change: at once if there is more to do, soon while an init container
    /// may end any moment.
    private func nextLook(_ pod: Pod, _ wakeAt: [Timestamp]) -> Timestamp? {
        guard let observed = node.pods.record(uid)?.observed else { return nil }
        let plan = plan(pod, observed)
        if wakeAt.isEmpty, plan.startsSomething { return now }
        let isInitRunning = pod.spec.initContainers.contains { container in
            guard !container.isRestartableInit, let latest = observed.latest(container.name) else { return false }
            return latest.state == .running && now - (latest.startedAt ?? now) < Self.initPollLimit
        }
        return isInitRunning ? now + Self.initPollPeriod : nil
    }

    // MARK: Deadline

    private func deadline(_ pod: Pod, _ status: PodStatus) -> Timestamp? {
        guard let seconds = pod.spec.activeDeadlineSeconds, let start = status.startTime else { return nil }
        return start + .seconds(seconds)
    }

    private func deadlineFailure(_ pod: Pod, _ status: PodStatus) -> PodFailure? {
        guard let deadline = deadline(pod, status), deadline <= now else { return nil }
        return PodFailure(
            reason: "DeadlineExceeded",
            message: "Pod was active on the node longer than the specified deadline"
        )
    }

    // MARK: Volumes

    func volumeContext(_ pod: Pod, _ addresses: [String]) -> VolumeContext {
        VolumeContext(
            pod: pod,
            podDirectory: node.podDirectory(uid),
            fields: downwardFields(pod, addresses),
            objects: node.objects,
            group: pod.spec.securityContext?.fsGroup.map { UInt32(clamping: $0) }
        )
    }

    func downwardFields(_ pod: Pod, _ addresses: [String]) -> DownwardFields {
        let facts = node.facts.current
        return DownwardFields(
            pod: pod,
            addresses: pod.spec.hostNetwork ? facts.addresses : addresses,
            hostAddresses: facts.addresses,
            allocatable: facts.allocatable
        )
    }

    /// Brings volumes that follow the API up to date when due; after a restart of the kubelet, finds them again first.
    private func refreshVolumes(_ pod: Pod) async {
        guard node.runtime.runsProcesses, node.volumes.hasLiveVolumes(pod), let record = node.pods.record(uid) else { return }
        if let refreshAt = record.refreshAt, refreshAt > now { return }
        node.objects.track(pod)
        await node.volumes.refresh(pod, volumeContext(pod, record.observed.addresses), logger: node.logger)
        let next = now + Self.refreshPeriod
        node.pods.change(uid) { $0.refreshAt = next }
    }

    // MARK: Dead containers

    /// Of each container the latest ended one is kept, for its log and exit code.
    private func removeOldContainers(_ pod: Pod, _ observed: ObservedPod) async {
        for name in Set(observed.containers.map(\.name)) {
            let all = observed.containers.filter { $0.name == name }
            // What was created but never started, and has a successor, is only in the way.
            let stale = all.dropFirst().filter { $0.state == .created }
            let dead = all.filter { $0.state == .exited }
            for container in dead.dropFirst() + stale {
                do {
                    try await node.runtime.removeContainer(container.id)
                    let log = container.logPath
                    if !log.isEmpty { try? await node.pool.run { try HostFiles.remove(log) } }
                } catch {
                    node.logger.debug("container not removed", metadata: ["id": "\(container.id)", "error": "\(error)"])
                }
            }
        }
        for sandbox in observed.sandboxes.dropFirst() where !sandbox.isReady {
            // The runtime removes a sandbox with its containers, and the last ended one's traces are still wanted.
            if observed.containers.contains(where: { $0.sandboxID == sandbox.id }) { continue }
            try? await node.runtime.removePodSandbox(sandbox.id)
        }
    }
}
