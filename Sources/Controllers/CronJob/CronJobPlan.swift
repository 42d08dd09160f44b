import APIModel
import APITypes
import Units
import Values

/// What a cron job does next: which job to start, which to stop or clear away, what to remember.
public struct CronJobPlan: Sendable {
    static let scheduledKey = "batch.kubernetes.io/cronjob-scheduled-timestamp"
    /// More missed times than this are a wrong clock or a long pause, and worth a warning.
    static let manyMissed = 100

    /// The status to store.
    public var status: CronJobStatus
    /// Jobs to delete because another takes their place.
    public var replace: [Job] = []
    /// Finished jobs beyond the limits.
    public var clear: [Job] = []
    /// The job to start.
    public var start: Job?
    /// What to tell.
    public var events: [EventNote] = []
    /// When the next time comes.
    public var requeueAfter: Duration?

    /// Decides. `jobs` are those the cron job controls; `offset` gives its zone's seconds east of UTC.
    public static func plan(_ cron: CronJob, jobs: [Job], now: Timestamp, offset: ((Timestamp) -> Int64)?) -> CronJobPlan {
        var plan = CronJobPlan(status: cron.status)
        plan.followJobs(cron, jobs)
        plan.clearFinished(cron, jobs)
        if cron.isBeingDeleted { return plan }
        guard let offset else {
            let zone = cron.spec.timeZone ?? ""
            plan.events.append(.init(.warning, "UnknownTimeZone", "invalid timeZone: \"\(zone)\": unknown time zone \(zone)"))
            return plan
        }
        if cron.spec.suspend == true { return plan }
        do throws(CronSchedule.ParseError) {
            plan.follow(try CronSchedule(cron.spec.schedule), cron, jobs, now: now, offset: offset)
        } catch {
            let message = "unparseable schedule: \"\(cron.spec.schedule)\" : \(error)"
            plan.events.append(.init(.warning, "UnparseableSchedule", message))
        }
        return plan
    }

    // MARK: Jobs there are

    private mutating func followJobs(_ cron: CronJob, _ jobs: [Job]) {
        var active = status.active
        for job in jobs {
            let known = active.contains { $0.uid == job.uid }
            if known, job.isFinished {
                active.removeAll { $0.uid == job.uid }
                let how = job.trueCondition("Complete") != nil ? "Complete" : "Failed"
                events.append(.init(.normal, "SawCompletedJob", "Saw completed job: \(job.name), condition: \(how)"))
            } else if !known, !job.isFinished {
                let message = "Saw a job that the controller did not create or forgot: \(job.name)"
                events.append(.init(.warning, "UnexpectedJob", message))
            }
            if job.trueCondition("Complete") != nil, let end = job.status.completionTime,
                status.lastSuccessfulTime.map({ $0 < end }) ?? true
            {
                status.lastSuccessfulTime = end
            }
        }
        let present = Set(jobs.map(\.uid))
        for reference in active where !present.contains(reference.uid) {
            let message = "Active job went missing: \(reference.name)"
            events.append(.init(.normal, "MissingJob", message))
        }
        active.removeAll { !present.contains($0.uid) }
        if active != status.active { status.active = active }
    }

    private mutating func clearFinished(_ cron: CronJob, _ jobs: [Job]) {
        func surplus(_ condition: String, _ limit: Int?) -> [Job] {
            guard let limit else { return [] }
            let finished = jobs.filter { $0.trueCondition(condition) != nil }
            let epoch = Timestamp(unixSeconds: 0)
            return Array(
                finished.sorted { ($0.status.startTime ?? epoch, $0.name) < ($1.status.startTime ?? epoch, $1.name) }
                    .prefix(max(0, finished.count - limit))
            )
        }
        clear = surplus("Complete", cron.spec.successfulJobsHistoryLimit) + surplus("Failed", cron.spec.failedJobsHistoryLimit)
    }

    // MARK: Times

