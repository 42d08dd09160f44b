import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct CronScheduleTests {
    @Test(arguments: [
        ("*/15 * * * *", "2026-03-01T10:07:30Z", "2026-03-01T10:15:00Z"),
        ("0 0 * * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ("30 4 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T04:30:00Z"),
        ("0 12 * * mon-fri", "2026-11-21T13:00:00Z", "2026-11-23T12:00:00Z"),
        ("0 0 13 * 5", "2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z"),
        ("5,10 1-3/2 * jan,JUN ?", "2026-02-01T00:00:00Z", "2026-06-01T01:05:00Z"),
        ("@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
        ("@every 90s", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"),
        ("0 0 * * 7", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
    ])
    func `the next time follows the table`(_ row: (String, String, String)) throws {
        let from = try #require(Timestamp(row.1))
        #expect(try CronSchedule(row.0).next(after: from)?.rfc3339 == row.2)
    }

    @Test(arguments: [
        "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a * * * *", "@often", "@every x",
        "1/2/3 * * * *", "- * * * *",
    ])
    func `nonsense is refused`(_ text: String) {
        #expect(throws: CronSchedule.ParseError.self) { try CronSchedule(text) }
    }

    @Test func `an impossible date ends the search`() throws {
        #expect(try CronSchedule("0 0 31 2 *").next(after: epoch) == nil)
    }

    @Test func `times are those of the zone`() throws {
        let from = try #require(Timestamp("2026-07-01T00:00:00Z"))
        #expect(try CronSchedule("0 9 * * *").next(after: from) { _ in 7200 }?.rfc3339 == "2026-07-01T07:00:00Z")
    }
}

@Suite struct CronJobPlanTests {
    func makeCron(_ change: (inout CronJob) -> Void = { _ in }) -> CronJob {
        var cron = CronJob(name: "tick", namespace: "default")
        cron.metadata.uid = "cron"
        cron.metadata.creationTimestamp = epoch
        cron.spec.schedule = "* * * * *"
        cron.spec.concurrencyPolicy = "Allow"
        change(&cron)
        return cron
    }

    func plan(_ cron: CronJob, _ jobs: [Job] = [], at now: Timestamp) -> CronJobPlan {
        CronJobPlan.plan(cron, jobs: jobs, now: now) { _ in 0 }
    }

    func makeJob(_ name: String, finished: String? = nil) -> Job {
        var job = Job(name: name, namespace: "default")
        job.metadata.uid = "uid-\(name)"
        if let finished {
            job.status.conditions = [
                JobCondition {
                    $0.type = finished; $0.status = "True"
                }
            ]
            job.status.completionTime = epoch
        }
        return job
    }

    @Test func `the latest due time is started once, under its own name`() {
        let result = plan(makeCron(), at: epoch + .seconds(125))
        let minute = (epoch.unixSeconds + 120) / 60
        #expect(result.start?.name == "tick-\(minute)")
        #expect(result.start?.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] == Timestamp(unixSeconds: minute * 60).rfc3339)
        #expect(result.status.lastScheduleTime == Timestamp(unixSeconds: minute * 60))
        var next = makeCron()
        next.status = result.status
        #expect(plan(next, at: epoch + .seconds(130)).start == nil)
    }

    @Test func `policies forbid and replace`() {
        var cron = makeCron { $0.spec.concurrencyPolicy = "Forbid" }
        let running = makeJob("old")
        cron.status.active = [
            ObjectReference {
                $0.uid = running.uid; $0.name = running.name
            }
        ]
        let forbidden = plan(cron, [running], at: epoch + .seconds(61))
        #expect(forbidden.start == nil)
        #expect(forbidden.events.last?.reason == "JobAlreadyActive")
        cron.spec.concurrencyPolicy = "Replace"
        let replaced = plan(cron, [running], at: epoch + .seconds(61))
        #expect(replaced.replace.map(\.name) == ["old"])
        #expect(replaced.start != nil)
    }

    @Test func `finished jobs are noted and cleared beyond the limits`() {
        var cron = makeCron {
            $0.spec.successfulJobsHistoryLimit = 1; $0.spec.failedJobsHistoryLimit = 0; $0.spec.suspend = true
        }
        let jobs = [makeJob("a", finished: "Complete"), makeJob("b", finished: "Complete"), makeJob("c", finished: "Failed")]
        cron.status.active = [
            ObjectReference {
                $0.uid = "uid-b"; $0.name = "b"
            }
        ]
        let result = plan(cron, jobs, at: epoch + .seconds(600))
        #expect(result.clear.map(\.name) == ["a", "c"])
        #expect(result.status.active.isEmpty)
        #expect(result.status.lastSuccessfulTime == epoch)
        #expect(result.events.map(\.message) == ["Saw completed job: b, condition: Complete"])
        #expect(result.start == nil)
    }

    @Test func `a deadline lets missed times go, and very many are found without a walk`() {
        let late = makeCron { $0.spec.startingDeadlineSeconds = 10 }
        #expect(plan(late, at: epoch + .seconds(175)).start == nil)
        let far = plan(makeCron(), at: epoch + .seconds(86_400 * 400))
        #expect(far.start != nil)
        let advice = "Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        #expect(far.events.map(\.message) == ["too many missed start times. \(advice)"])
        let missed = makeCron {
            $0.spec.schedule = "0 0 1 1 *"; $0.spec.startingDeadlineSeconds = 10
        }
        #expect(plan(missed, at: epoch + .seconds(175)).events.isEmpty)
    }

    @Test func `a schedule that never comes, or means nothing, is told of and waited for no more`() {
        let never = plan(makeCron { $0.spec.schedule = "59 23 31 2 *" }, at: epoch + .seconds(60))
        #expect(never.events.map(\.reason) == ["InvalidSchedule"])
        let why = "time difference between two schedules is less than 1 second"
        #expect(never.events.map(\.message) == ["invalid schedule: 59 23 31 2 * : \(why)"])
        #expect(never.start == nil && never.requeueAfter == nil)
        let nonsense = plan(makeCron { $0.spec.schedule = "x" }, at: epoch + .seconds(60))
        #expect(nonsense.events.first?.message.hasPrefix("unparseable schedule: \"x\" : ") == true)
    }

    @Test func `calendar arithmetic is its own inverse`() {
        for seconds in stride(from: Int64(-4_000_000_000), to: 8_000_000_000, by: 86_399 * 37) {
            #expect(Civil(unixSeconds: seconds).unixSeconds == seconds)
        }
    }
}
