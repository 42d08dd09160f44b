import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Keeps the `Endpoints` of services with a selector. Thin: asks `EndpointsPlan`, writes.
final class EndpointsController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let services: Cache<Service>
    private let pods: Cache<Pod>
    private let endpoints: Cache<Endpoints>
    /// Whether the caches were complete once.
    private let hasStarted = Mutex(false)
    private let events: EventSink
    private let pending: PendingWrites
    private let triggers = Mutex(TriggerTimes())
    private let selectors: ServiceSelectors

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("endpoint")
        workers = context.configuration.workers
        services = context.cache(Service.self)
        selectors = context.serviceSelectors()
        pods = context.cache(Pod.self)
        endpoints = context.cache(Endpoints.self)
        events = context.events("endpoint-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [services, pods, endpoints] }

    func start() {
        services.observe { [weak self] in self?.queue.add($0.key) }
        pods.observe { [weak self] change in
            guard let self else { return }
            for key in selectors.concerned(by: change) { queue.add(key) }
        }
        endpoints.observe { [weak self] change in
            guard let self else { return }
            // Those found at the start whose services are gone are removed; later ones may be somebody's who needs no service.
            let isLeftOver = !hasStarted.withLock { $0 }
            if isLeftOver || change.isDeletion || services.summary(change.key) != nil { queue.add(change.key) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        hasStarted.withLock { $0 = true }
        let (namespace, name) = ObjectKey.split(key)
        guard let service = services.get(key) else {
            triggers.withLock { $0.forget(key) }
            pending.forget(key)
            if let left = endpoints.get(key), left.annotations["control-plane.alpha.kubernetes.io/leader"] == nil {
                try await remove(namespace, name)
            }
            return .done
        }
        guard service.spec.type != "ExternalName", let selector = service.podSelector else { return .done }
        guard pending.areVisible(key, observed: endpoints.revision, isGone: { _, _ in true }) else {
            return .requeue(after: PendingWrites.patience)
        }
        let members = pods.list(namespace: namespace, matching: selector)
        let trigger = triggers.withLock { $0.lastChange(service: service, pods: members) }
        let current = endpoints.get(key)
        guard let wanted = EndpointsPlan.plan(service: service, pods: members, current: current, trigger: trigger).write
        else { return .done }
        do {
            let written = try await current == nil ? context.client.create(wanted) : context.client.update(wanted)
            pending.wrote(key, resourceVersion: written.resourceVersion)
        } catch let error as APIError {
            if current == nil, error.isNamespaceTerminating { return .done }
            let note: EventNote =
                current == nil
                ? .init(.warning, "FailedToCreateEndpoint", "Failed to create endpoint for service \(key): \(error.message)")
                : .init(.warning, "FailedToUpdateEndpoint", "Failed to update endpoint \(key): \(error.message)")
            events.record(wanted, note)
            throw error
        }
        return .done
    }

    private func remove(_ namespace: String, _ name: String) async throws {
        do {
            try await context.client.delete(Endpoints.self, namespace: namespace, name: name)
        } catch let error as APIError where error.isNotFound {}
    }
}
