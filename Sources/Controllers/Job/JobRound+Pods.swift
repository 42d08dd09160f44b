import APIModel
import APITypes
import Units
import Values

/// Starting, stopping and counting pods.
extension JobRound {
    /// Returns how many pods are active when the plan has been carried out.
    mutating func manage(succeeded: Int) -> Int {
        guard settled, !job.isBeingDeleted else { return active.count }
        if job.isSuspended {
            plan.stop = active
            return 0
        }
        let wanted = wantedActive(succeeded: succeeded)
        let stop = Array(removable(atLeast: max(0, active.count - wanted)).prefix(JobPlan.burst))
        if !stop.isEmpty {
            plan.stop = stop
            return active.count - stop.count
        }
        let leaving = job.replacesOnlyFailed ? pods.count(where: \.isTerminating) : 0
        let missing = min(wanted - leaving - active.count, JobPlan.burst)
        guard missing > 0 else { return active.count }
        let wait = job.spec.backoffLimitPerIndex == nil ? plan.backoff.remaining(now: now) : .zero
        if wait > .zero {
            requeue(wait)
            return active.count
        }
        plan.start = job.isIndexed ? startIndices(missing) : Array(repeating: JobPlan.Start(), count: missing)
        return active.count + plan.start.count
    }

    private func wantedActive(succeeded: Int) -> Int {
        guard let completions = job.spec.completions else { return succeeded > 0 ? active.count : job.parallelism }
        let done = succeeded + (failedIndices?.count ?? 0)
        return max(0, min(completions - done, job.parallelism))
    }

    private mutating func requeue(_ wait: Duration) {
        plan.requeueAfter = min(plan.requeueAfter ?? wait, wait)
    }

    /// Pods that need not run: of an index done, doubled or out of range, then the least useful.
    private func removable(atLeast count: Int) -> [Pod] {
        var surplus: [Pod] = []
        var rest = active
        if job.isIndexed {
            var taken: Set<Int> = []
            rest = []
            for pod in active.sorted(by: { ($0.completionIndex ?? -1, $0.name) < ($1.completionIndex ?? -1, $1.name) }) {
                if let index = pod.completionIndex, index < job.spec.completions ?? 0, !succeededIndices.contains(index),
                    failedIndices?.contains(index) != true, taken.insert(index).inserted
                {
                    rest.append(pod)
                } else {
                    surplus.append(pod)
                }
            }
        }
        guard surplus.count < count else { return surplus }
        return surplus + DeletionOrder.first(count - surplus.count, of: rest, related: [], now: now)
    }

    private mutating func startIndices(_ count: Int) -> [JobPlan.Start] {
        let busy = Set(active.compactMap(\.completionIndex))
        let leaving = Set(job.replacesOnlyFailed ? pods.filter(\.isTerminating).compactMap(\.completionIndex) : [])
        var starts: [JobPlan.Start] = []
        for index in 0..<(job.spec.completions ?? 0) where starts.count < count {
            if busy.contains(index) || leaving.contains(index) || succeededIndices.contains(index) || failedIndices?.contains(index) == true
            {
                continue
            }
            guard job.spec.backoffLimitPerIndex != nil else {
                starts.append(.init(index: index))
                continue
            }
            let failures =
                held[index].map { pod in
                    pod.indexFailureCount + (JobFailureVerdict(job.spec.podFailurePolicy, pod).counts ? 1 : 0)
                } ?? 0
            let wait = JobBackoff.remaining(failures: failures, last: held[index]?.finishTime, now: now)
            if wait > .zero {
                requeue(wait)
            } else {
                starts.append(.init(index: index, failures: failures))
            }
        }
        return starts
    }

    mutating func noteSuspension() {
        let present = plan.status.conditions.first { $0.type == "Suspended" }
        if job.isSuspended {
            guard present?.status != "True" else { return }
            replace(condition("Suspended", "JobSuspended", "Job suspended"))
            plan.status.startTime = nil
            plan.events.append(.init(.normal, "Suspended", "Job suspended"))
        } else if present?.status == "True" {
            replace(condition("Suspended", "JobResumed", "Job resumed", status: "False"))
            plan.status.startTime = now
            plan.events.append(.init(.normal, "Resumed", "Job resumed"))
        }
    }

