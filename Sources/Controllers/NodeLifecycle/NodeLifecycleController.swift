import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units
import Values

/// Carries out what `NodeHealthMonitor` decides, and keeps the taints that follow from node conditions.
final class NodeLifecycleController: Controller, Subscriber {
    /// How often nodes are looked at.
    static let period: Duration = .seconds(5)
    /// How often the queue of nodes to taint is looked at while somebody waits there.
    static let taintPeriod: Duration = .milliseconds(100)
    /// Nodes looked at in one go.
    private static let stride = 32
    /// Where kubelets renew their leases.
    static let leaseNamespace = "kube-node-lease"

    let name = "node-lifecycle-controller"
    private let context: ControllerContext
    private let nodes: Cache<Node>
    private let pods: Cache<Pod>
    private let leases: Cache<Lease>
    private let events: EventSink
    private let monitor: Mutex<NodeHealthMonitor>
    /// What the monitor's last round found. Apart from it, because every change of a pod asks and a round takes its time.
    private let unready = Mutex<Set<String>>([])
    let changedNodes: WorkQueue<String>
    let placedPods: WorkQueue<String>

    init(_ context: ControllerContext) {
        self.context = context
        nodes = context.cache(Node.self)
        pods = context.cache(Pod.self)
        leases = context.cache(Lease.self)
        events = context.events("node-controller")
        monitor = Mutex(NodeHealthMonitor(settings: context.configuration.nodeHealth))
        changedNodes = WorkQueue(name: "node_lifecycle_controller", clock: context.clock)
        placedPods = WorkQueue(name: "node_lifecycle_controller_pods", clock: context.clock)
    }

    func start() {
        nodes.observe { [weak self] change in
            if !change.isDeletion { self?.changedNodes.add(change.key) }
        }
        pods.observe { [weak self] change in
            guard let self, unready.withLock({ !$0.isEmpty }), let pod = change.new, !pod.spec.nodeName.isEmpty,
                unready.withLock({ $0.contains(pod.spec.nodeName) }), change.old?.spec.nodeName != pod.spec.nodeName
            else { return }
            placedPods.add(pod.key)
        }
    }

