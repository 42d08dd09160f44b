import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// What the controllers are told at the start.
public struct ControllerConfiguration: Sendable {
    /// How many keys each controller works on at a time.
    public var workers = 5
    /// How many objects the garbage collector works on at a time.
    public var garbageWorkers = 20
    /// How many finished pods are kept.
    public var terminatedPodThreshold = 12_500
    /// The certificate that pods verify the API server with, in PEM.
    public var rootCA = ""
    /// Signs a token for a namespace's service account (name and uid), to lie in the secret named last.
    public typealias TokenSigning = @Sendable (_ namespace: String, _ account: String, _ uid: String, _ secret: String) throws -> String
    /// Signs the tokens of secrets; nil leaves such secrets to others.
    public var signToken: TokenSigning?
    /// The pods' address ranges; empty leaves the nodes' parts to others.
    public var clusterCIDRs: [CIDR] = []
    /// The length of a node's IPv4 prefix.
    public var nodeMask = 24
    /// The times after which silent nodes are given up.
    public var nodeHealth = NodeHealthMonitor.Settings()
    /// Controllers not to run, by name.
    public var disabled: Set<String> = []

    /// The defaults.
    public init() {}
}

/// What a controller is given: the API, the caches, the time.
final class ControllerContext: Sendable {
    let client: APIClient
    let clock: any ClusterClock
    let random: any RandomSource
    let configuration: ControllerConfiguration
    let logger: Logger
    let claimer: Claimer
    private let informers: SharedInformers
    private let recorder: @Sendable (String) -> EventRecorder

    private struct State {
        var caches: [ObjectIdentifier: any Connectable] = [:]
        var recorders: [String: EventRecorder] = [:]
        var serviceSelectors: ServiceSelectors?
    }

    private let state = Mutex(State())

    init(
        client: APIClient,
        informers: SharedInformers,
        recorder: @escaping @Sendable (String) -> EventRecorder,
        clock: any ClusterClock,
        random: any RandomSource,
        configuration: ControllerConfiguration,
        logger: Logger
    ) {
        self.client = client
        self.informers = informers
        self.recorder = recorder
        self.clock = clock
        self.random = random
        self.configuration = configuration
        self.logger = logger
        claimer = Claimer(client: client)
    }

    /// Where the caches read from.
    var source: any ObjectSource { informers.source }

    /// The cache of a kind; one for all controllers.
    func cache<T: APIObject>(_: T.Type) -> Cache<T> {
        let id = ObjectIdentifier(T.self)
        if let known = state.withLock({ $0.caches[id] }) as? Cache<T> { return known }
        let isAdoptable = T.self == Pod.self || T.self == ReplicaSet.self
        let cache = Cache(informers.informer(T.self), isAdoptable: isAdoptable)
        state.withLock { $0.caches[id] = cache }
        return cache
    }

    /// The selectors of all services; one index for all controllers, subscribed before them.
    func serviceSelectors() -> ServiceSelectors {
        if let known = state.withLock({ $0.serviceSelectors }) { return known }
        let fresh = ServiceSelectors(cache(Service.self))
        state.withLock { $0.serviceSelectors = fresh }
        return fresh
    }

    /// The events of one component.
    func events(_ component: String) -> EventSink {
        if let known = state.withLock({ $0.recorders[component] }) { return EventSink(recorder: known) }
        let fresh = recorder(component)
        state.withLock { $0.recorders[component] = fresh }
        return EventSink(recorder: fresh)
    }

    /// A queue for a controller, under its upstream name.
    func queue(_ name: String) -> WorkQueue<String> { WorkQueue(name: name, clock: clock) }

    /// Lets the caches follow their informers; called once every controller has subscribed.
    func connect() {
        for cache in state.withLock({ Array($0.caches.values) }) { cache.connect() }
    }

    /// The recorders, to be run.
    var recorders: [EventRecorder] { state.withLock { Array($0.recorders.values) } }
}

/// What the context needs of a cache whatever its kind.
protocol Connectable: Sendable {
    func connect()
}

extension Cache: Connectable {}

/// Records events as controllers speak of them.
struct EventSink: Sendable {
    let recorder: EventRecorder

    func record(_ object: some APIObject, _ note: EventNote) {
        recorder.record(object, note.level == .normal ? .normal : .warning, reason: note.reason, note.message)
    }

    func record(_ object: some APIObject, _ level: EventNote.Level, _ reason: String, _ message: String) {
        record(object, EventNote(level, reason, message))
    }

    func record(_ object: ObjectReference, _ note: EventNote) {
        recorder.record(object, note.level == .normal ? .normal : .warning, reason: note.reason, note.message)
    }
}

/// `namespace/name`.
enum ObjectKey {
    static func split(_ key: String) -> (namespace: String, name: String) {
        guard let slash = key.firstIndex(of: "/") else { return ("", key) }
        return (String(key[..<slash]), String(key[key.index(after: slash)...]))
    }
}

extension APIError {
    /// The object cannot be created because its namespace is going away: nothing to complain about.
    var isNamespaceTerminating: Bool { details?.causes.contains { $0.reason == "NamespaceTerminating" } ?? false }
}