    func isStopping(_ pod: Pod) -> Bool { plan.stop.contains { $0.uid == pod.uid } }

    mutating func replace(_ condition: JobCondition) {
        var conditions = plan.status.conditions
        conditions.removeAll { $0.type == condition.type }
        plan.status.conditions = conditions + [condition]
    }

    mutating func report(running: Int) {
        plan.status.active = running
        plan.status.ready = active.count { $0.isReady && !isStopping($0) }
        plan.status.terminating = pods.count(where: \.isTerminating) + plan.stop.count
    }

    /// Finished pods are first named in the status, then let go, then added to the counts: none is lost or counted
    /// twice whatever stops in between.
    mutating func count() {
        let tracked = Set(pods.filter(\.isTracked).map(\.uid))
        var uncounted = job.status.uncountedTerminatedPods ?? UncountedTerminatedPods()
        let settledSuccesses = uncounted.succeeded.filter { !tracked.contains($0) }
        let settledFailures = uncounted.failed.filter { !tracked.contains($0) }
        if !job.isIndexed { plan.status.succeeded += settledSuccesses.count }
        plan.status.failed += settledFailures.count
        uncounted.succeeded = uncounted.succeeded.filter(tracked.contains)
        uncounted.failed = uncounted.failed.filter(tracked.contains)
        let known = Set(uncounted.succeeded + uncounted.failed)
        for pod in pods where pod.isTracked {
            guard uncounted.succeeded.count + uncounted.failed.count < JobPlan.uncountedLimit else { break }
            let failed = job.hasFailed(pod)
            let ends = job.isBeingDeleted || outcome != nil
            guard pod.status.phase == "Succeeded" || failed || ends else { continue }
            if !ends, let index = pod.completionIndex, held[index]?.uid == pod.uid { continue }
            plan.release.append(pod)
            guard !known.contains(pod.uid) else { continue }
            if pod.status.phase == "Succeeded" {
                if !job.isIndexed { uncounted.succeeded.append(pod.uid) }
            } else if failed || (ends && outcome?.type != "SuccessCriteriaMet" && !job.isBeingDeleted) {
                if JobFailureVerdict(job.spec.podFailurePolicy, pod).counts { uncounted.failed.append(pod.uid) }
            }
        }
        plan.status.uncountedTerminatedPods = uncounted
        if job.isIndexed {
            plan.status.succeeded = succeededIndices.count
            plan.status.completedIndexes = succeededIndices.description
            if let failedIndices { plan.status.failedIndexes = failedIndices.description }
        }
    }

    /// The last condition comes when every pod is counted and gone.
    mutating func finish() {
        guard var outcome else { return }
        if outcome.type == "FailureTarget" || outcome.type == "SuccessCriteriaMet" {
            if !plan.status.conditions.contains(where: { $0.type == outcome.type }) { plan.status.conditions.append(outcome) }
            outcome = condition(outcome.type == "FailureTarget" ? "Failed" : "Complete", outcome.reason, outcome.message)
        }
        let uncounted = plan.status.uncountedTerminatedPods
        guard uncounted?.succeeded.isEmpty ?? true, uncounted?.failed.isEmpty ?? true, plan.status.terminating ?? 0 == 0,
            !pods.contains(where: { $0.isTracked && !$0.isFinished })
        else { return }
        replace(outcome)
        if outcome.type == "Complete" {
            plan.status.completionTime = now
            if let completions = job.spec.completions, plan.status.succeeded > completions {
                let message = "Too many succeeded pods running after completion count reached"
                plan.events.append(.init(.warning, "TooManySucceededPods", message))
            }
            plan.events.append(.init(.normal, "Completed", "Job completed"))
        } else {
            plan.events.append(.init(.warning, outcome.reason, outcome.message))
        }
    }
}
