import APITypes
import Channels
import HTTPTransport
import Logging
import PodRuntime
import Units

/// The parts of one kubelet, wired: what a real node and a hollow one share. Owned by `Kubelet` or `HollowNodes`.
final class KubeletCore: Sendable {
    let configuration: KubeletConfiguration
    let node: NodeContext
    let workers: PodWorkers
    let reporter: NodeReporter

    /// What several hollow kubelets share; a real one has its own.
    struct Shared: Sendable {
        var api: any NodeAPI
        var events: EventSink
        var statuses: StatusWriter
        var pool: BlockingPool
        var threads: EventLoopThreads
        var clock: any ClusterClock
        var logger: Logger
    }

    init(configuration: KubeletConfiguration, machine: MachineFacts, runtime: any ContainerRuntime, shared: Shared) {
        self.configuration = configuration
        let wake = Wake()
        let facts = NodeFacts()
        let pods = PodTable()
        let prober = NetworkProber(runtime: runtime, clock: shared.clock, threads: shared.threads)
        let (clock, pool, isReal) = (shared.clock, shared.pool, runtime.runsProcesses)
        let objects = ObjectCache(api: shared.api, clock: clock) { uids in
            for uid in uids {
                pods.change(uid) { $0.refreshAt = nil }
                wake.call(uid)
            }
        }
        let plugins: [any VolumePlugin] = [
            ContentVolumes(pool: pool, clock: clock),
            EmptyDirVolume(pool: pool),
            HostPathVolume(pool: pool),
            ClaimVolume(pool: pool),
        ]
        let context = NodeContext(
            nodeName: configuration.nodeName,
            runtime: runtime,
            api: shared.api,
            events: shared.events,
            clock: clock,
            pool: pool,
            settings: Self.settings(configuration, machine, isReal: isReal),
            pods: pods,
            volumes: PodVolumes(plugins: plugins, pool: pool, root: "\(configuration.dataDirectory)/pods"),
            objects: objects,
            images: ImagePuller(runtime: runtime, clock: clock, maximumParallelPulls: configuration.maximumParallelPulls),
            probes: ProbeWorkers(
                prober: prober,
                clock: clock,
                events: shared.events,
                isActive: isReal,
                concluded: wake.call
            ),
            statuses: shared.statuses,
            hooks: LifecycleHooks(runtime: runtime, prober: prober, clock: clock),
            cgroups: PodCgroups(root: configuration.cgroupRoot, pool: pool, isEnabled: isReal, logger: shared.logger),
            restarts: RestartBackoff(),
            facts: facts,
            endpointsWithdrawn: configuration.endpointsWithdrawn,
            logger: shared.logger
        )
        node = context
        workers = PodWorkers(node: context)
        wake.connect(workers)
        let pressure = NodePressure(directory: configuration.dataDirectory, pool: pool)
        reporter = NodeReporter(
            configuration: configuration,
            machine: machine,
            runtime: runtime,
            api: shared.api,
            facts: facts,
            events: shared.events,
            clock: clock,
            logger: shared.logger,
            pressure: { isReal ? await pressure.look() : NodeHealth() }
        )
    }

    private static func settings(
        _ configuration: KubeletConfiguration,
        _ machine: MachineFacts,
        isReal: Bool
    ) -> ContainerSettings {
        let resolver = isReal ? HostFiles.text(configuration.resolvConf) ?? "" : ""
        return ContainerSettings(
            logRoot: configuration.podLogsDirectory,
            cgroupRoot: configuration.cgroupRoot,
            dns: PodDNS.Cluster(
                servers: configuration.clusterDNS,
                domain: configuration.clusterDomain,
                node: PodDNS(resolvConf: resolver)
            ),
            seccompDefault: configuration.seccompDefault,
            memoryCapacity: machine.memory,
            hostname: configuration.hostname,
            endsTogether: isReal && PodCgroups.hasUnifiedMemory()
        )
    }

    // MARK: Inputs

    func podShown(_ pod: Pod) {
        workers.act(node.pods.updated(pod), pod.metadata.uid)
    }

    /// `last` is the pod's final state, when it is known.
    func podGone(uid: String, last: Pod? = nil) {
        let grace = last?.metadata.deletionGracePeriodSeconds.map { Int64($0) }
        workers.act(node.pods.removed(uid, graceSeconds: grace), uid)
    }

    /// The runtime answers again: every pod and the node are looked at.
    func runtimeRecovered() {
        for uid in node.pods.uids { workers.wake(uid) }
        reporter.lookNow()
    }

    /// Ends what is in the runtime, or on the disk, of pods that the API server does not have. Only to be called once
    /// all pods are known.
    func removeOrphans(_ found: [String: ObservedPod]) async {
        for (uid, observed) in found where node.pods.record(uid) == nil {
            node.logger.info("pod unknown to the API server is ended", metadata: ["pod": "\(observed.namespace)/\(observed.name)"])
            workers.act(node.pods.foundInRuntime(observed), uid)
        }
        guard node.runtime.runsProcesses else { return }
        let root = node.volumes.root
        let directories = (try? await node.pool.run { HostFiles.list(root) }) ?? []
        for uid in directories where found[uid] == nil && node.pods.record(uid) == nil {
            do {
                try await node.volumes.tearDown(uid)
            } catch {
                node.logger.warning("orphaned pod directory stays", metadata: ["uid": "\(uid)", "error": "\(error)"])
            }
        }
    }

    func close() async {
        await node.probes.close()
        await node.objects.close()
    }
}

/// Breaks the circle between what wakes workers and the workers.
private final class Wake: Sendable {
    private let workers = Signal<PodWorkers?>(nil)

    func connect(_ workers: PodWorkers) {
        self.workers.set(workers)
    }

    var call: @Sendable (String) -> Void {
        { [self] uid in workers.value?.wake(uid) }
    }

    func call(_ uid: String) {
        workers.value?.wake(uid)
    }
}
