import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Rolls deployments out over replica sets. Thin: reads the caches, asks `DeploymentPlan`, writes.
final class DeploymentController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let deployments: Cache<Deployment>
    private let sets: Cache<ReplicaSet>
    private let pods: Cache<Pod>
    private let events: EventSink
    private let pending: PendingWrites

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("deployment")
        workers = context.configuration.workers
        deployments = context.cache(Deployment.self)
        sets = context.cache(ReplicaSet.self)
        pods = context.cache(Pod.self)
        events = context.events("deployment-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [deployments, sets, pods] }

    func start() {
        deployments.observe { [weak self] change in
            if change.isDeletion { self?.pending.forget(change.key) }
            self?.queue.add(change.key)
        }
        sets.observe { [weak self] in self?.setChanged($0) }
        pods.observe { [weak self] change in
            if change.isDeletion, let pod = change.old { self?.podDeleted(pod) }
        }
    }

    private func setChanged(_ change: CacheChange<ReplicaSet>) {
        let (before, after) = (change.oldSummary, change.newSummary)
        if before?.controllerUID != nil, before?.controllerUID != after?.controllerUID, let old = change.old,
            let reference = old.controllerRef
        {
            enqueue(reference, old.namespace)
        }
        guard let set = change.new else { return }
        if let reference = set.controllerRef { return enqueue(reference, set.namespace) }
        let labels = set.labels
        for deployment in deployments.list(namespace: set.namespace) where deployment.selector?.matches(labels) == true {
            queue.add(deployment.key)
        }
    }

    private func enqueue(_ reference: OwnerReference, _ namespace: String) {
        guard reference.kind == "Deployment" else { return }
        queue.add("\(namespace)/\(reference.name)")
    }

    /// A `Recreate` rollout waits for the last old pod.
    private func podDeleted(_ pod: Pod) {
        guard let reference = pod.controllerRef, reference.kind == "ReplicaSet",
            let set = sets.get("\(pod.namespace)/\(reference.name)"), let owner = set.controllerRef, owner.kind == "Deployment",
            let deployment = deployments.get("\(pod.namespace)/\(owner.name)"), deployment.spec.strategy.type == "Recreate"
        else { return }
        queue.add(deployment.key)
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let deployment = deployments.get(key) else {
            pending.forget(key)
            return .done
        }
        guard let selector = deployment.selector else { return .done }
        // The replica sets written in the last pass have to show, or sizes would be decided on old ones.
        guard pending.areVisible(key, observed: sets.revision, isGone: { _, _ in true }) else {
            return .requeue(after: PendingWrites.patience)
        }
        let candidates = sets.controlled(by: deployment.uid) + sets.orphans(in: deployment.namespace)
        let claim = Claim.plan(owner: deployment.metadata, candidates: candidates) { selector.matches($0.labels) }
        let owned = try await context.claimer.carryOut(claim, owner: deployment).owned
        let plan = DeploymentPlan.plan(deployment, replicaSets: owned, now: context.clock.now) { [pods] newest in
            owned.contains { set in
                set.uid != newest?.uid && pods.controlled(by: set.uid).contains { !$0.isFinished }
            }
        }
        if let problem = plan.problem { context.logger.error("deployment: \(problem)", metadata: ["deployment": "\(key)"]) }
        try await carryOut(plan, for: deployment)
        return plan.recheckAfter.map { .requeue(after: $0) } ?? .done
    }

    private func carryOut(_ plan: DeploymentPlan, for deployment: Deployment) async throws {
        for action in plan.actions {
            switch action {
            case .create(let set): try await create(set, for: deployment)
            case .update(let set): wrote(try await context.client.update(set), deployment)
            case .delete(let set):
                do {
                    try await context.client.delete(ReplicaSet.self, namespace: set.namespace, name: set.name)
                } catch let error as APIError where error.isNotFound {}
            case .updateStatus(let updated): try await context.client.updateStatus(updated)
            case .updateDeployment(let updated): try await context.client.update(updated)
            case .event(let note): events.record(deployment, note)
            }
        }
    }

    private func wrote(_ set: ReplicaSet, _ deployment: Deployment) {
        pending.wrote(deployment.key, resourceVersion: set.resourceVersion)
    }

    private func create(_ set: ReplicaSet, for deployment: Deployment) async throws {
        do {
            wrote(try await context.client.create(set), deployment)
        } catch let error as APIError where error.isAlreadyExists {
            let existing = try await context.client.get(ReplicaSet.self, namespace: deployment.namespace, name: set.name)
            if DeploymentPlan.isOwn(existing, of: deployment) {
                // Ours already: the cache has yet to show it.
                wrote(existing, deployment)
            } else {
                try await context.client.updateStatus(DeploymentPlan.afterCollision(deployment))
            }
            throw error
        } catch let error as APIError where !error.isNamespaceTerminating {
            let outcome = DeploymentPlan.afterFailedCreate(
                deployment,
                name: set.name,
                error: error.message,
                now: context.clock.now
            )
            if let status = outcome.status { _ = try? await context.client.updateStatus(status) }
            events.record(deployment, outcome.event)
            throw error
        }
    }
}

extension Deployment {
    /// Its selector; nil when it is malformed.
    var selector: LabelSelector? { fields["spec"]?["selector"].flatMap { try? LabelSelector(json: $0) } }
}
