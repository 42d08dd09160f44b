import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Quota
import Synchronization
import Units
import Values

/// Counts what namespaces use of their quotas: at once for a quota that is new or has other limits, after objects went or
/// gave something up, and from time to time. New objects are charged by admission. Thin: gathers what `QuotaCount` weighs.
final class ResourceQuotaController: KeyedController {
    /// How often everything is counted again, as upstream.
    private static let resync: Duration = .seconds(300)
    /// After this time a quota that was found changed is counted once more: what was just written may not have been seen.
    private static let doubt: Duration = .seconds(1)
    /// So long after a quota was charged nothing is given back: what it was charged for may not be stored yet, or not be known
    /// here, and would be let in twice.
    private static let settling: Duration = .seconds(1)
    /// How soon to look again when a quota is known whose change has not been told of yet.
    private static let moment: Duration = .milliseconds(50)
    private static let claims = GroupVersionResource(group: "resource.k8s.io", version: "v1", resource: "resourceclaims")
    private static let deviceClasses = GroupVersionResource(group: "resource.k8s.io", version: "v1", resource: "deviceclasses")

    private static let quotaResource = GroupResource(group: "", resource: "resourcequotas")

    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let counted: CountedObjects
    private let quotas: Cache<ResourceQuota>
    private let pods: Cache<Pod>
    private let services: Cache<Service>
    private let volumeClaims: Cache<PersistentVolumeClaim>
    /// By quota, the version that was told of last and when the quota was last charged.
    private let told = Mutex<[String: (version: String, charged: Duration?)]>([:])

    init(_ context: ControllerContext, counted: CountedObjects) {
        self.context = context
        self.counted = counted
        queue = context.queue("resourcequota_primary")
        workers = context.configuration.workers
        quotas = context.cache(ResourceQuota.self)
        pods = context.cache(Pod.self)
        services = context.cache(Service.self)
        volumeClaims = context.cache(PersistentVolumeClaim.self)
    }

    var synced: [any SyncedCache] { [quotas, pods, services, volumeClaims] }

    func start() {
        quotas.observe { [weak self] change in
            // The status is written by this controller and by admission.
            guard let self else { return }
            guard let new = change.newSummary else {
                if let old = change.oldSummary {
                    told.withLock { $0[old.key] = nil }
                    replenish(Self.quotaResource, old.namespace)
                }
                return
            }
            note(new.key, from: change.old, to: change.new)
            if change.oldSummary != nil, change.old?.spec.hard == change.new?.spec.hard { return }
            queue.add(new.key)
        }
        watch(pods, GroupResource(group: "", resource: "pods"))
        watch(services, GroupResource(group: "", resource: "services"))
        watch(volumeClaims, GroupResource(group: "", resource: "persistentvolumeclaims"))
        counted.observe { [weak self] resource, namespace in self?.replenish(resource, namespace) }
    }

    private func note(_ key: String, from old: ResourceQuota?, to new: ResourceQuota?) {
        guard let new else { return }
        let before = ResourceAmounts(json: old?.json.value(at: ["status", "used"]))
        let isCharged = old != nil && !ResourceAmounts(json: new.json.value(at: ["status", "used"])).exceeding(before).isEmpty
        let version = new.metadata.resourceVersion
        let now = context.clock.monotonic
        told.withLock { told in told[key] = (version, isCharged ? now : told[key]?.charged) }
    }

    /// How long to wait before this state of a quota may be written with less than it says; zero when it may.
    private func caution(_ key: String, _ quota: ResourceQuota) -> Duration {
        guard let known = told.withLock({ $0[key] }), known.version == quota.metadata.resourceVersion else { return Self.moment }
        guard let charged = known.charged else { return .zero }
        return max(.zero, charged + Self.settling - context.clock.monotonic)
    }

    private func watch<T: APIObject>(_ cache: Cache<T>, _ resource: GroupResource) {
        guard let measure = QuotaMeasure(resource) else { return }
        cache.observe { [weak self] change in
            guard let self, let before = change.oldSummary else { return }
            // Nobody looks into objects of namespaces that have no quota.
            guard !quotas.summaries(namespace: before.namespace).isEmpty else { return }
            if !change.isDeletion {
                guard let old = change.old, let new = change.new, measure.frees(old.json, new.json, now: context.clock.now) else { return }
            }
            replenish(resource, before.namespace)
        }
    }

