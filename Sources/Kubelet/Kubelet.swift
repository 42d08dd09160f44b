public import APIClient
import APIModel
import APITypes
public import Channels
public import ControllerRuntime
public import HTTPTransport
public import Logging
import PodRuntime
import Units

/// The kubelet of one node: keeps the node's pods as the API server wants them, tells it how they and the node are, and
/// serves logs, exec and statistics.
///
/// `run` owns everything; it is called once and ends with its task. Containers outlive it: the next kubelet finds them.
public final class Kubelet: Sendable {
    private let configuration: KubeletConfiguration
    private let runtime: any ContainerRuntime
    private let core: KubeletCore
    private let recorder: EventRecorder
    private let pods: Informer<Pod>
    private let services: Informer<Service>
    private let nodes: Informer<Node>
    private let threads: EventLoopThreads

    /// A kubelet; nothing happens before `run`.
    ///
    /// - Parameters:
    ///   - client: writes statuses, reads what pods refer to.
    ///   - runtime: where containers run; the kubelet runs its connection.
    ///   - source: where pods, services and the node are watched; `client` unless given.
    ///   - recorder: writes events; the kubelet runs it. One of its own unless given.
    public init(
        configuration: KubeletConfiguration,
        client: APIClient,
        runtime: any ContainerRuntime,
        source: (any ObjectSource)? = nil,
        recorder: EventRecorder? = nil,
        clock: any ClusterClock = SystemClock(),
        logger: Logger = Logger(label: "kubelet")
    ) {
        self.configuration = configuration
        self.runtime = runtime
        let source = source ?? TransportSource(client)
        let recorder =
            recorder ?? EventRecorder(client: client, component: "kubelet", host: configuration.nodeName, clock: clock)
        self.recorder = recorder
        threads = EventLoopThreads(count: 1)
        let api = ClientAPI(client: client)
        let machine = MachineFacts.read(directory: configuration.dataDirectory)
        core = KubeletCore(
            configuration: configuration,
            machine: machine,
            runtime: runtime,
            shared: KubeletCore.Shared(
                api: api,
                events: EventSink(recorder),
                statuses: StatusWriter(api: api, clock: clock, logger: logger),
                pool: BlockingPool(name: "kubelet-files", threads: Self.fileThreads),
                threads: threads,
                clock: clock,
                logger: logger
            )
        )
        var options = ListOptions()
        options.fieldSelector = "spec.nodeName=\(configuration.nodeName)"
        pods = Informer(source: source, options: options, clock: clock, log: logger)
        services = Informer(source: source, clock: clock, log: logger)
        options.fieldSelector = "metadata.name=\(configuration.nodeName)"
        nodes = Informer(source: source, options: options, clock: clock, log: logger)
    }

    /// Threads for files, mounts and cgroups.
    static let fileThreads = 4

    /// Whether the node was Ready at its last look.
    public var isNodeReady: Bool { core.reporter.isReady }

    /// Answers the kubelet's own API (port 10250), once `run` has begun. Requests must be authenticated and authorized
    /// before they come here: see `KubeletGate`.
    public var handler: any HTTPHandler {
        KubeletServer(core: core, threads: threads)
    }

    /// Runs the kubelet until its task is cancelled. Throws when its data directory cannot be used.
    public func run() async throws {
        let directories = [configuration.dataDirectory, core.node.volumes.root, configuration.podLogsDirectory]
        try await core.node.pool.run {
            for directory in directories { try HostFiles.makeDirectories(directory) }
        }
        connect()
        let services = services
        let endpointsWithdrawn = configuration.endpointsWithdrawn
        core.node.facts.update { facts in
            facts.services = { services.list() }
            facts.endpointsWithdrawn = endpointsWithdrawn
        }
        await withDiscardingTaskGroup { group in
            group.addTask { try? await self.runtime.run() }
            group.addTask { await self.recorder.run() }
            group.addTask { await self.services.run() }
            group.addTask { await self.nodes.run() }
            group.addTask { await self.core.node.statuses.run() }
            group.addTask { await self.core.reporter.run() }
            group.addTask { await self.runPods() }
            group.addTask { await self.logRotation.run() }
            group.addTask { await self.imageCollector.run() }
        }
        await core.close()
        await threads.shutDown()
    }

    /// Pods are looked at once services are known: their containers' environment names them.
    private func runPods() async {
        try? await services.waitForSync()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pods.run() }
            group.addTask { await self.core.workers.run() }
            group.addTask { await self.eventGenerator.run() }
        }
    }

    private func connect() {
        let core = core
        pods.addHandlers(
            Informer<Pod>.Handlers { change in
                switch change {
                case .added(let entry):
                    core.podShown(entry.object)
                case .updated(let old, let new):
                    if old.summary.uid != new.summary.uid { core.podGone(uid: old.summary.uid) }
                    core.podShown(new.object)
                case .deleted(let entry):
                    core.podGone(uid: entry.summary.uid, last: entry.object)
                }
            }
        )
        nodes.addHandlers(
            Informer<Node>.Handlers { change in
                if case .deleted = change { core.reporter.nodeChanged(nil) } else { core.reporter.nodeChanged(change.entry.object) }
            }
        )
    }

    private var eventGenerator: EventGenerator {
        let (core, pods) = (core, pods)
        return EventGenerator(
            runtime: runtime,
            clock: core.node.clock,
            logger: core.node.logger,
            changed: { core.workers.wake($0) },
            recovered: { core.runtimeRecovered() },
            listed: { found in
                if pods.hasSynced { await core.removeOrphans(found) }
            }
        )
    }

    private var logRotation: LogRotation {
        LogRotation(
            runtime: runtime,
            pods: core.node.pods,
            clock: core.node.clock,
            pool: core.node.pool,
            maximumBytes: configuration.containerLogMaxBytes,
            maximumFiles: configuration.containerLogMaxFiles,
            logger: core.node.logger
        )
    }

    private var imageCollector: ImageCollector {
        ImageCollector(
            runtime: runtime,
            clock: core.node.clock,
            pool: core.node.pool,
            highPercent: configuration.imageGCHighPercent,
            lowPercent: configuration.imageGCLowPercent,
            logger: core.node.logger
        )
    }
}

extension EventSink {
    /// Events written by the recorder of all components.
    init(_ recorder: EventRecorder) {
        self.init { subject, isWarning, reason, message in
            let reference = ObjectReference {
                $0.kind = subject.kind
                $0.apiVersion = "v1"
                $0.namespace = subject.namespace
                $0.name = subject.name
                $0.uid = subject.uid
                $0.resourceVersion = subject.resourceVersion
                $0.fieldPath = subject.fieldPath
            }
            recorder.record(reference, isWarning ? .warning : .normal, reason: reason, message)
        }
    }
}
