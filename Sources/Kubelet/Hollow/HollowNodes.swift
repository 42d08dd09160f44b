public import APIClient
import APIModel
import APITypes
public import Channels
public import ControllerRuntime
import HTTPTransport
public import Logging
import PodRuntime
import Synchronization
import Units

/// Many nodes that only pretend, in one process: each with a kubelet core and a hollow runtime of its own, sharing one
/// watch of all pods, one status writer and one event recorder.
public final class HollowNodes: Sendable {
    /// What every hollow node offers.
    public static let capacity: [String: Quantity] = [
        "cpu": Quantity(value: 32),
        "memory": Quantity(value: 256 << 30, format: .binarySI),
        "ephemeral-storage": Quantity(value: 1 << 40, format: .binarySI),
        "pods": Quantity(value: 110),
    ]
    /// Up to so many nodes tell about their pods in events; more would only load the API server.
    static let eventfulCount = 100
    /// How far apart the nodes begin, so that their periodic work is spread evenly.
    static let startSpread: Duration = .seconds(10)

    private let cores: [String: KubeletCore]
    private let runtimes: [HollowRuntime]
    private let pods: Informer<Pod>
    private let recorder: EventRecorder
    private let statuses: StatusWriter
    private let threads: EventLoopThreads
    private let clock: any ClusterClock

    /// `count` nodes named `<prefix>-0`, `<prefix>-1` …; nothing happens before `run`.
    public init(
        count: Int,
        prefix: String = "hollow",
        client: APIClient,
        source: (any ObjectSource)? = nil,
        labels: [String: String] = [:],
        clock: any ClusterClock = SystemClock(),
        logger: Logger = Logger(label: "hollow-nodes")
    ) {
        self.clock = clock
        recorder = EventRecorder(client: client, component: "kubelet", clock: clock, log: logger)
        let api = ClientAPI(client: client)
        statuses = StatusWriter(api: api, clock: clock, logger: logger)
        threads = EventLoopThreads(count: 1)
        let shared = KubeletCore.Shared(
            api: api,
            events: count <= Self.eventfulCount ? EventSink(recorder) : EventSink { _, _, _, _ in },
            statuses: statuses,
            pool: BlockingPool(name: "hollow-files", threads: 1),
            threads: threads,
            clock: clock,
            logger: logger
        )
        var cores: [String: KubeletCore] = [:]
        var runtimes: [HollowRuntime] = []
        for index in 0..<count {
            let name = "\(prefix)-\(index)"
            let runtime = HollowRuntime(nodeIndex: index, clock: clock)
            runtimes.append(runtime)
            cores[name] = KubeletCore(
                configuration: Self.configuration(name, index, labels),
                machine: MachineFacts(),
                runtime: runtime,
                shared: shared
            )
        }
        self.cores = cores
        self.runtimes = runtimes
        var options = ListOptions()
        // One node watches its own pods, as a kubelet does; many share one watch of all pods that have a node.
        options.fieldSelector = count == 1 ? "spec.nodeName=\(prefix)-0" : "spec.nodeName!="
        pods = Informer(source: source ?? TransportSource(client), options: options, clock: clock, log: logger)
    }

    private static func configuration(_ name: String, _ index: Int, _ labels: [String: String]) -> KubeletConfiguration {
        let address = "10.127.\((index >> 8) & 255).\(index & 255)"
        var configuration = KubeletConfiguration(nodeName: name, nodeIPs: [address], dataDirectory: "/nonexistent")
        configuration.capacity = capacity
        configuration.nodeLabels = labels.merging(["apus.io/hollow": "true"]) { $1 }
        return configuration
    }

    /// How many of the nodes are Ready.
    public var readyCount: Int { cores.values.count { $0.reporter.isReady } }

    /// Runs all nodes until the task is cancelled.
    public func run() async {
        connect()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.recorder.run() }
            group.addTask { await self.statuses.run() }
            group.addTask { await self.pods.run() }
            let count = max(cores.count, 1)
            for (offset, core) in cores.values.enumerated() {
                group.addTask { await core.workers.run() }
                group.addTask {
                    // Registration is spread a little even for few nodes, and over the whole period for many.
                    let delay = min(Self.startSpread, .milliseconds(count)) * offset / count
                    guard (try? await self.clock.sleep(for: delay)) != nil else { return }
                    await core.reporter.run()
                }
            }
        }
        for core in cores.values { await core.close() }
        await threads.shutDown()
    }

    private func connect() {
        pods.addHandlers(
            Informer<Pod>.Handlers { [cores] change in
                if case .updated(let old, let new) = change, old.summary.uid != new.summary.uid {
                    let pod = old.object
                    cores[pod.spec.nodeName]?.podGone(uid: pod.metadata.uid)
                }
                let pod = change.entry.object
                guard let core = cores[pod.spec.nodeName] else { return }
                if case .deleted = change { core.podGone(uid: pod.metadata.uid, last: pod) } else { core.podShown(pod.slim) }
            }
        )
    }
}

extension Pod {
    private static let keptMetadata = [
        "name", "namespace", "uid", "resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
    ]
    private static let keptSpec = [
        "nodeName", "restartPolicy", "hostNetwork", "terminationGracePeriodSeconds", "activeDeadlineSeconds",
        "readinessGates", "resources",
    ]
    private static let keptContainer = [
        "name", "image", "imagePullPolicy", "resources", "restartPolicy", "livenessProbe", "readinessProbe", "startupProbe",
    ]

    /// Only what pretending to run the pod needs: a hollow process holds very many.
    var slim: Pod {
        var result = Pod(fields: [:])
        var meta = ObjectMeta()
        for key in Self.keptMetadata { meta.fields[key] = metadata.fields[key] }
        result.metadata = meta
        var spec = PodSpec()
        for key in Self.keptSpec { spec.fields[key] = self.spec.fields[key] }
        spec.containers = self.spec.containers.map(Self.slim)
        let initContainers = self.spec.initContainers
        if !initContainers.isEmpty { spec.initContainers = initContainers.map(Self.slim) }
        result.spec = spec
        result.status = status
        return result
    }

    private static func slim(_ container: Container) -> Container {
        var result = Container()
        for key in keptContainer { result.fields[key] = container.fields[key] }
        return result
    }
}
