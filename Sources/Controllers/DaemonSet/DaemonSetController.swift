import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units
import Values

/// Runs one pod of each daemon set on every node that fits. Thin: reads the caches, asks `DaemonSetPlan`, writes.
final class DaemonSetController: KeyedController {
    private struct Failure {
        var count: Int
        var until: Duration
    }

    let queue: WorkQueue<String>
    let workers = 2
    private let context: ControllerContext
    private let sets: Cache<DaemonSet>
    private let pods: Cache<Pod>
    private let nodes: Cache<Node>
    private let revisions: Cache<ControllerRevision>
    private let events: EventSink
    private let pending: PendingWrites
    /// Nodes whose pods keep failing, by `uid/node`; guarded by its lock.
    private let failures = Mutex<[String: Failure]>([:])

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("daemonset")
        sets = context.cache(DaemonSet.self)
        pods = context.cache(Pod.self)
        nodes = context.cache(Node.self)
        revisions = context.cache(ControllerRevision.self)
        events = context.events("daemonset-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [sets, pods, nodes, revisions] }

    func start() {
        sets.observe { [weak self] change in
            if change.isDeletion { self?.pending.forget(change.key) }
            self?.queue.add(change.key)
        }
        pods.observe { [weak self] change in
            guard let self else { return }
            OwnerKeys.of(change, kind: "DaemonSet").forEach(queue.add)
        }
        nodes.observe { [weak self] change in
            guard let self, Self.concerns(change) else { return }
            for summary in sets.summaries(namespace: nil) { queue.add(summary.key) }
        }
        revisions.observe { [weak self] change in
            guard let self else { return }
            OwnerKeys.of(change, kind: "DaemonSet").forEach(queue.add)
        }
    }

    /// Heartbeats change nothing for daemons.
    private static func concerns(_ change: CacheChange<Node>) -> Bool {
        guard let old = change.old, let new = change.new else { return true }
        return old.labels != new.labels || old.spec.taints != new.spec.taints || old.spec.unschedulable != new.spec.unschedulable
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let set = sets.get(key) else {
            pending.forget(key)
            return .done
        }
        guard let selector = set.fields["spec"]?["selector"].flatMap({ try? LabelSelector(json: $0) }) else { return .done }
        if selector.isEverything {
            events.record(set, .warning, "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required.")
            return .done
        }
        let settled = pending.areVisible(key, observed: pods.revision) { [pods] object, uid in
            guard let pod = pods.get(object) else { return true }
            return pod.uid != uid || pod.isBeingDeleted
        }
        guard settled else { return .requeue(after: PendingWrites.patience) }
        let claim = Claim.plan(owner: set.metadata, candidates: pods.controlled(by: set.uid) + pods.orphans(in: set.namespace)) {
            selector.matches($0.labels)
        }
        let own = try await context.claimer.carryOut(claim, owner: set).owned
        let history = RevisionHistory(
            owner: set,
            template: set.spec.template,
            collisionCount: set.status.collisionCount,
            existing: revisions.controlled(by: set.uid)
        )
        let hash = history.hash
        if !set.isBeingDeleted { try await RevisionWriter(client: context.client).record(history, of: set) }
        let now = context.clock.monotonic
        let plan = DaemonSetPlan.plan(
            set,
            hash: hash,
            nodes: nodes.list(),
            pods: own,
            settled: true,
            now: context.clock.now
        ) { node in
            self.failures.withLock { $0["\(set.uid)/\(node)"] }.flatMap { $0.until > now ? $0.until - now : nil }
        }
        try await carryOut(plan, set, key: key, hash: hash)
        let live = Set(own.compactMap { $0.labels[RevisionHistory.hashLabel] })
        for revision in history.surplus(limit: set.spec.revisionHistoryLimit ?? 10, live: live) {
            try await RevisionWriter(client: context.client).remove(revision)
        }
        return plan.requeueAfter.map { .requeue(after: $0) } ?? .done
    }

    private func carryOut(_ plan: DaemonSetPlan, _ set: DaemonSet, key: String, hash: String) async throws {
        for event in plan.events { events.record(set, event) }
        let control = PodControl(context: context, events: events, pending: pending, key: key)
        let starts = Mutex(Array(plan.start.reversed()))
        let started = await Batches.slowStart(plan.start.count) {
            guard let node = starts.withLock({ $0.popLast() }) else { return }
            try await control.create(DaemonSetPlan.pod(of: set, hash: hash, on: node), for: set)
        }
        let stopped = await Batches.concurrently(plan.stop) { [self] pod in
            if pod.status.phase == "Failed" { noteFailure(of: set, on: NodeFit.target(of: pod)) }
            try await control.delete(pod, for: set)
        }
        if plan.status != set.status {
            var copy = set
            copy.status = plan.status
            try await context.client.updateStatus(copy)
        }
        if let error = started.error ?? stopped.error { throw error }
    }

    /// A pod that fails again is left longer each time, up to 15 minutes.
    private func noteFailure(of set: DaemonSet, on node: String) {
        let now = context.clock.monotonic
        failures.withLock { failures in
            let count = (failures["\(set.uid)/\(node)"]?.count ?? 0) + 1
            let wait = min(Duration.seconds(900), .seconds(1) * (1 << min(count - 1, 10)))
            failures["\(set.uid)/\(node)"] = Failure(count: count, until: now + wait)
            failures = failures.filter { $0.value.until + .seconds(900) > now }
        }
    }
}