    private mutating func follow(
        _ schedule: CronSchedule,
        _ cron: CronJob,
        _ jobs: [Job],
        now: Timestamp,
        offset: (Timestamp) -> Int64
    ) {
        defer {
            if let next = schedule.next(after: now, offset: offset) { requeueAfter = (next - now) + .milliseconds(100) }
        }
        guard schedule.next(after: cron.earliest(now), offset: offset) != nil else {
            // Some day that never comes, such as the last of February's 31.
            let message = "invalid schedule: \(cron.spec.schedule) : time difference between two schedules is less than 1 second"
            events.append(.init(.warning, "InvalidSchedule", message))
            return
        }
        guard let due = mostRecent(schedule, cron, now: now, offset: offset) else { return }
        if let deadline = cron.spec.startingDeadlineSeconds, due + .seconds(deadline) < now {
            events.append(.init(.warning, "MissSchedule", "Missed scheduled time to start a job: \(due.rfc3339)"))
            return
        }
        let job = cron.makeJob(at: due, offset: offset(due))
        if jobs.contains(where: { $0.name == job.name }) || cron.status.lastScheduleTime == due { return }
        if cron.spec.concurrencyPolicy == "Forbid", !status.active.isEmpty {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            events.append(.init(.normal, "JobAlreadyActive", message))
            return
        }
        if cron.spec.concurrencyPolicy == "Replace" {
            let active = Set(status.active.map(\.uid))
            replace = jobs.filter { active.contains($0.uid) }
            status.active = []
        }
        start = job
        status.lastScheduleTime = due
    }

    private mutating func mostRecent(
        _ schedule: CronSchedule,
        _ cron: CronJob,
        now: Timestamp,
        offset: (Timestamp) -> Int64
    ) -> Timestamp? {
        var time = cron.earliest(now)
        var latest: Timestamp?
        for _ in 0...Self.manyMissed {
            guard let next = schedule.next(after: time, offset: offset), next <= now else { return latest }
            latest = next
            time = next
        }
        let advice = "Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        events.append(.init(.warning, "TooManyMissedTimes", "too many missed start times. \(advice)"))
        return Self.last(schedule, from: time, now: now, offset: offset)
    }

    /// Only the last missed time matters: it is looked for in ever longer spans before now, not walked to.
    private static func last(
        _ schedule: CronSchedule,
        from start: Timestamp,
        now: Timestamp,
        offset: (Timestamp) -> Int64
    ) -> Timestamp {
        for span in [600, 7_200, 172_800, 5_356_800, 63_244_800] {
            var time = max(start, now - .seconds(span))
            var found: Timestamp?
            while let next = schedule.next(after: time, offset: offset), next <= now {
                found = next
                time = next
            }
            if let found { return found }
        }
        return start
    }
}

extension CronJob {
    /// No time before this one is started any more.
    fileprivate func earliest(_ now: Timestamp) -> Timestamp {
        let time = status.lastScheduleTime ?? metadata.creationTimestamp ?? now
        guard let deadline = spec.startingDeadlineSeconds else { return time }
        return max(time, now - .seconds(deadline))
    }

    /// The job of one time; its name tells the time, so that none is started twice.
    func makeJob(at time: Timestamp, offset: Int64) -> Job {
        var job = Job(name: "\(name)-\(time.unixSeconds / 60)", namespace: namespace)
        job.metadata.labels = spec.jobTemplate.metadata.labels
        job.metadata.annotations = spec.jobTemplate.metadata.annotations
        job.metadata.annotations[CronJobPlan.scheduledKey] = Self.text(time, offset)
        job.metadata.ownerReferences = [controllerReference()]
        job.spec = spec.jobTemplate.spec
        return job
    }

    private static func text(_ time: Timestamp, _ offset: Int64) -> String {
        guard offset != 0 else { return time.rfc3339 }
        let local = Timestamp(unixSeconds: time.unixSeconds + offset).rfc3339
        let minutes = abs(offset) / 60
        func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return "\(local.dropLast())\(offset < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
