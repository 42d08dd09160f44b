import APIModel
import APITypes
import Units
import Values

/// What a job does next: which pods to start and stop, which finished ones to count, and what its status says.
public struct JobPlan: Sendable {
    /// No round starts or stops more pods.
    static let burst = 500
    /// No round counts more pods.
    static let uncountedLimit = 500

    /// A pod to start.
    public struct Start: Sendable, Hashable {
        /// The completion it works on, for indexed jobs.
        public var index: Int?
        /// How often that index has failed, where that is limited.
        public var failures: Int?
    }

    /// The status to store before `release` is carried out.
    public var status: JobStatus
    /// Pods to start.
    public var start: [Start] = []
    /// Pods to stop.
    public var stop: [Pod] = []
    /// They are stopped because they are not needed, not because the job ends: that is no failure of theirs.
    public var stopsBlamelessly = true
    /// Pods whose tracking finalizer may go once the status is stored.
    public var release: [Pod] = []
    /// What to tell.
    public var events: [EventNote] = []
    /// When to look again.
    public var requeueAfter: Duration?
    /// The back-off to remember once the status is stored.
    public var backoff: JobBackoff

    /// Decides. `settled` is false while earlier writes have not come back.
    public static func plan(_ job: Job, pods: [Pod], backoff: JobBackoff, settled: Bool, now: Timestamp) -> JobPlan {
        var round = JobRound(job, pods: pods, backoff: backoff, settled: settled, now: now)
        round.decide()
        return round.plan
    }
}

/// One round over a job, on copies.
struct JobRound {
    let job: Job
    let pods: [Pod]
    let settled: Bool
    let now: Timestamp
    var plan: JobPlan
    var active: [Pod]
    var succeededIndices = CompletionIndices()
    var failedIndices: CompletionIndices?
    /// The last failed pod of an index stays until its successor knows how often the index failed.
    var held: [Int: Pod] = [:]
    var outcome: JobCondition?

    init(_ job: Job, pods: [Pod], backoff: JobBackoff, settled: Bool, now: Timestamp) {
        self.job = job
        self.pods = pods
        self.settled = settled
        self.now = now
        active = pods.filter(\.isActive)
        plan = JobPlan(status: job.status, backoff: backoff)
    }

    private var uncounted: UncountedTerminatedPods { job.status.uncountedTerminatedPods ?? UncountedTerminatedPods() }

