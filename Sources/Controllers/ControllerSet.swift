import APIClient
import APITypes
import Channels
import ControllerRuntime
import Logging

/// Every controller of the control plane, ready to run.
public struct ControllerSet: Sendable {
    /// The controllers, each to be run until cancelled; the events they record are written by one more.
    public let controllers: [any Controller]
    private let queueReaders: [@Sendable () -> (name: String, metrics: WorkQueueMetrics)]

    /// The work queues' counters under their upstream names.
    public var queueMetrics: [(name: String, metrics: WorkQueueMetrics)] { queueReaders.map { $0() } }

    /// Makes the controllers. `recorder` makes the event recorder of a component. The informers are run by the caller.
    public static func all(
        client: APIClient,
        informers: SharedInformers,
        recorder: @escaping @Sendable (String) -> EventRecorder,
        clock: any ClusterClock = SystemClock(),
        random: any RandomSource = SystemRandom(),
        configuration: ControllerConfiguration = ControllerConfiguration(),
        logger: Logger = Logger(label: "controllers")
    ) -> ControllerSet {
        let context = ControllerContext(
            client: client,
            informers: informers,
            recorder: recorder,
            clock: clock,
            random: random,
            configuration: configuration,
            logger: logger
        )
        let counted = CountedObjects(context)
        var keyed: [(String, any KeyedController)] = [
            ("deployment-controller", DeploymentController(context)),
            ("replicaset-controller", ReplicaController<ReplicaSet>(context)),
            ("replicationcontroller-controller", ReplicaController<ReplicationController>(context)),
            ("endpointslice-controller", EndpointSliceController(context)),
            ("endpoints-controller", EndpointsController(context)),
            ("endpointslice-mirroring-controller", EndpointMirrorController(context)),
            ("namespace-controller", NamespaceController(context)),
            ("serviceaccount-controller", ServiceAccountController(context)),
            ("root-ca-certificate-publisher-controller", RootCAPublisher(context)),
            ("job-controller", JobController(context)),
            ("daemonset-controller", DaemonSetController(context)),
            ("statefulset-controller", StatefulSetController(context)),
            ("cronjob-controller", CronJobController(context)),
            ("disruption-controller", DisruptionController(context)),
            ("persistentvolume-binder-controller", PersistentVolumeController(context)),
            ("persistentvolumeclaim-protection-controller", ClaimProtectionController(context)),
            ("persistentvolume-protection-controller", VolumeProtectionController(context)),
            ("volumeattributesclass-protection-controller", AttributesClassProtectionController(context)),
            ("node-ipam-controller", NodeIPAMController(context)),
            ("ttl-after-finished-controller", TTLAfterFinishedController(context)),
            ("clusterrole-aggregation-controller", ClusterRoleAggregationController(context)),
            ("resourcequota-controller", ResourceQuotaController(context, counted: counted)),
        ]
        if let sign = configuration.signToken {
            keyed.append(("serviceaccount-token-controller", TokenSecretController(context, sign: sign)))
        }
        keyed.removeAll { configuration.disabled.contains($0.0) }
        let loops = keyed.map { KeyedControllerLoop(name: $0.0, controller: $0.1, logger: logger) }
        let others: [any Controller & Subscriber] = [
            GarbageCollector(context), PodGCController(context), NodeLifecycleController(context), TaintEvictionController(context),
            counted,
        ].filter { !configuration.disabled.contains($0.name) }
        let all: [any Controller & Subscriber] = loops + others
        for controller in all { controller.start() }
        context.connect()
        let writers = EventWriters(recorders: context.recorders)
        let readers = keyed.map { reader(of: $0.1.queue) } + others.flatMap { ($0 as? any QueueOwner)?.queueReaders ?? [] }
        return ControllerSet(controllers: all + [writers], queueReaders: readers)
    }

    /// A way to read a queue's counters, whatever its keys.
    static func reader<Key>(of queue: WorkQueue<Key>) -> @Sendable () -> (name: String, metrics: WorkQueueMetrics) {
        { (queue.name, queue.metrics) }
    }

    /// Runs everything until cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for controller in controllers { group.addTask { await controller.run() } }
        }
    }
}

/// A controller with queues of its own.
protocol QueueOwner {
    /// Reads their counters.
    var queueReaders: [@Sendable () -> (name: String, metrics: WorkQueueMetrics)] { get }
}

extension GarbageCollector: QueueOwner {
    var queueReaders: [@Sendable () -> (name: String, metrics: WorkQueueMetrics)] {
        [ControllerSet.reader(of: deletions), ControllerSet.reader(of: orphanings)]
    }
}

extension NodeLifecycleController: QueueOwner {
    var queueReaders: [@Sendable () -> (name: String, metrics: WorkQueueMetrics)] {
        [ControllerSet.reader(of: changedNodes), ControllerSet.reader(of: placedPods)]
    }
}

extension TaintEvictionController: QueueOwner {
    var queueReaders: [@Sendable () -> (name: String, metrics: WorkQueueMetrics)] {
        [ControllerSet.reader(of: queue), ControllerSet.reader(of: evictions)]
    }
}

/// Writes the events the controllers record.
private struct EventWriters: Controller {
    let name = "event-writers"
    let recorders: [EventRecorder]

    func run() async {
        await withDiscardingTaskGroup { group in
            for recorder in recorders { group.addTask { await recorder.run() } }
        }
    }
}
