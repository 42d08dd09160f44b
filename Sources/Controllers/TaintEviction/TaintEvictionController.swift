import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Deletes the pods that do not tolerate their node's `NoExecute` taints, when their time has come.
final class TaintEvictionController: Controller, Subscriber {
    let name = "taint-eviction-controller"
    private let context: ControllerContext
    private let nodes: Cache<Node>
    private let pods: Cache<Pod>
    private let events: EventSink
    private let schedule = Mutex(EvictionSchedule())
    private let taintedNodes = Mutex<Set<String>>([])
    /// Keys are `node/<name>`, `pod/<namespace>/<name>`.
    let queue: WorkQueue<String>
    let evictions: WorkQueue<String>

    init(_ context: ControllerContext) {
        self.context = context
        nodes = context.cache(Node.self)
        pods = context.cache(Pod.self)
        events = context.events("taint-eviction-controller")
        queue = WorkQueue(name: "noexec_taint_node", clock: context.clock)
        evictions = WorkQueue(name: "noexec_taint_pod", clock: context.clock)
    }

    func start() {
        nodes.observe { [weak self] change in
            guard Self.taints(change.old) != Self.taints(change.new) else { return }
            self?.tainted(change.key, !Self.taints(change.new).isEmpty)
            self?.queue.add("node/\(change.key)")
        }
        pods.observe { [weak self] change in
            guard let self, let pod = change.latest, isTainted(pod.spec.nodeName) || schedule.withLock({ $0.knows(change.key) }) else {
                return
            }
            queue.add("pod/\(change.key)")
        }
    }

    private func tainted(_ node: String, _ isTainted: Bool) {
        taintedNodes.withLock { nodes in
            if isTainted {
                nodes.insert(node)
            } else {
                nodes.remove(node)
            }
        }
    }

    private func isTainted(_ node: String) -> Bool { taintedNodes.withLock { $0.contains(node) } }

    func run() async {
        await nodes.waitUntilSynced()
        await pods.waitUntilSynced()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.work(self.queue) { await self.look($0) } }
            for _ in 0..<8 {
                group.addTask { await self.work(self.evictions) { try await self.evict($0) } }
            }
        }
    }

    private static func taints(_ node: Node?) -> [Taint] {
        node?.spec.taints.filter { $0.effect == "NoExecute" } ?? []
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

    private func look(_ key: String) async {
        if key.hasPrefix("node/") {
            let node = String(key.dropFirst(5))
            let taints = Self.taints(nodes.get(node))
            for pod in pods.onNode(node) { judge(pod, taints) }
            return
        }
        let podKey = String(key.dropFirst(4))
        guard let pod = pods.get(podKey), !pod.isBeingDeleted else {
            _ = schedule.withLock { $0.cancel(podKey) }
            return
        }
        guard !pod.spec.nodeName.isEmpty else { return }
        judge(pod, Self.taints(nodes.get(pod.spec.nodeName)))
    }

    private func judge(_ pod: Pod, _ taints: [Taint]) {
        let now = context.clock.now
        let key = pod.key
        switch schedule.withLock({ $0.observe(key, tolerations: pod.spec.tolerations, taints: taints, now: now) }) {
        case .none: break
        case .due(let time): evictions.addAfter(key, time - now)
        case .cancelled: events.record(pod, .init(.normal, "TaintManagerEviction", "Cancelling deletion of Pod \(key)"))
        }
    }

    /// The schedule has the last word: a cancelled or postponed eviction finds nothing due.
    private func evict(_ key: String) async throws {
        let now = context.clock.now
        guard schedule.withLock({ $0.isDue(key, now: now) }) else { return }
        let (namespace, name) = ObjectKey.split(key)
        do {
            var pod = try await context.client.get(Pod.self, namespace: namespace, name: name)
            events.record(pod, .init(.normal, "TaintManagerEviction", "Marking for deletion Pod \(key)"))
            if pod.status.conditions.first(where: { $0.type == "DisruptionTarget" })?.reason != "DeletionByTaintManager" {
                pod.status.set(
                    disruption: "DeletionByTaintManager",
                    "Taint manager: deleting due to NoExecute taint",
                    generation: pod.metadata.generation,
                    now: now
                )
                pod = try await context.client.updateStatus(pod)
            }
            try await context.client.delete(Pod.self, namespace: namespace, name: name)
        } catch let error as APIError where error.isNotFound {}
        _ = schedule.withLock { $0.cancel(key) }
    }
}