    func run() async {
        for cache in [nodes, pods, leases] as [any SyncedCache] { await cache.waitUntilSynced() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchHealth() }
            group.addTask { await self.taintForEviction() }
            for _ in 0..<4 {
                group.addTask { await self.work(self.changedNodes) { try await self.followConditions($0) } }
            }
            group.addTask { await self.work(self.placedPods) { try await self.markPlacedPod($0) } }
        }
    }

    private func work(_ queue: WorkQueue<String>, _ body: (String) async throws -> Void) async {
        while let key = await queue.get() {
            do {
                try await body(key)
                queue.forget(key)
            } catch {
                queue.addRateLimited(key)
            }
            queue.done(key)
        }
    }

    // MARK: Health

    private func watchHealth() async {
        while !Task.isCancelled {
            let (all, renewals) = await look()
            let now = context.clock.now
            let (actions, unready) = monitor.withLock { monitor in
                let actions = monitor.observe(all, now: now) { renewals[$0] }
                return (actions, monitor.unready)
            }
            self.unready.withLock { $0 = unready }
            for action in actions { await carryOut(action) }
            do { try await context.clock.sleep(for: Self.period) } catch { return }
        }
    }

    /// All nodes, and when their leases were renewed. Thousands of them are decoded here: others get their turn in between.
    private func look() async -> (nodes: [Node], renewals: [String: Timestamp]) {
        var found: [Node] = []
        var renewals: [String: Timestamp] = [:]
        for (index, summary) in nodes.summaries(namespace: nil).enumerated() {
            if index % Self.stride == Self.stride - 1 { await Task.yield() }
            guard let node = nodes.get(summary.key) else { continue }
            found.append(node)
            renewals[node.name] = leases.get("\(Self.leaseNamespace)/\(node.name)")?.spec.renewTime
        }
        return (found, renewals)
    }

    private func taintForEviction() async {
        while !Task.isCancelled {
            let now = context.clock.now
            let actions = monitor.withLock { $0.taintDue(now: now) { nodes.get($0) } }
            for action in actions { await carryOut(action) }
            let waits = monitor.withLock { $0.hasWaiting }
            do { try await context.clock.sleep(for: waits ? Self.taintPeriod : .seconds(1)) } catch { return }
        }
    }

    private func carryOut(_ action: NodeHealthMonitor.Action) async {
        do {
            switch action {
            case .registered(let name, let uid):
                note(name, uid, "RegisteredNode", "Registered Node \(name) in Controller")
            case .removed(let name, let uid):
                note(name, uid, "RemovingNode", "Removing Node \(name) from Controller")
            case .updateStatus(let node):
                try await context.client.updateStatus(node)
            case .becameUnready(let node):
                events.record(
                    Self.reference(node.name, node.uid),
                    .init(.normal, "NodeNotReady", "Node \(node.name) status is now: NodeNotReady")
                )
                try await markPodsUnready(on: node.name)
            case .markPodsUnready(let node):
                try await markPodsUnready(on: node.name)
            case .taint(let node, let add, let remove):
                try await swapTaints(node.name, add: add, remove: remove)
            }
        } catch {
            context.logger.warning("node action failed", metadata: ["error": "\(error)"])
        }
    }

    private func note(_ name: String, _ uid: String, _ reason: String, _ text: String) {
        events.record(Self.reference(name, uid), .init(.normal, reason, "Node \(name) event: \(text)"))
    }

    private static func reference(_ name: String, _ uid: String) -> ObjectReference {
        ObjectReference {
            $0.apiVersion = "v1"
            $0.kind = "Node"
            $0.name = name
            $0.uid = uid
        }
    }

    // MARK: Taints and labels

    private func followConditions(_ name: String) async throws {
        guard let node = nodes.get(name) else { return }
        if node.withConditionTaints(now: context.clock.now) != nil {
            try await rewrite(name) { $0.withConditionTaints(now: self.context.clock.now) }
        }
        let labels = node.labelCorrections
        guard !labels.isEmpty else { return }
        let patch: JSONValue = ["metadata": ["labels": .object(JSONObject(labels.mapValues { .string($0) }))]]
        let _: Node = try await context.client.patch(Node.self, name: name, type: .merge, patch)
    }

    private func swapTaints(_ name: String, add: [Taint], remove: [Taint]) async throws {
        try await rewrite(name) { node in
            let swapped = node.swappingTaints(add: add, remove: remove)
            return swapped == node ? nil : swapped
        }
    }

    /// Taints are one list: the write carries the resource version, and is tried again on the newest node.
    private func rewrite(_ name: String, _ change: (Node) -> Node?) async throws {
        do {
            try await context.client.retryOnConflict {
                let node = try await context.client.get(Node.self, name: name)
                if let changed = change(node) { _ = try await context.client.update(changed) }
            }
        } catch let error as APIError where error.isNotFound {}
    }

    // MARK: Pods

    private func markPlacedPod(_ key: String) async throws {
        guard let pod = pods.get(key), unready.withLock({ $0.contains(pod.spec.nodeName) }) else { return }
        try await markUnready(pod)
    }

    private func markPodsUnready(on node: String) async throws {
        let outcome = await Batches.concurrently(pods.onNode(node)) { [self] in try await markUnready($0) }
        if let error = outcome.error { throw error }
    }

    private func markUnready(_ pod: Pod) async throws {
        guard let unready = pod.markedUnready(now: context.clock.now) else { return }
        do {
            _ = try await context.client.updateStatus(unready)
            events.record(pod, .init(.warning, "NodeNotReady", "Node is not ready"))
        } catch let error as APIError where error.isNotFound {}
    }
}

extension Pod {
    /// This pod with `Ready` false, as nobody can vouch for it; nil when it says so already.
    func markedUnready(now: Timestamp) -> Pod? {
        guard let index = status.conditions.firstIndex(where: { $0.type == "Ready" }), status.conditions[index].status != "False" else {
            return nil
        }
        var copy = self
        var conditions = status.conditions
        conditions[index].status = "False"
        conditions[index].lastTransitionTime = now
        copy.status.conditions = conditions
        return copy
    }
}
