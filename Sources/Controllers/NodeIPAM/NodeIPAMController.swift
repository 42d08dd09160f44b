import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Gives every node its part of the cluster's pod addresses (`spec.podCIDR`).
final class NodeIPAMController: KeyedController {
    let queue: WorkQueue<String>
    let workers = 1
    private let context: ControllerContext
    private let nodes: Cache<Node>
    private let events: EventSink
    private let pools: Mutex<[PodCIDRPool]>
    private let ready = Mutex(false)

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("node_ipam")
        nodes = context.cache(Node.self)
        events = context.events("cidrAllocator")
        pools = Mutex(
            context.configuration.clusterCIDRs.compactMap { cidr in
                PodCIDRPool(cluster: cidr, nodePrefix: cidr.isIPv6 ? 64 : context.configuration.nodeMask)
            }
        )
    }

    var synced: [any SyncedCache] { [nodes] }

    func start() {
        nodes.observe { [weak self] change in
            guard let self else { return }
            if !change.isDeletion {
                queue.add(change.key)
            } else if let node = change.old {
                release(node)
            }
        }
    }

    private func release(_ node: Node) {
        pools.withLock { pools in
            for index in pools.indices { node.spec.podCIDRs.forEach { pools[index].release($0) } }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        occupyAll()
        guard let node = nodes.get(key), !node.isBeingDeleted else { return .done }
        let present = node.spec.podCIDRs.isEmpty ? [node.spec.podCIDR].filter { !$0.isEmpty } : node.spec.podCIDRs
        if !present.isEmpty {
            occupy(present)
            return .done
        }
        let allocated = pools.withLock { pools in pools.indices.compactMap { pools[$0].allocate() } }
        guard !allocated.isEmpty, allocated.count == pools.withLock({ $0.count }) else {
            give(back: allocated)
            if pools.withLock({ $0.isEmpty }) { return .done }
            let object = ObjectReference {
                $0.apiVersion = "v1"
                $0.kind = "Node"
                $0.name = node.name
                $0.uid = node.uid
            }
            events.record(object, .init(.normal, "CIDRNotAvailable", "Node \(node.name) status is now: CIDRNotAvailable"))
            throw APIError.internalError(
                "failed to allocate cidr from cluster cidr: there are no remaining CIDRs left to allocate in the accepted range"
            )
        }
        do {
            let patch = NodeIPAMController.patch(allocated)
            let _: Node = try await context.client.patch(Node.self, name: key, type: .strategic, patch)
        } catch {
            give(back: allocated)
            if let error = error as? APIError, error.isNotFound { return .done }
            throw error
        }
        return .done
    }

    /// Before the first part is given away, those in use are marked.
    private func occupyAll() {
        guard
            ready.withLock({ ready in
                defer { ready = true }
                return !ready
            })
        else { return }
        for node in nodes.list() { occupy(node.spec.podCIDRs + [node.spec.podCIDR]) }
    }

    private func occupy(_ cidrs: [String]) {
        pools.withLock { pools in
            for index in pools.indices { cidrs.forEach { pools[index].occupy($0) } }
        }
    }

    private func give(back cidrs: [String]) {
        pools.withLock { pools in
            for index in pools.indices { cidrs.forEach { pools[index].release($0) } }
        }
    }
}
