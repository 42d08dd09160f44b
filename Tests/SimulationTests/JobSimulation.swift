import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct JobSimulation {
    func makeJob(_ name: String, image: String, _ change: (inout Job) -> Void = { _ in }) -> Job {
        var job = Job(name: name, namespace: "default")
        job.spec.template = PodTemplateSpec {
            $0.spec.restartPolicy = "Never"
            $0.spec.containers = [
                Container {
                    $0.name = "main"
                    $0.image = image
                }
            ]
        }
        change(&job)
        return job
    }

    func job(_ cluster: SimulatedCluster, _ name: String) async throws -> Job {
        try await cluster.client.get(Job.self, namespace: "default", name: name)
    }

    @Test func `a job runs to completion and each pod counts once`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(
                makeJob("sum", image: "ends:0") {
                    $0.spec.completions = 5
                    $0.spec.parallelism = 2
                }
            )
            try await cluster.wait("complete") {
                let job = try await job(cluster, "sum")
                #expect(job.status.active <= 2)
                return job.trueCondition("Complete") != nil
            }
            let done = try await job(cluster, "sum")
            #expect(done.status.succeeded == 5)
            #expect(done.status.failed == 0)
            #expect(done.status.completionTime != nil)
            #expect(done.trueCondition("SuccessCriteriaMet")?.reason == "CompletionsReached")
            let pods = try await cluster.pods("job-name=sum")
            #expect(pods.count == 5)
            #expect(pods.allSatisfy { !$0.isTracked })
        }
    }

    @Test func `a failing job backs off and gives up at its limit`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(makeJob("bad", image: "ends:3") { $0.spec.backoffLimit = 2 })
            try await cluster.wait("failed", within: .seconds(200)) { try await job(cluster, "bad").trueCondition("Failed") != nil }
            let done = try await job(cluster, "bad")
            #expect(done.status.failed == 3)
            #expect(done.trueCondition("Failed")?.reason == "BackoffLimitExceeded")
            #expect(done.trueCondition("Failed")?.message == "Job has reached the specified backoff limit")
        }
    }

    @Test func `indexed pods are told their index, and a suspended job waits`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(
                makeJob("each", image: "ends:0") {
                    $0.spec.completionMode = "Indexed"
                    $0.spec.completions = 4
                    $0.spec.parallelism = 4
                    $0.spec.suspend = true
                }
            )
            try await cluster.wait("suspended") { try await job(cluster, "each").trueCondition("Suspended") != nil }
            #expect(try await cluster.pods("job-name=each").isEmpty)
            let resume: JSONValue = ["spec": ["suspend": false]]
            let _: Job = try await cluster.client.patch(namespace: "default", name: "each", type: .merge, resume)
            try await cluster.wait("complete") { try await job(cluster, "each").trueCondition("Complete") != nil }
            #expect(try await job(cluster, "each").status.completedIndexes == "0-3")
            let pods = try await cluster.pods("job-name=each")
            #expect(Set(pods.compactMap(\.completionIndex)) == [0, 1, 2, 3])
            #expect(pods.allSatisfy { $0.spec.hostname == "each-\($0.completionIndex ?? -1)" })
        }
    }

    @Test func `a finished job is removed after its time with its pods`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(makeJob("brief", image: "ends:0") { $0.spec.ttlSecondsAfterFinished = 20 })
            try await cluster.wait("complete") { try await job(cluster, "brief").trueCondition("Complete") != nil }
            try await cluster.wait("removed") {
                let left = try await cluster.exists(Job.self, "brief")
                let pods = try await cluster.pods("job-name=brief")
                return !left && pods.isEmpty
            }
        }
    }
}
