import APIModel
import APITypes
import Channels
import Logging
import PodRuntime
import RPC
import Synchronization
import Units
import Values

/// Registers the node, keeps its status current and its lease alive. One `run` a kubelet; state guarded by `state`.
final class NodeReporter: Sendable {
    /// How often the node looks at itself until it is Ready for the first time.
    static let startPeriod: Duration = .milliseconds(100)
    static let retryPeriod: Duration = .seconds(1)
    static let leaseNamespace = "kube-node-lease"

    private struct State {
        var shape: NodeShape
        /// As the API server last answered.
        var node: Node?
        var writtenAt: Duration?
        var health = NodeHealth()
        var wasReady = false
        var lease: Lease?
    }

    private let configuration: KubeletConfiguration
    private let runtime: any ContainerRuntime
    private let api: any NodeAPI
    private let facts: NodeFacts
    private let events: EventSink
    private let clock: any ClusterClock
    private let logger: Logger
    private let pressure: @Sendable () async -> NodeHealth
    private let state: Mutex<State>
    private let changed = Signal(0)

    init(
        configuration: KubeletConfiguration,
        machine: MachineFacts,
        runtime: any ContainerRuntime,
        api: any NodeAPI,
        facts: NodeFacts,
        events: EventSink,
        clock: any ClusterClock,
        logger: Logger,
        pressure: @escaping @Sendable () async -> NodeHealth
    ) {
        self.configuration = configuration
        self.runtime = runtime
        self.api = api
        self.facts = facts
        self.events = events
        self.clock = clock
        self.logger = logger
        self.pressure = pressure
        let shape = NodeShape(configuration: configuration, machine: machine)
        state = Mutex(State(shape: shape))
        facts.update { facts in
            facts.addresses = configuration.nodeIPs
            facts.allocatable = shape.allocatable
        }
    }

    /// The node as the API server last showed it.
    var node: Node? { state.withLock { $0.node } }
    /// Whether the node was Ready at its last look.
    var isReady: Bool { state.withLock { $0.wasReady } }

