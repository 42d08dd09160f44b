import APITypes
import PodRuntime
import RPC
import Units

/// Carries out one plan. A value used by one pass; collects what went wrong and when to come back.
struct PodExecution {
    let sync: PodSync
    let pod: Pod
    var observed: ObservedPod
    /// Times at which something is to be tried again.
    var wakeAt: [Timestamp] = []
    /// A failure to be retried soon.
    var problem: String?
    private var mounts: [String: MountedVolume] = [:]

    private var node: NodeContext { sync.node }
    private var uid: String { sync.uid }

    init(sync: PodSync, pod: Pod, observed: ObservedPod) {
        self.sync = sync
        self.pod = pod
        self.observed = observed
    }

    mutating func run(_ plan: PodPlan) async {
        let killer = PodKiller(node: node, pod: pod, uid: uid)
        if plan.killPod {
            if plan.createSandbox, !observed.sandboxes.isEmpty {
                node.events.normal(pod, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            }
            do {
                try await killer.killAll(observed, graceSeconds: nil)
                for sandbox in observed.sandboxes { try await node.runtime.stopPodSandbox(sandbox.id) }
            } catch {
                problem = "\(error)"
                node.events.warning(pod, "FailedKillPod", "error killing pod: \(error)")
                return
            }
            if !plan.createSandbox { return }
        } else {
            for kill in plan.containersToKill {
                guard let container = observed.containers.first(where: { $0.id == kill.id }) else { continue }
                do {
                    try await killer.kill(container, message: kill.message, reason: kill.reason, graceSeconds: nil)
                } catch {
                    problem = "\(error)"
                    return
                }
            }
        }
        if plan.resizesPod || !plan.containersToResize.isEmpty { await resize(plan) }
        guard await prepareHost() else { return }
        guard let sandbox = await sandbox(plan) else { return }
        await startContainers(plan, sandbox)
    }

    // MARK: Before the sandbox

    /// Directories, cgroup and volumes; false when the pod must wait for them.
    private mutating func prepareHost() async -> Bool {
        if let problem = node.facts.current.networkProblem, !pod.spec.hostNetwork {
            let message = "network is not ready: \(problem)"
            node.events.warning(pod, "NetworkNotReady", message)
            self.problem = message
            return false
        }
        guard node.runtime.runsProcesses else { return true }
        if let known = node.pods.record(uid)?.mounts {
            mounts = known
            return true
        }
        do {
            let (logs, directory) = (node.settings.logDirectory(pod), node.podDirectory(uid))
            try await node.pool.run {
                try HostFiles.makeDirectories(logs)
                try HostFiles.makeDirectories(directory)
                try HostFiles.changeMode(directory, 0o750)
            }
            await node.cgroups.setUp(pod)
            node.objects.track(pod)
            mounts = try await node.volumes.setUp(pod, sync.volumeContext(pod, observed.addresses))
        } catch {
            node.events.warning(pod, "FailedMount", "\(error)")
            problem = "\(error)"
            return false
        }
        let (made, next) = (mounts, sync.now + PodSync.refreshPeriod)
        let isLive = node.volumes.hasLiveVolumes(pod)
        node.pods.change(uid) { record in
            record.mounts = made
            record.refreshAt = isLive ? next : nil
        }
        return true
    }

    /// The sandbox's id and configuration; makes it when the plan says so.
    private mutating func sandbox(_ plan: PodPlan) async -> (id: String, config: CRIPodSandboxConfig)? {
        let config = node.settings.sandbox(pod, attempt: plan.attempt)
        guard plan.createSandbox else {
            guard let id = plan.sandboxID else { return nil }
            return (id, config)
        }
        do {
            let handler = try await runtimeHandler()
            let id = try await node.runtime.runPodSandbox(config, runtimeHandler: handler)
            let status = try await node.runtime.podSandboxStatus(id)
            observed.sandboxes.insert(ObservedSandbox(status), at: 0)
            let seen = observed
            node.pods.change(uid) { $0.observed = seen }
            return (id, config)
        } catch {
            if !(error is CancellationError) {
                node.events.warning(pod, "FailedCreatePodSandBox", "Failed to create pod sandbox: \(error)")
            }
            problem = "\(error)"
            return nil
        }
    }

    private func runtimeHandler() async throws -> String {
        guard let name = pod.spec.runtimeClassName, !name.isEmpty else { return "" }
        return try await node.objects.runtimeHandler(name)
    }

    // MARK: Containers

    private mutating func startContainers(_ plan: PodPlan, _ sandbox: (id: String, config: CRIPodSandboxConfig)) async {
        // Each of these lists is read from the pod's tree when it is asked for.
        let (containers, initContainers) = (pod.spec.containers, pod.spec.initContainers)
        let ephemeral = pod.spec.ephemeralContainers
        var wanted = plan.ephemeralContainersToStart.map { Container(fields: ephemeral[$0].fields) }
        wanted += plan.initContainersToStart.map { initContainers[$0] }
        wanted += plan.containersToStart.map { containers[$0] }
        var starter = ContainerStarter(
            node: node,
            sync: sync,
            pod: pod,
            observed: observed,
            sandbox: sandbox.id,
            sandboxConfig: sandbox.config,
            mounts: mounts
        )
        for container in wanted {
            if Task.isCancelled { return }
            if let waiting = node.restarts.check(pod, container, observed, now: sync.now) {
                node.events.container(
                    pod,
                    container,
                    isWarning: true,
                    "BackOff",
                    "Back-off restarting failed container \(container.name) in pod \(pod.longName)"
                )
                setWaiting(container, WaitingReason(reason: "CrashLoopBackOff", message: waiting.message))
                wakeAt.append(waiting.until)
                if isBlocking(container) { return }
                continue
            }
            do {
                try await starter.start(container)
                setWaiting(container, nil)
            } catch let failure as StartFailure {
                setWaiting(container, WaitingReason(reason: failure.reason, message: failure.message))
                if let retryAt = failure.retryAt { wakeAt.append(retryAt) } else { problem = failure.message }
                if isBlocking(container) { return }
            } catch {
                if !(error is CancellationError) { problem = "\(error)" }
                return
            }
        }
    }

    /// Init containers come one after the other: a plain one that could not start holds back those after it.
    private func isBlocking(_ container: Container) -> Bool {
        pod.spec.initContainers.contains { $0.name == container.name && !$0.isRestartableInit }
    }

    private func setWaiting(_ container: Container, _ reason: WaitingReason?) {
        let name = container.name
        node.pods.change(uid) { $0.waiting[name] = reason }
    }
}
