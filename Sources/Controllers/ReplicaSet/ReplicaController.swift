import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Keeps as many pods running as each replica set (or replication controller) asks for.
/// Thin: reads the caches, asks `ReplicaSetPlan`, writes. Stateless but for the writes not yet seen again.
final class ReplicaController<Owner: ReplicaOwner>: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let owners: Cache<Owner>
    private let pods: Cache<Pod>
    private let events: EventSink
    private let pending: PendingWrites

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue(Owner.controllerName)
        workers = context.configuration.workers
        owners = context.cache(Owner.self)
        pods = context.cache(Pod.self)
        events = context.events(Owner.component)
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [owners, pods] }

    func start() {
        owners.observe { [weak self] change in
            if change.isDeletion { self?.pending.forget(change.key) }
            self?.queue.add(change.key)
        }
        pods.observe { [weak self] in self?.podChanged($0) }
    }

    private func podChanged(_ change: CacheChange<Pod>) {
        let (before, after) = (change.oldSummary, change.newSummary)
        if before?.controllerUID != nil, before?.controllerUID != after?.controllerUID, let old = change.old,
            let reference = old.controllerRef
        {
            enqueue(reference, old.namespace)
        }
        guard let after, let pod = change.new else { return }
        if let reference = pod.controllerRef { return enqueue(reference, pod.namespace) }
        guard before == nil || before?.labels != after.labels || before?.controllerUID != nil else { return }
        let labels = after.labels
        for owner in owners.list(namespace: pod.namespace) where owner.asReplicaSet.selector?.matches(labels) == true {
            queue.add(owner.key)
        }
    }

    private func enqueue(_ reference: OwnerReference, _ namespace: String) {
        guard reference.kind == Owner.gvk.kind else { return }
        queue.add("\(namespace)/\(reference.name)")
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let owner = owners.get(key) else {
            pending.forget(key)
            return .done
        }
        let set = owner.asReplicaSet
        guard let selector = set.selector, !selector.isEverything else { return .done }
        let settled = pending.areVisible(key, observed: pods.revision) { [pods] object, uid in
            guard let pod = pods.get(object) else { return true }
            return pod.uid != uid || pod.isBeingDeleted
        }
        let candidates = pods.controlled(by: owner.uid) + pods.orphans(in: owner.namespace)
        let mine = try await claim(owner, key: key, selector, candidates.filter(\.isActive))
        var failure: (any Error)?
        if settled, !owner.isBeingDeleted { failure = await scale(owner, set, key: key, active: mine) }
        let leaving = Owner.countsTerminating ? candidates.count { $0.isTerminating && $0.controllerRef?.uid == owner.uid } : nil
        let now = context.clock.now
        var status = ReplicaSetPlan.status(
            set,
            active: mine,
            terminating: leaving,
            failure: failure.map { "\($0)" },
            now: now
        )
        if ReplicaSetPlan.statusDiffers(set, from: status) {
            status.observedGeneration = set.metadata.generation
            try await write(owner, status)
        }
        if let failure { throw failure }
        guard settled else { return .requeue(after: PendingWrites.patience) }
        return ReplicaSetPlan.nextCheck(set, status: status, active: mine, now: now).map { .requeue(after: $0) } ?? .done
    }

    private func claim(_ owner: Owner, key: String, _ selector: LabelSelector, _ candidates: [Pod]) async throws -> [Pod] {
        let plan = Claim.plan(owner: owner.metadata, candidates: candidates) { selector.matches($0.labels) }
        let claimed = try await context.claimer.carryOut(plan, owner: owner)
        for object in claimed.written { pending.wrote(key, resourceVersion: object.resourceVersion) }
        return claimed.owned
    }

    private func scale(_ owner: Owner, _ set: ReplicaSet, key: String, active: [Pod]) async -> (any Error)? {
        let isShrinking = active.count > set.desired
        let neighbours = isShrinking ? related(owner, active) : []
        let plan = ReplicaSetPlan.scale(set, active: active, related: neighbours, now: context.clock.now)
        if plan.create > 0 {
            let reference = owner.controllerReference()
            let template = PodTemplates.pod(
                from: set.spec.template,
                ownerName: owner.name,
                namespace: owner.namespace,
                reference: reference
            )
            return await Batches.slowStart(plan.create) { [self] in try await create(template, owner, key: key) }.error
        }
        return await Batches.concurrently(plan.delete) { [self] pod in try await delete(pod, owner, key: key) }.error
    }

    /// Pods of the replica sets that share this one's controller: they share its nodes during a rollout.
    private func related(_ owner: Owner, _ active: [Pod]) -> [Pod] {
        guard let parent = owner.controllerRef else { return active }
        return owners.controlled(by: parent.uid).flatMap { pods.controlled(by: $0.uid) }
    }

    private func create(_ template: Pod, _ owner: Owner, key: String) async throws {
        do {
            let created = try await context.client.create(template)
            pending.wrote(key, resourceVersion: created.resourceVersion)
            events.record(owner, .normal, "SuccessfulCreate", "Created pod: \(created.name)")
        } catch let error as APIError {
            if error.isNamespaceTerminating { return }
            events.record(owner, .warning, "FailedCreate", "Error creating: \(error.message)")
            throw error
        }
    }

    private func delete(_ pod: Pod, _ owner: Owner, key: String) async throws {
        do {
            pending.deleted(key, object: pod.key, uid: pod.uid)
            try await context.client.delete(Pod.self, namespace: pod.namespace, name: pod.name)
            events.record(owner, .normal, "SuccessfulDelete", "Deleted pod: \(pod.name)")
        } catch let error as APIError {
            pending.forget(key)
            if error.isNotFound { return }
            events.record(owner, .warning, "FailedDelete", "Error deleting: \(error.message)")
            throw APIError(
                code: error.code,
                reason: error.reason,
                message: "unable to delete pods: \(error.message)",
                details: error.details
            )
        }
    }

    /// The counts win over a stale copy: one retry on the newest object.
    private func write(_ owner: Owner, _ status: ReplicaSetStatus) async throws {
        do {
            _ = try await context.client.updateStatus(owner.with(status: status))
        } catch let error as APIError where error.isConflict {
            let fresh = try await context.client.get(Owner.self, namespace: owner.namespace, name: owner.name)
            guard fresh.uid == owner.uid else { return }
            _ = try await context.client.updateStatus(fresh.with(status: status))
        }
    }
}

extension ReplicaSet {
    /// Its selector; nil when it is malformed.
    var selector: LabelSelector? { fields["spec"]?["selector"].flatMap { try? LabelSelector(json: $0) } }
}
