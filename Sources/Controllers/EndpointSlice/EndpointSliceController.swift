import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Keeps the EndpointSlices of services with a selector. Thin: reads the caches, asks `EndpointSlicePlan`, writes.
final class EndpointSliceController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let services: Cache<Service>
    private let pods: Cache<Pod>
    private let nodes: Cache<Node>
    private let slices: Cache<EndpointSlice>
    private let events: EventSink
    private let pending: PendingWrites
    private let triggers = Mutex(TriggerTimes())
    private let selectors: ServiceSelectors

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("endpoint_slice")
        workers = context.configuration.workers
        services = context.cache(Service.self)
        selectors = context.serviceSelectors()
        pods = context.cache(Pod.self)
        nodes = context.cache(Node.self)
        slices = context.cache(EndpointSlice.self)
        events = context.events("endpoint-slice-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [services, pods, nodes, slices] }

    func start() {
        services.observe { [weak self] in self?.queue.add($0.key) }
        pods.observe { [weak self] change in
            guard let self else { return }
            for key in selectors.concerned(by: change) { queue.add(key) }
        }
        nodes.observe { [weak self] in self?.nodeChanged($0) }
        slices.observe { [weak self] change in
            for key in SliceOwner.services(of: change, managedBy: EndpointSlicePlan.managedBy) { self?.queue.add(key) }
        }
    }

    /// A node that appears, or changes its zone, concerns the services of its pods.
    private func nodeChanged(_ change: CacheChange<Node>) {
        let zone = "topology.kubernetes.io/zone"
        guard let node = change.newSummary, change.oldSummary == nil || change.oldSummary?.labels[zone] != node.labels[zone]
        else { return }
        for pod in pods.onNode(node.name) {
            for key in selectors.matching([pod.labels], namespace: pod.namespace) { queue.add(key) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let service = services.get(key) else {
            triggers.withLock { $0.forget(key) }
            pending.forget(key)
            return .done
        }
        guard service.spec.type != "ExternalName", let selector = service.podSelector else { return .done }
        guard pending.areVisible(key, observed: slices.revision, isGone: { [slices] object, uid in slices.get(object)?.uid != uid })
        else { return .requeue(after: PendingWrites.patience) }
        let members = pods.list(namespace: service.namespace, matching: selector)
        let existing = slices.list(namespace: service.namespace, matching: Self.own(service)).filter { !$0.isBeingDeleted }
        let trigger = triggers.withLock { $0.lastChange(service: service, pods: members) }
        let plan = EndpointSlicePlan.plan(service: service, pods: members, existing: existing, trigger: trigger) { [nodes] name in
            nodes.summary(name).map { EndpointNode(zone: $0.labels["topology.kubernetes.io/zone"]) }
        }
        do {
            try await SliceWriter(client: context.client, pending: pending).write(plan, key: key)
        } catch let error as APIError {
            if error.isNamespaceTerminating { return .done }
            let message = "Error updating Endpoint Slices for Service \(key): \(error.message)"
            events.record(service, .init(.warning, "FailedToUpdateEndpointSlices", message))
            throw error
        }
        if let problem = plan.problems.first { throw APIError.internalError(problem) }
        return .done
    }

    private static func own(_ service: Service) -> LabelSelector {
        LabelSelector(matchLabels: [
            EndpointSlicePlan.serviceName: service.name, EndpointSlicePlan.managedByLabel: EndpointSlicePlan.managedBy,
        ])
    }
}

/// Writes what a slice plan decided.
struct SliceWriter: Sendable {
    let client: APIClient
    let pending: PendingWrites

    func write(_ plan: EndpointSlicePlan, key: String) async throws {
        for slice in plan.create {
            pending.wrote(key, resourceVersion: try await client.create(slice).resourceVersion)
        }
        for slice in plan.update {
            pending.wrote(key, resourceVersion: try await client.update(slice).resourceVersion)
        }
        for slice in plan.delete {
            do {
                try await client.delete(EndpointSlice.self, namespace: slice.namespace, name: slice.name)
                pending.deleted(key, object: slice.key, uid: slice.uid)
            } catch let error as APIError where error.isNotFound {}
        }
    }
}
