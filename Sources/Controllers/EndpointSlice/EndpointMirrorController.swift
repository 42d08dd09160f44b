import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units

/// Mirrors `Endpoints` of services without selector to slices. Thin: asks `EndpointMirrorPlan`, writes.
final class EndpointMirrorController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let services: Cache<Service>
    private let endpoints: Cache<Endpoints>
    private let slices: Cache<EndpointSlice>
    private let events: EventSink
    private let pending: PendingWrites

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("endpoint_slice_mirroring")
        workers = context.configuration.workers
        services = context.cache(Service.self)
        endpoints = context.cache(Endpoints.self)
        slices = context.cache(EndpointSlice.self)
        events = context.events("endpoint-slice-mirroring-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [services, endpoints, slices] }

    func start() {
        endpoints.observe { [weak self] in self?.queue.add($0.key) }
        services.observe { [weak self] in self?.queue.add($0.key) }
        slices.observe { [weak self] change in
            for key in SliceOwner.services(of: change, managedBy: EndpointMirrorPlan.managedBy) { self?.queue.add(key) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard pending.areVisible(key, observed: slices.revision, isGone: { [slices] object, uid in slices.get(object)?.uid != uid })
        else { return .requeue(after: PendingWrites.patience) }
        let (namespace, name) = ObjectKey.split(key)
        let own = LabelSelector(matchLabels: [
            EndpointSlicePlan.serviceName: name, EndpointSlicePlan.managedByLabel: EndpointMirrorPlan.managedBy,
        ])
        let existing = slices.list(namespace: namespace, matching: own)
        let writer = SliceWriter(client: context.client, pending: pending)
        guard let object = endpoints.get(key), EndpointMirrorPlan.applies(to: object), let service = services.get(key),
            service.podSelector == nil, service.spec.type != "ExternalName"
        else {
            var plan = EndpointSlicePlan()
            plan.delete = existing
            try await writer.write(plan, key: key)
            return .done
        }
        let plan = EndpointMirrorPlan.plan(object, existing: existing)
        for event in plan.events { events.record(object, event) }
        do {
            try await writer.write(plan.slices, key: key)
        } catch let error as APIError where error.isNamespaceTerminating {}
        return .done
    }
}
