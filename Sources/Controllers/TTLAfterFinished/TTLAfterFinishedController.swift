import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units

/// Removes finished jobs when their time is over.
final class TTLAfterFinishedController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let jobs: Cache<Job>

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("ttl_jobs_to_delete")
        workers = context.configuration.workers
        jobs = context.cache(Job.self)
    }

    var synced: [any SyncedCache] { [jobs] }

    func start() {
        jobs.observe { [weak self] change in
            guard let new = change.new, new.spec.ttlSecondsAfterFinished != nil, FinishedJob.finishTime(new) != nil else { return }
            self?.queue.add(new.key)
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let job = jobs.get(key) else { return .done }
        switch FinishedJob.decide(job, now: context.clock.now) {
        case .keep: return .done
        case .wait(let rest): return .requeue(after: rest)
        case .remove: break
        }
        do {
            // The limit may have been raised meanwhile: the live object decides.
            let fresh = try await context.client.get(Job.self, namespace: job.namespace, name: job.name)
            guard FinishedJob.decide(fresh, now: context.clock.now) == .remove else { return .requeue(after: .seconds(1)) }
            let options = DeleteOptions {
                $0.propagationPolicy = "Foreground"
                $0.preconditions = Preconditions(fields: ["uid": .string(fresh.uid)])
            }
            try await context.client.delete(Job.self, namespace: job.namespace, name: job.name, options: options)
        } catch let error as APIError where error.isNotFound {}
        return .done
    }
}
