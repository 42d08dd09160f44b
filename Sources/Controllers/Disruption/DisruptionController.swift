import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Keeps the status of disruption budgets. Thin: reads the caches, asks `DisruptionBudgetPlan`, writes.
final class DisruptionController: KeyedController {
    let queue: WorkQueue<String>
    let workers = 1
    private let context: ControllerContext
    private let budgets: Cache<PodDisruptionBudget>
    private let pods: Cache<Pod>
    private let deployments: Cache<Deployment>
    private let replicaSets: Cache<ReplicaSet>
    private let controllers: Cache<ReplicationController>
    private let statefulSets: Cache<StatefulSet>
    private let events: EventSink

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("disruption")
        budgets = context.cache(PodDisruptionBudget.self)
        pods = context.cache(Pod.self)
        deployments = context.cache(Deployment.self)
        replicaSets = context.cache(ReplicaSet.self)
        controllers = context.cache(ReplicationController.self)
        statefulSets = context.cache(StatefulSet.self)
        events = context.events("controllermanager")
    }

    var synced: [any SyncedCache] { [budgets, pods, deployments, replicaSets, controllers, statefulSets] }

    func start() {
        budgets.observe { [weak self] in self?.queue.add($0.key) }
        pods.observe { [weak self] change in
            guard let self, let namespace = (change.newSummary ?? change.oldSummary)?.namespace else { return }
            for budget in budgets.list(namespace: namespace) {
                guard let selector = Self.selector(of: budget) else { continue }
                let labels = [change.oldSummary, change.newSummary].compactMap { $0?.labels }
                if labels.contains(where: selector.matches) { queue.add(budget.key) }
            }
        }
    }

    /// No selector selects nothing, an empty one everything.
    private static func selector(of budget: PodDisruptionBudget) -> LabelSelector? {
        budget.fields["spec"]?["selector"].flatMap { try? LabelSelector(json: $0) }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let budget = budgets.get(key), let selector = Self.selector(of: budget) else { return .done }
        let members = pods.list(namespace: budget.namespace, matching: selector)
        if members.isEmpty { events.record(budget, .normal, "NoPods", "No matching pods found") }
        let plan = DisruptionBudgetPlan.plan(budget, pods: members, now: context.clock.now) { self.scale(of: $0) }
        for event in plan.events { events.record(budget, event) }
        if plan.status != budget.status {
            var copy = budget
            copy.status = plan.status
            try await context.client.updateStatus(copy)
        }
        return plan.requeueAfter.map { .requeue(after: $0) } ?? .done
    }

    private func scale(of pod: Pod) -> (uid: String, replicas: Int)? {
        guard let owner = pod.controllerRef else { return nil }
        let key = "\(pod.namespace)/\(owner.name)"
        switch owner.kind {
        case "ReplicaSet":
            guard let set = replicaSets.get(key), set.uid == owner.uid else { return nil }
            if let parent = set.controllerRef, parent.kind == "Deployment",
                let deployment = deployments.get("\(pod.namespace)/\(parent.name)"), deployment.uid == parent.uid
            {
                return (deployment.uid, deployment.spec.replicas ?? 1)
            }
            return (set.uid, set.spec.replicas ?? 1)
        case "StatefulSet":
            return statefulSets.get(key).flatMap { $0.uid == owner.uid ? ($0.uid, $0.spec.replicas ?? 1) : nil }
        case "ReplicationController":
            return controllers.get(key).flatMap { $0.uid == owner.uid ? ($0.uid, $0.spec.replicas ?? 1) : nil }
        default: return nil
        }
    }
}