    /// Looks at the node at once instead of at the next period (an image came, the runtime returned).
    func lookNow() {
        changed.update { $0 += 1 }
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.report() }
            group.addTask { await self.renewLease() }
        }
    }

    // MARK: Status

    private func report() async {
        var told = ""
        while !Task.isCancelled {
            var wait = configuration.statusUpdateFrequency
            do {
                try await look()
                if !isReady { wait = Self.startPeriod }
            } catch {
                let problem = "\(error)"
                if problem != told { logger.warning("node status not written", metadata: ["error": "\(problem)"]) }
                told = problem
                wait = isReady ? Self.retryPeriod : Self.startPeriod * 2
            }
            let version = changed.current.version
            let limit = wait
            _ = try? await withDeadline(limit, clock: clock) { await self.changed.next(after: version) }
        }
    }

    private func look() async throws {
        let images = await learnRuntime()
        let node = try await registered()
        let (shape, health) = state.withLock { ($0.shape, $0.health) }
        let now = clock.now
        let status = shape.status(previous: node.status, health: health, images: images ?? [], now: now)
        let isDue = state.withLock { state in
            guard let writtenAt = state.writtenAt else { return true }
            return clock.monotonic - writtenAt >= configuration.statusReportFrequency
        }
        guard isDue || Self.differs(node.status, status) else {
            setReady(health)
            return
        }
        let answer = try await api.patchNodeStatus(configuration.nodeName, patch: Self.patch(node.status, status))
        state.withLock { state in
            state.node = answer
            state.writtenAt = clock.monotonic
        }
        tell(node.status, status)
        setReady(health)
    }

    private func setReady(_ health: NodeHealth) {
        state.withLock { $0.wasReady = health.problem == nil }
    }

    /// Asks the runtime how it is; returns its images, nil when it does not answer.
    private func learnRuntime() async -> [CRIImage]? {
        var health = await pressure()
        var images: [CRIImage]?
        do {
            let status = try await withDeadline(.seconds(10), clock: clock) { try await self.runtime.status() }
            let version = try await runtime.version()
            images = try await runtime.listImages()
            state.withLock { $0.shape.runtimeVersion = "\(version.runtimeName)://\(version.runtimeVersion)" }
            let network = Self.problem(status, "NetworkReady").map { "container runtime network not ready: \($0)" }
            let runtime = Self.problem(status, "RuntimeReady").map { "container runtime not ready: \($0)" }
            facts.update { $0.networkProblem = network }
            health.problem = [runtime, network].compactMap { $0 }.first
        } catch {
            health.problem = "container runtime is down: \(error)"
        }
        let found = health
        state.withLock { $0.health = found }
        return images
    }

    private static func problem(_ status: CRIStatusResponse, _ type: String) -> String? {
        guard let condition = status.status.conditions.first(where: { $0.type == type }) else {
            return "\(type) condition is missing"
        }
        if condition.status { return nil }
        return "\(type)=false reason:\(condition.reason) message:\(condition.message)"
    }

    // MARK: Registration

    private func registered() async throws -> Node {
        if let node = state.withLock({ $0.node }) { return node }
        let wanted = state.withLock { $0.shape.node() }
        let node: Node
        do {
            node = try await api.createNode(wanted)
        } catch let error as APIError where error.isAlreadyExists {
            guard let existing = try await api.node(configuration.nodeName) else { throw error }
            try await adopt(existing, wanted)
            node = existing
        }
        state.withLock { $0.node = node }
        events.record(subject, false, "Starting", "Starting kubelet.")
        return node
    }

    /// A node that was registered before gets the labels that describe it now.
    private func adopt(_ existing: Node, _ wanted: Node) async throws {
        let changes = wanted.metadata.labels.filter { existing.metadata.labels[$0.key] != $0.value }
        if changes.isEmpty { return }
        let labels = JSONObject(changes.map { ($0.key, JSONValue.string($0.value)) })
        try await api.patchNode(configuration.nodeName, patch: ["metadata": ["labels": .object(labels)]])
    }

    /// The node was changed by someone else (or deleted).
    func nodeChanged(_ node: Node?) {
        facts.update { $0.node = node }
        state.withLock { $0.node = node }
    }

    private var subject: EventSink.Subject {
        EventSink.Subject(kind: "Node", namespace: "", name: configuration.nodeName, uid: configuration.nodeName)
    }

    private func tell(_ old: NodeStatus, _ new: NodeStatus) {
        for condition in new.conditions {
            let before = old.conditions.first { $0.type == condition.type }
            if before?.status == condition.status { continue }
            let name = configuration.nodeName
            if condition.type == "Ready" {
                let word = condition.status == "True" ? "NodeReady" : "NodeNotReady"
                events.record(subject, false, word, "Node \(name) status is now: \(word)")
            } else if before != nil || condition.status == "True" || before == nil {
                events.record(subject, false, condition.reason, "Node \(name) status is now: \(condition.reason)")
            }
        }
    }

    private static func differs(_ old: NodeStatus, _ new: NodeStatus) -> Bool {
        StatusPatch.plain(withoutHeartbeats(old).fields) != StatusPatch.plain(withoutHeartbeats(new).fields)
    }

    private static func withoutHeartbeats(_ status: NodeStatus) -> NodeStatus {
        var status = status
        status.conditions = status.conditions.map { condition in
            var condition = condition
            condition.lastHeartbeatTime = nil
            return condition
        }
        return status
    }

    static func patch(_ old: NodeStatus, _ new: NodeStatus) -> JSONValue {
        var changes: JSONObject = [:]
        for (key, value) in new.fields where old.fields[key] != value { changes[key] = value }
        // Addresses are merged by type on the server: replace them as a whole.
        if let addresses = changes["addresses"]?.array {
            changes["addresses"] = .array(addresses + [["$patch": "replace"]])
        }
        return ["status": .object(changes)]
    }

    // MARK: Lease

    private func renewLease() async {
        let period = configuration.leaseDuration / 4
        while !Task.isCancelled {
            var wait = period
            do {
                try await renewOnce()
            } catch {
                logger.debug("lease not renewed", metadata: ["error": "\(error)"])
                wait = min(period, Self.retryPeriod)
            }
            if (try? await clock.sleep(for: wait)) == nil { return }
        }
    }

    private func renewOnce() async throws {
        let name = configuration.nodeName
        // Nobody else writes it, so the last answer is normally current; after a failure it is read again.
        let held = state.withLock { state in
            defer { state.lease = nil }
            return state.lease
        }
        let existing: Lease?
        if let held { existing = held } else { existing = try await api.lease(Self.leaseNamespace, name) }
        var lease = existing ?? Lease(name: name, namespace: Self.leaseNamespace)
        lease.spec.renewTime = clock.now
        lease.spec.holderIdentity = name
        lease.spec.leaseDurationSeconds = Int(configuration.leaseDuration.components.seconds)
        if lease.metadata.ownerReferences.isEmpty { lease.metadata.ownerReferences = owners }
        let answer = existing == nil ? try await api.createLease(lease) : try await api.updateLease(lease)
        state.withLock { $0.lease = answer }
    }

    private var owners: [OwnerReference] {
        guard let node = node, !node.uid.isEmpty else { return [] }
        return [
            OwnerReference {
                $0.apiVersion = "v1"
                $0.kind = "Node"
                $0.name = node.name
                $0.uid = node.uid
            }
        ]
    }
}
