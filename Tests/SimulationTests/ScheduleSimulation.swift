import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct ScheduleSimulation {
    @Test func `a cron job starts one job a minute and keeps as many as wanted`() async throws {
        try await SimulatedCluster.run { cluster in
            var cron = CronJob(name: "tick", namespace: "default")
            cron.spec.schedule = "*/1 * * * *"
            cron.spec.successfulJobsHistoryLimit = 2
            cron.spec.jobTemplate.spec.template = PodTemplateSpec {
                $0.spec.restartPolicy = "Never"
                $0.spec.containers = [
                    Container {
                        $0.name = "main"
                        $0.image = "ends:0"
                    }
                ]
            }
            let created = try await cluster.client.create(cron)
            var seen: Set<String> = []
            try await cluster.passTime(.seconds(330), step: .seconds(1)) {
                let jobs = try await cluster.client.list(Job.self, namespace: "default").items
                seen.formUnion(jobs.map(\.name))
                #expect(jobs.count <= 4)
            }
            #expect((5...6).contains(seen.count), "one a minute, never two")
            try await cluster.wait("history kept short") {
                let jobs = try await cluster.client.list(Job.self, namespace: "default").items
                return jobs.count { $0.isFinished } == 2
            }
            let after = try await cluster.client.get(CronJob.self, namespace: "default", name: "tick")
            #expect(after.status.lastSuccessfulTime != nil)
            #expect(after.uid == created.uid)
        }
    }

    @Test func `a budget knows how many pods may go`() async throws {
        try await SimulatedCluster.run { cluster in
            var budget = PodDisruptionBudget(name: "web", namespace: "default")
            budget.spec.minAvailable = .int(2)
            budget.spec.selector = MetaLabelSelector(fields: ["matchLabels": ["app": "web"]])
            try await cluster.client.create(budget)
            try await cluster.client.create(webDeployment(3))
            func allowed() async throws -> Int {
                try await cluster.client.get(PodDisruptionBudget.self, namespace: "default", name: "web").status.disruptionsAllowed
            }
            try await cluster.wait("one may go") { try await allowed() == 1 }
            let pod = try #require(try await cluster.pods("app=web").first)
            try await cluster.client.delete(Pod.self, namespace: "default", name: pod.name)
            try await cluster.wait("none while one is missing", step: .milliseconds(10)) { try await allowed() == 0 }
            try await cluster.wait("one again") { try await allowed() == 1 }
        }
    }
}
