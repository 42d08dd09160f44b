import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct JobPlanTests {
    func makeJob(_ change: (inout Job) -> Void = { _ in }) -> Job {
        var job = Job(name: "j", namespace: "default")
        job.metadata.uid = "job-uid"
        job.spec.parallelism = 1
        job.spec.completions = 1
        job.spec.backoffLimit = 6
        job.spec.template.spec.restartPolicy = "Never"
        job.status.startTime = epoch
        change(&job)
        return job
    }

    func pod(_ name: String, _ phase: String, index: Int? = nil, tracked: Bool = true, code: Int = 1, failures: Int? = nil) -> Pod {
        var pod = makePod(name, phase: phase, ready: phase == "Running")
        if tracked { pod.metadata.finalizers = [Job.trackingFinalizer] }
        if let index { pod.metadata.annotations[Job.indexKey] = "\(index)" }
        if let failures { pod.metadata.annotations[Job.indexFailures] = "\(failures)" }
        if phase == "Failed" {
            pod.status.containerStatuses = [
                ContainerStatus { status in
                    status.name = "main"
                    status.state.terminated = ContainerStateTerminated {
                        $0.exitCode = code
                        $0.finishedAt = epoch
                    }
                }
            ]
        }
        return pod
    }

    func plan(_ job: Job, _ pods: [Pod], at now: Timestamp = epoch + .seconds(1000)) -> JobPlan {
        JobPlan.plan(job, pods: pods, backoff: JobBackoff(), settled: true, now: now)
    }

    @Test func `no more pods start than parallelism and completions call for`() {
        #expect(
            plan(
                makeJob {
                    $0.spec.completions = 5; $0.spec.parallelism = 3
                },
                []
            ).start.count == 3
        )
        #expect(
            plan(
                makeJob {
                    $0.spec.completions = 5; $0.spec.parallelism = 3; $0.status.succeeded = 4
                },
                []
            ).start.count == 1
        )
        #expect(
            plan(
                makeJob {
                    $0.spec.completions = nil; $0.spec.parallelism = 2
                },
                [pod("a", "Succeeded")]
            ).start.isEmpty
        )
        #expect(plan(makeJob { $0.spec.suspend = true }, [pod("a", "Running")]).stop.count == 1)
    }

    @Test func `finished pods are named, released, then counted`() {
        let job = makeJob { $0.spec.completions = 2 }
        let first = plan(job, [pod("a", "Succeeded")])
        #expect(first.status.uncountedTerminatedPods?.succeeded == ["uid-a"])
        #expect(first.release.map(\.name) == ["a"])
        #expect(first.status.succeeded == 0)
        var next = job
        next.status = first.status
        let second = plan(next, [pod("a", "Succeeded", tracked: false)])
        #expect(second.status.succeeded == 1)
        #expect(second.status.uncountedTerminatedPods?.succeeded == [])
    }

    @Test func `a failure waits before the next try, twice as long each time`() {
        let failed = (0..<3).map { pod("p\($0)", "Failed") }
        let waiting = plan(makeJob(), failed, at: epoch + .seconds(5))
        #expect(waiting.start.isEmpty)
        #expect(waiting.requeueAfter == .seconds(35))
        #expect(plan(makeJob(), failed, at: epoch + .seconds(41)).start.count == 1)
    }

    @Test func `the failure policy ignores, counts and gives up`() {
        let policy: JSONValue = [
            "rules": [
                ["action": "Ignore", "onPodConditions": [["type": "DisruptionTarget", "status": "True"]]],
                ["action": "FailJob", "onExitCodes": ["operator": "In", "values": [42]]],
            ]
        ]
        let job = makeJob { $0.spec.podFailurePolicy = PodFailurePolicy(value: policy) }
        var disrupted = pod("a", "Failed")
        disrupted.status.conditions.append(
            PodCondition {
                $0.type = "DisruptionTarget"; $0.status = "True"
            }
        )
        #expect(plan(job, [disrupted]).status.uncountedTerminatedPods?.failed == [])
        let given = plan(job, [pod("b", "Failed", code: 42)]).status.conditions.first { $0.type == "FailureTarget" }
        #expect(given?.reason == "PodFailurePolicy")
        #expect(given?.message == "Container main for pod default/b failed with exit code 42 matching FailJob rule at index 1")
    }

    @Test func `an index that failed too often fails alone until too many did`() {
        let job = makeJob {
            $0.spec.completionMode = "Indexed"
            $0.spec.completions = 3
            $0.spec.parallelism = 3
            $0.spec.backoffLimitPerIndex = 1
            $0.spec.backoffLimit = Int(Int32.max)
        }
        let pods = [pod("a", "Failed", index: 0, failures: 1), pod("b", "Failed", index: 1, failures: 0), pod("c", "Running", index: 2)]
        let result = plan(job, pods)
        #expect(result.status.failedIndexes == "0")
        #expect(result.start == [JobPlan.Start(index: 1, failures: 1)])
        #expect(result.release.map(\.name) == ["a"], "the last failure of an index is kept until its successor runs")
    }

    @Test(arguments: [("1,3-5,7", 5), ("", 0), ("x,2", 1), ("0-9", 10), ("5-3", 0), ("8-20", 2)])
    func `index lists are read and written as upstream does`(_ row: (String, Int)) {
        let indices = CompletionIndices(row.0, limit: 10)
        #expect(indices.count == row.1)
        #expect(CompletionIndices(indices.description, limit: 10) == indices)
    }

    @Test func `two neighbours are listed apart, three as a range`() {
        #expect(CompletionIndices([3, 1, 2, 7, 5, 4]).description == "1-5,7")
        #expect(CompletionIndices([1, 2, 9]).description == "1,2,9")
        #expect(CompletionIndices([1, 2]).union([3]).contains(3))
    }
}
