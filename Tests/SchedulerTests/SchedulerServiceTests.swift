import APIClient
import APIModel
import APITypes
import ControllerRuntime
import HTTPTransport
import Testing
import Values

@testable import Scheduler

/// The running scheduler: what it writes to the API.
@Suite struct SchedulerServiceTests {
    private func withScheduler(_ body: (TinyCluster, SchedulerService) async throws -> Void) async throws {
        let cluster = TinyCluster()
        let client = APIClient(transport: InProcessTransport(handler: cluster, user: InProcessUser(name: "system:kube-scheduler")))
        let informers = SharedInformers(source: cluster)
        let service = SchedulerService(client: client, informers: informers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await informers.run() }
            group.addTask { await service.run() }
            try await body(cluster, service)
            group.cancelAll()
        }
    }

    private func nodeObject(_ name: String, cpu: String = "4") -> JSONValue {
        .object([
            "apiVersion": "v1", "kind": "Node", "metadata": .object(["name": .string(name), "uid": .string(name)]),
            "status": .object(["allocatable": .object(["cpu": .string(cpu), "memory": "8Gi", "pods": "110"])]),
        ])
    }

    @Test func `a pod is bound and told so`() async throws {
        try await withScheduler { cluster, service in
            cluster.set("nodes", nodeObject("a"))
            cluster.set("pods", rawPod("p", cpu: "1").json)
            #expect(await cluster.wait { $0.boundNode("p") == "a" && !$0.events.isEmpty })
            #expect(cluster.events.map(\.reason) == ["Scheduled"])
            #expect(cluster.events.map(\.message) == ["Successfully assigned default/p to a"])
            #expect(
                service.metricsText().contains("scheduler_schedule_attempts_total{profile=\"default-scheduler\",result=\"scheduled\"} 1\n")
            )
        }
    }

    @Test func `a pod that fits nowhere gets its condition and event, and is bound when a node comes`() async throws {
        try await withScheduler { cluster, _ in
            cluster.set("nodes", nodeObject("small", cpu: "1"))
            cluster.set("pods", rawPod("p", cpu: "2").json)
            let message =
                "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
                + "1 Preemption is not helpful for scheduling."
            #expect(await cluster.wait { $0.get("pods", "default/p")?.value(at: ["status", "conditions"]) != nil && !$0.events.isEmpty })
            let condition = cluster.get("pods", "default/p")?.value(at: ["status", "conditions"])?[0]
            #expect(condition?["type"]?.string == "PodScheduled")
            #expect(condition?["status"]?.string == "False")
            #expect(condition?["reason"]?.string == "Unschedulable")
            #expect(condition?["message"]?.string == message)
            #expect(cluster.events.first?.reason == "FailedScheduling")
            #expect(cluster.events.first?.message == message)
            cluster.set("nodes", nodeObject("large", cpu: "8"))
            #expect(await cluster.wait { $0.boundNode("p") == "large" })
        }
    }

    @Test func `a binding the server refuses is tried again`() async throws {
        try await withScheduler { cluster, _ in
            cluster.refuseBindings(1)
            cluster.set("nodes", nodeObject("a"))
            cluster.set("pods", rawPod("p", cpu: "1").json)
            #expect(await cluster.wait { $0.boundNode("p") == "a" })
            let condition = cluster.get("pods", "default/p")?.value(at: ["status", "conditions"])?[0]
            #expect(condition?["reason"]?.string == "SchedulerError")
        }
    }

    @Test func `a pod of higher priority takes the room of one of lower`() async throws {
        try await withScheduler { cluster, _ in
            cluster.set("nodes", nodeObject("a"))
            cluster.set("pods", rawPod("low", cpu: "3", on: "a").json)
            cluster.set("pods", rawPod("high", cpu: "3", priority: 100).json)
            #expect(await cluster.wait { $0.boundNode("high") == "a" && $0.get("pods", "default/low") == nil })
            #expect(await cluster.wait { $0.events.contains { $0.reason == "Preempted" } })
        }
    }

    @Test func `many pods spread over nodes without overcommitting any`() async throws {
        try await withScheduler { cluster, service in
            for index in 0..<20 { cluster.set("nodes", nodeObject("n\(index)", cpu: "4")) }
            for index in 0..<80 { cluster.set("pods", rawPod("p\(index)", cpu: "1").json) }
            #expect(await cluster.wait { cluster in (0..<80).allSatisfy { cluster.boundNode("p\($0)") != nil } })
            var used: [String: Int] = [:]
            for index in 0..<80 { used[cluster.boundNode("p\(index)") ?? "", default: 0] += 1 }
            #expect(used.count == 20 && used.values.allSatisfy { $0 == 4 })
            #expect(service.metricsText().contains("scheduler_pending_pods{queue=\"active\"} 0"))
        }
    }
}
