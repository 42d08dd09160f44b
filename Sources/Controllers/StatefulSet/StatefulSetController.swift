import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Keeps stateful sets. Thin: reads the caches, asks `StatefulRound`, writes.
final class StatefulSetController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let sets: Cache<StatefulSet>
    private let pods: Cache<Pod>
    private let claims: Cache<PersistentVolumeClaim>
    private let revisions: Cache<ControllerRevision>
    private let events: EventSink
    private let pending: PendingWrites

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("statefulset")
        workers = context.configuration.workers
        sets = context.cache(StatefulSet.self)
        pods = context.cache(Pod.self)
        claims = context.cache(PersistentVolumeClaim.self)
        revisions = context.cache(ControllerRevision.self)
        events = context.events("statefulset-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [sets, pods, claims, revisions] }

    func start() {
        sets.observe { [weak self] change in
            if change.isDeletion { self?.pending.forget(change.key) }
            self?.queue.add(change.key)
        }
        pods.observe { [weak self] change in
            guard let self else { return }
            OwnerKeys.of(change, kind: "StatefulSet").forEach(queue.add)
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let set = sets.get(key) else {
            pending.forget(key)
            return .done
        }
        guard let selector = set.fields["spec"]?["selector"].flatMap({ try? LabelSelector(json: $0) }), !selector.isEverything
        else { return .done }
        let settled = pending.areVisible(key, observed: pods.revision) { [pods] object, uid in
            guard let pod = pods.get(object) else { return true }
            return pod.uid != uid || pod.isBeingDeleted
        }
        guard settled else { return .requeue(after: PendingWrites.patience) }
        let orphans = pods.orphans(in: set.namespace).filter { set.ordinal(of: $0.name) != nil }
        let claim = Claim.plan(owner: set.metadata, candidates: pods.controlled(by: set.uid) + orphans) { selector.matches($0.labels) }
        let own = try await context.claimer.carryOut(claim, owner: set).owned
        let history = RevisionHistory(
            owner: set,
            template: set.spec.template,
            collisionCount: set.status.collisionCount,
            existing: revisions.controlled(by: set.uid)
        )
        let writer = RevisionWriter(client: context.client)
        if !set.isBeingDeleted { try await writer.record(history, of: set) }
        var round = StatefulRound(
            set,
            revisions: StatefulRevisions(set: set, history: history),
            pods: own,
            now: context.clock.now
        )
        round.decide()
        try await carryOut(round.plan, set, key: key)
        let live = Set(own.compactMap { $0.labels[RevisionHistory.hashLabel] } + [set.status.currentRevision])
        for revision in history.surplus(limit: set.spec.revisionHistoryLimit ?? 10, live: live) {
            try await writer.remove(revision)
        }
        return round.plan.requeueAfter.map { .requeue(after: $0) } ?? .done
    }

    private func carryOut(_ plan: StatefulSetPlan, _ set: StatefulSet, key: String) async throws {
        var failure: (any Error)?
        do {
            for pod in plan.stop { try await stop(pod, set, key: key) }
            for start in plan.start { try await self.start(start, set, key: key) }
        } catch {
            failure = error
        }
        if plan.status != set.status {
            var copy = set
            copy.status = plan.status
            try await context.client.updateStatus(copy)
        }
        if let failure { throw failure }
    }

    private func start(_ start: StatefulSetPlan.Start, _ set: StatefulSet, key: String) async throws {
        let pod = start.pod.name
        for claim in start.claims where claims.get(claim.key) == nil {
            do {
                try await context.client.create(claim)
                let message = "create Claim \(claim.name) Pod \(pod) in StatefulSet \(set.name) success"
                events.record(set, .normal, "SuccessfulCreate", message)
            } catch let error as APIError where error.isAlreadyExists {
            } catch let error as APIError {
                let message = "create Claim \(claim.name) for Pod \(pod) in StatefulSet \(set.name) failed error: \(error.message)"
                events.record(set, .warning, "FailedCreate", message)
                throw error
            }
        }
        do {
            let created = try await context.client.create(start.pod)
            pending.wrote(key, resourceVersion: created.resourceVersion)
            events.record(set, .normal, "SuccessfulCreate", "create Pod \(pod) in StatefulSet \(set.name) successful")
        } catch let error as APIError where error.isAlreadyExists || error.isNamespaceTerminating {
            // Another pod has the name; when it goes, the set is looked at again.
        } catch let error as APIError {
            let message = "create Pod \(pod) in StatefulSet \(set.name) failed error: \(error.message)"
            events.record(set, .warning, "FailedCreate", message)
            throw error
        }
    }

    private func stop(_ pod: Pod, _ set: StatefulSet, key: String) async throws {
        do {
            pending.deleted(key, object: pod.key, uid: pod.uid)
            let options = DeleteOptions { $0.preconditions = Preconditions(fields: ["uid": .string(pod.uid)]) }
            try await context.client.delete(Pod.self, namespace: pod.namespace, name: pod.name, options: options)
            events.record(set, .normal, "SuccessfulDelete", "delete Pod \(pod.name) in StatefulSet \(set.name) successful")
        } catch let error as APIError {
            pending.forget(key)
            if error.isNotFound { return }
            let message = "delete Pod \(pod.name) in StatefulSet \(set.name) failed error: \(error.message)"
            events.record(set, .warning, "FailedDelete", message)
            throw error
        }
    }
}