    mutating func decide() {
        if job.status.startTime == nil, !job.isSuspended { plan.status.startTime = now }
        let counted = Set(uncounted.succeeded + uncounted.failed)
        let fresh = pods.filter { $0.isTracked && !counted.contains($0.uid) }
        let newSucceeded = fresh.filter { $0.status.phase == "Succeeded" }
        let newFailed = fresh.filter { job.hasFailed($0) }
        plan.backoff = plan.backoff.noting(succeeded: newSucceeded, failed: newFailed)
        var succeeded = job.status.succeeded + newSucceeded.count + uncounted.succeeded.count
        let counting = newFailed.count { JobFailureVerdict(job.spec.podFailurePolicy, $0).counts }
        let failed = job.status.failed + counting + uncounted.failed.count
        judge(failed: failed)
        if job.isIndexed {
            judgeIndices()
            succeeded = succeededIndices.count
        }
        var running = active.count
        if outcome != nil {
            // The job ends when its last pod does.
            if settled { plan.stop = active }
            plan.stopsBlamelessly = false
            running -= plan.stop.count
            if running > 0 || !settled { outcome = nil }
        } else {
            running = manage(succeeded: succeeded)
            if isComplete(succeeded: succeeded, running: running) {
                outcome = condition("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
            } else if settled, !job.isBeingDeleted {
                noteSuspension()
            }
        }
        report(running: running)
        count()
        finish()
    }

    func condition(_ type: String, _ reason: String, _ message: String, status: String = "True") -> JobCondition {
        JobCondition {
            $0.type = type
            $0.status = status
            $0.reason = reason
            $0.message = message
            $0.lastProbeTime = now
            $0.lastTransitionTime = now
        }
    }

    // MARK: Judging

    private mutating func judge(failed: Int) {
        if let met = job.trueCondition("SuccessCriteriaMet") {
            outcome = met
        } else if let target = job.trueCondition("FailureTarget") {
            outcome = condition("Failed", target.reason, target.message)
        } else if let message = failureByPolicy {
            outcome = condition("FailureTarget", "PodFailurePolicy", message)
        } else if failed > job.backoffLimit || job.isPastRestarts(pods) {
            outcome = condition("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
        } else if let limit = job.spec.activeDeadlineSeconds, !job.isSuspended, let started = plan.status.startTime {
            let rest = Duration.seconds(limit) - (now - started)
            if rest <= .zero {
                outcome = condition("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
            } else {
                plan.requeueAfter = rest
            }
        }
    }

    private var failureByPolicy: String? {
        guard let policy = job.spec.podFailurePolicy else { return nil }
        for pod in pods where job.hasFailed(pod) {
            if let message = JobFailureVerdict(policy, pod).failsJob { return message }
        }
        return nil
    }

    private mutating func judgeIndices() {
        let completions = job.spec.completions ?? 0
        let before = CompletionIndices(job.status.completedIndexes, limit: completions)
        let fresh = pods.filter { $0.status.phase == "Succeeded" && $0.isTracked }.compactMap(\.completionIndex)
        succeededIndices = before.union(fresh.filter { $0 < completions })
        if let limit = job.spec.backoffLimitPerIndex {
            judgeFailedIndices(limit: limit, completions: completions)
        }
        guard outcome == nil, let policy = job.spec.successPolicy, succeededIndices.count > 0 else { return }
        for (number, rule) in policy.rules.enumerated() where matches(rule, completions: completions) {
            outcome = condition("SuccessCriteriaMet", "SuccessPolicy", "Matched rules at index \(number)")
            return
        }
    }

    private func matches(_ rule: SuccessPolicyRule, completions: Int) -> Bool {
        guard let text = rule.succeededIndexes else { return rule.succeededCount.map { succeededIndices.count >= $0 } ?? false }
        let wanted = CompletionIndices(text, limit: completions)
        guard wanted.count > 0 else { return false }
        let reached = wanted.overlap(succeededIndices)
        return reached == wanted.count || rule.succeededCount.map { reached >= $0 } ?? false
    }

    private mutating func judgeFailedIndices(limit: Int, completions: Int) {
        var failed = CompletionIndices(job.status.failedIndexes ?? "", limit: completions)
        let busy = Set(active.compactMap(\.completionIndex))
        for pod in pods where pod.isTracked && job.hasFailed(pod) {
            guard let index = pod.completionIndex, index < completions else { continue }
            if pod.indexFailureCount >= limit || JobFailureVerdict(job.spec.podFailurePolicy, pod).failsIndex {
                failed = failed.union([index])
            } else if !busy.contains(index), !succeededIndices.contains(index),
                pod.indexFailureCount >= held[index]?.indexFailureCount ?? 0
            {
                held[index] = pod
            }
        }
        for index in held.keys where failed.contains(index) { held[index] = nil }
        failedIndices = failed
        guard outcome == nil else { return }
        if let most = job.spec.maxFailedIndexes, failed.count > most {
            let message = "Job has exceeded the specified maximal number of failed indexes"
            outcome = condition("FailureTarget", "MaxFailedIndexesExceeded", message)
        } else if failed.count > 0, failed.count + succeededIndices.count >= completions {
            outcome = condition("FailureTarget", "FailedIndexes", "Job has failed indexes")
        }
    }

    private func isComplete(succeeded: Int, running: Int) -> Bool {
        guard running == 0, plan.start.isEmpty else { return false }
        return job.spec.completions.map { succeeded >= $0 } ?? (succeeded > 0)
    }
}