    /// Queues the quotas that have to do with a kind, of one namespace or, with nil, of all.
    private func replenish(_ resource: GroupResource, _ namespace: String?) {
        guard let measure = QuotaMeasure(resource) else { return }
        for quota in quotas.list(namespace: namespace) {
            let names = quota.spec.hard.keys.sorted()
            // Which device classes there are is not asked here: any claim may matter to any name.
            if measure == Self.deviceMeasure || !measure.tracked(names, QuotaSurroundings()).isEmpty { queue.add(quota.key) }
        }
    }

    private static let deviceMeasure = QuotaMeasure(GroupResource(group: claims.group, resource: claims.resource))

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let object = quotas.get(key), !object.isBeingDeleted else { return .done }
        let quota = NamespaceQuota(object.json)
        let surroundings = try await surroundings(quota, namespace: object.namespace)
        let (findings, isComplete) = try await find(quota, namespace: object.namespace, surroundings)
        var used = QuotaCount.used(quota, findings: findings, now: context.clock.now, surroundings)
        let caution = givesBack(quota, used) ? caution(key, object) : .zero
        if caution > .zero, let before = quota.used { used.raise(to: before.only(used.names)) }
        let isDirty = QuotaCount.isDirty(quota, used: used)
        if isDirty {
            var copy = object
            copy.fields["status"] = ["hard": quota.wanted.json, "used": used.json]
            do {
                try await context.client.updateStatus(copy)
            } catch let error as APIError where error.isNotFound {
                return .done
            }
        }
        if caution > .zero { return .requeue(after: caution) }
        return .requeue(after: isDirty ? Self.doubt : isComplete ? Self.resync : CountedObjects.discoveryPeriod)
    }

    private func givesBack(_ quota: NamespaceQuota, _ used: ResourceAmounts) -> Bool {
        !(quota.used ?? ResourceAmounts()).exceeding(used).isEmpty
    }

    /// What there is of every kind the quota limits; incomplete while some kind has not been listed yet.
    private func find(
        _ quota: NamespaceQuota,
        namespace: String,
        _ surroundings: QuotaSurroundings
    ) async throws -> (findings: [QuotaMeasure: QuotaFinding], isComplete: Bool) {
        var findings: [QuotaMeasure: QuotaFinding] = [:]
        var isComplete = true
        for measure in QuotaMeasure.needed(for: quota.wanted.names, surroundings) {
            switch (measure.resource.group, measure.resource.resource) {
            case ("", "pods"): findings[measure] = .objects(pods.list(namespace: namespace).map(\.json))
            case ("", "services"): findings[measure] = .objects(services.list(namespace: namespace).map(\.json))
            case ("", "persistentvolumeclaims"): findings[measure] = .objects(volumeClaims.list(namespace: namespace).map(\.json))
            case ("", "resourcequotas"): findings[measure] = .count(quotas.summaries(namespace: namespace).count)
            case (Self.claims.group, Self.claims.resource):
                // Asked for so that their going is noticed.
                _ = counted.count(measure.resource, namespace: namespace)
                findings[measure] = .objects(try await context.client.list(Self.claims, namespace: namespace).items)
            default:
                if let count = counted.count(measure.resource, namespace: namespace) {
                    findings[measure] = .count(count)
                } else {
                    isComplete = false
                }
            }
        }
        return (findings, isComplete)
    }

    /// Device classes and claims, when the quota speaks of devices.
    private func surroundings(_ quota: NamespaceQuota, namespace: String) async throws -> QuotaSurroundings {
        guard QuotaMeasure.mayConcernDevices(quota.wanted.names) else { return QuotaSurroundings() }
        let classes = QuotaSurroundings.extendedResources(try await context.client.list(Self.deviceClasses).items)
        let claims = try await context.client.list(Self.claims, namespace: namespace).items
        let pods = pods
        return QuotaSurroundings(
            deviceClasses: { classes },
            pod: { pods.get("\($0)/\($1)")?.json },
            deviceClaims: { _ in claims }
        )
    }
}
