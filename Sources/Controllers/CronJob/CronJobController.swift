import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Starts jobs by the clock. Thin: reads the caches, asks `CronJobPlan`, writes.
final class CronJobController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let crons: Cache<CronJob>
    private let jobs: Cache<Job>
    private let events: EventSink
    private let pending: PendingWrites
    /// Zones read so far; bounded by the number of zone files.
    private let zones = Mutex<[String: ZoneInfo]>([:])

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("cronjob")
        workers = context.configuration.workers
        crons = context.cache(CronJob.self)
        jobs = context.cache(Job.self)
        events = context.events("cronjob-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [crons, jobs] }

    func start() {
        crons.observe { [weak self] change in
            if change.isDeletion { self?.pending.forget(change.key) }
            self?.queue.add(change.key)
        }
        jobs.observe { [weak self] change in
            guard let self else { return }
            OwnerKeys.of(change, kind: "CronJob").forEach(queue.add)
            if change.isDeletion, let job = change.old, let owner = job.controllerRef, owner.kind == "CronJob" {
                queue.add("\(job.namespace)/\(owner.name)")
            }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let cron = crons.get(key) else {
            pending.forget(key)
            return .done
        }
        // The active list is added to: an older one would lose a job.
        guard pending.areVisible(key, observed: crons.revision, isGone: { _, _ in true }),
            pending.areVisible(key + "#jobs", observed: jobs.revision, isGone: { _, _ in true })
        else { return .requeue(after: PendingWrites.patience) }
        let zone = zone(cron.spec.timeZone ?? "")
        let own = jobs.controlled(by: cron.uid)
        let plan = CronJobPlan.plan(cron, jobs: own, now: context.clock.now, offset: zone.map { zone in { zone.offset(at: $0) } })
        try await carryOut(plan, cron, key: key)
        return plan.requeueAfter.map { .requeue(after: $0) } ?? .done
    }

    private func zone(_ name: String) -> ZoneInfo? {
        zones.withLock { zones in
            if let known = zones[name] { return known }
            let read = ZoneInfo(named: name)
            if let read { zones[name] = read }
            return read
        }
    }

    private func carryOut(_ plan: CronJobPlan, _ cron: CronJob, key: String) async throws {
        for event in plan.events { events.record(cron, event) }
        for job in plan.clear + plan.replace { try await delete(job, cron) }
        var status = plan.status
        var failure: (any Error)?
        if let job = plan.start {
            do {
                let created = try await create(job, cron, key: key)
                if let created { status.active.append(created) }
            } catch {
                failure = error
                status.lastScheduleTime = cron.status.lastScheduleTime
            }
        }
        if status != cron.status {
            var copy = cron
            copy.status = status
            let written = try await context.client.updateStatus(copy)
            pending.wrote(key, resourceVersion: written.resourceVersion)
        }
        if let failure { throw failure }
    }

    /// Nil when the job cannot be had because its namespace goes away.
    private func create(_ job: Job, _ cron: CronJob, key: String) async throws -> ObjectReference? {
        do {
            let created: Job
            do {
                created = try await context.client.create(job)
                events.record(cron, .normal, "SuccessfulCreate", "Created job \(created.name)")
            } catch let error as APIError where error.isAlreadyExists {
                // Started before a restart and not yet noted.
                created = try await context.client.get(Job.self, namespace: job.namespace, name: job.name)
                guard created.controllerRef?.uid == cron.uid else { throw error }
            }
            pending.wrote(key + "#jobs", resourceVersion: created.resourceVersion)
            return EventRecorder.reference(created)
        } catch let error as APIError {
            if error.isNamespaceTerminating { return nil }
            events.record(cron, .warning, "FailedCreate", "Error creating job: \(error.message)")
            throw error
        }
    }

    private func delete(_ job: Job, _ cron: CronJob) async throws {
        do {
            let options = DeleteOptions { $0.propagationPolicy = "Background" }
            try await context.client.delete(Job.self, namespace: job.namespace, name: job.name, options: options)
            events.record(cron, .normal, "SuccessfulDelete", "Deleted job \(job.name)")
        } catch let error as APIError {
            if error.isNotFound { return }
            events.record(cron, .warning, "FailedDelete", "Deleted job: \(error.message)")
            throw error
        }
    }
}
