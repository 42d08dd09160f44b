import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units
import Values

/// Runs jobs to completion. Thin: reads the caches, asks `JobPlan`, writes.
final class JobController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let jobs: Cache<Job>
    private let pods: Cache<Pod>
    private let events: EventSink
    private let pending: PendingWrites
    private let backoffs = Mutex<[String: JobBackoff]>([:])

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("job")
        workers = context.configuration.workers
        jobs = context.cache(Job.self)
        pods = context.cache(Pod.self)
        events = context.events("job-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [jobs, pods] }

    func start() {
        jobs.observe { [weak self] change in
            if change.isDeletion { self?.forget(change.key) }
            self?.queue.add(change.key)
        }
        pods.observe { [weak self] change in
            guard let self else { return }
            OwnerKeys.of(change, kind: "Job").forEach(queue.add)
        }
    }

    private func forget(_ key: String) {
        pending.forget(key)
        backoffs.withLock { _ = $0.removeValue(forKey: key) }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let job = jobs.get(key) else {
            forget(key)
            try await releaseOrphans(of: key)
            return .done
        }
        if let manager = job.spec.managedBy, manager != "kubernetes.io/job-controller" { return .done }
        if job.isFinished {
            forget(key)
            try await release(pods.controlled(by: job.uid).filter(\.isTracked), key: key)
            return .done
        }
        guard let selector = job.fields["spec"]?["selector"].flatMap({ try? LabelSelector(json: $0) }), !selector.isEverything
        else { return .done }
        // The counts of the status are added to: a stale job would add twice.
        guard pending.areVisible(key + "#status", observed: jobs.revision, isGone: { _, _ in true }) else {
            return .requeue(after: PendingWrites.patience)
        }
        let settled = pending.areVisible(key, observed: pods.revision) { [pods] object, uid in
            guard let pod = pods.get(object) else { return true }
            return pod.uid != uid || pod.isBeingDeleted
        }
        let claim = Claim.plan(owner: job.metadata, candidates: pods.controlled(by: job.uid) + pods.orphans(in: job.namespace)) {
            selector.matches($0.labels)
        }
        let own = try await context.claimer.carryOut(claim, owner: job).owned
        let backoff = backoffs.withLock { $0[key] ?? JobBackoff() }
        let plan = JobPlan.plan(job, pods: own, backoff: backoff, settled: settled, now: context.clock.now)
        try await carryOut(plan, job, key: key)
        return plan.requeueAfter.map { .requeue(after: $0) } ?? (settled ? .done : .requeue(after: PendingWrites.patience))
    }

    private func carryOut(_ plan: JobPlan, _ job: Job, key: String) async throws {
        if plan.stopsBlamelessly { try await release(plan.stop.filter(\.isTracked), key: key) }
        let stops = await Batches.concurrently(plan.stop) { [self] in try await delete($0, job, key: key) }
        let starts = Mutex(plan.start)
        let started = await Batches.slowStart(plan.start.count) { [self] in
            guard let next = starts.withLock({ $0.popLast() }) else { return }
            try await create(next, job, key: key)
        }
        let failure = stops.error ?? started.error
        var status = plan.status
        status.active = max(0, status.active - (plan.start.count - started.succeeded) + (plan.stop.count - stops.succeeded))
        if status != job.status {
            var copy = job
            copy.status = status
            let written = try await context.client.updateStatus(copy)
            pending.wrote(key + "#status", resourceVersion: written.resourceVersion)
        }
        backoffs.withLock { $0[key] = plan.backoff }
        for event in plan.events { events.record(job, event) }
        try await release(plan.release, key: key)
        if let failure { throw failure }
    }

    private func create(_ start: JobPlan.Start, _ job: Job, key: String) async throws {
        let pod = job.pod(start)
        do {
            let created = try await context.client.create(pod)
            pending.wrote(key, resourceVersion: created.resourceVersion)
            events.record(job, .normal, "SuccessfulCreate", "Created pod: \(created.name)")
        } catch let error as APIError {
            if error.isNamespaceTerminating { return }
            events.record(job, .warning, "FailedCreate", "Error creating: \(error.message)")
            throw error
        }
    }

    private func delete(_ pod: Pod, _ job: Job, key: String) async throws {
        do {
            pending.deleted(key, object: pod.key, uid: pod.uid)
            try await context.client.delete(Pod.self, namespace: pod.namespace, name: pod.name)
            events.record(job, .normal, "SuccessfulDelete", "Deleted pod: \(pod.name)")
        } catch let error as APIError {
            pending.forget(key)
            if error.isNotFound { return }
            events.record(job, .warning, "FailedDelete", "Error deleting: \(error.message)")
            throw error
        }
    }

    /// Takes the tracking finalizer off pods that are counted.
    private func release(_ pods: [Pod], key: String) async throws {
        let outcome = await Batches.concurrently(pods) { [self] pod in
            let finalizer: JSONValue = [
                "metadata": [
                    "uid": .string(pod.uid), "$deleteFromPrimitiveList/finalizers": [.string(Job.trackingFinalizer)],
                ]
            ]
            do {
                let written = try await context.client.patch(
                    Pod.self,
                    namespace: pod.namespace,
                    name: pod.name,
                    type: .strategic,
                    finalizer
                )
                pending.wrote(key, resourceVersion: written.resourceVersion)
            } catch let error as APIError where error.isNotFound || error.isConflict {}
        }
        if let error = outcome.error { throw error }
    }

    /// A job deleted with its pods orphaned leaves finalizers that nobody else removes.
    private func releaseOrphans(of key: String) async throws {
        let (namespace, name) = ObjectKey.split(key)
        let left = pods.list(namespace: namespace).filter { pod in
            pod.isTracked && (pod.controllerRef == nil || (pod.controllerRef?.kind == "Job" && pod.controllerRef?.name == name))
        }
        try await release(left.filter { jobs.get("\(namespace)/\($0.controllerRef?.name ?? "")") == nil }, key: key)
        pending.forget(key)
    }
}

extension Job {
    private static let indexVariable = "JOB_COMPLETION_INDEX"
    /// The longest prefix that leaves room for a generated suffix.
    private static let longestPrefix = 58

    /// A pod of this job.
    func pod(_ start: JobPlan.Start) -> Pod {
        var pod = PodTemplates.pod(
            from: spec.template,
            ownerName: name,
            namespace: namespace,
            reference: controllerReference()
        )
        if !pod.metadata.finalizers.contains(Self.trackingFinalizer) { pod.metadata.finalizers.append(Self.trackingFinalizer) }
        guard let index = start.index else { return pod }
        let suffix = "-\(index)-"
        pod.metadata.generateName = String(name.prefix(Self.longestPrefix - suffix.utf8.count)) + suffix
        pod.metadata.annotations[Self.indexKey] = "\(index)"
        pod.metadata.labels[Self.indexKey] = "\(index)"
        if let failures = start.failures { pod.metadata.annotations[Self.indexFailures] = "\(failures)" }
        pod.spec.hostname = "\(name)-\(index)"
        pod.spec.containers = pod.spec.containers.map(Self.withIndex)
        pod.spec.initContainers = pod.spec.initContainers.map(Self.withIndex)
        return pod
    }

    private static func withIndex(_ container: Container) -> Container {
        guard !container.env.contains(where: { $0.name == indexVariable }) else { return container }
        var copy = container
        let source: JSONValue = ["fieldRef": ["fieldPath": .string("metadata.labels['\(indexKey)']")]]
        copy.env.append(EnvVar(fields: ["name": .string(indexVariable), "valueFrom": source]))
        return copy
    }
}
