import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct EvictionTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

    private static func pod(_ cluster: TestCluster, _ name: String, phase: String = "Running", isReady: Bool = true) async throws {
        let body: JSONValue = [
            "metadata": ["name": .string(name), "labels": ["app": "web"]],
            "spec": ["containers": [["name": "c", "image": "i"]], "nodeName": "n"],
        ]
        _ = try await cluster.post(pods, body)
        let status: JSONValue = [
            "status": [
                "phase": .string(phase), "conditions": [["type": "Ready", "status": .string(isReady ? "True" : "False")]],
            ]
        ]
        #expect(try await cluster.patch("\(pods)/\(name)/status", status).status == 200)
    }

    private static func budget(_ cluster: TestCluster, _ name: String = "pdb", allowed: Int64, policy: String? = nil) async throws {
        var spec: JSONValue = ["minAvailable": 1, "selector": ["matchLabels": ["app": "web"]]]
        if let policy { spec["unhealthyPodEvictionPolicy"] = .string(policy) }
        _ = try await cluster.post(budgets, ["metadata": ["name": .string(name)], "spec": spec])
        let status: JSONValue = [
            "disruptionsAllowed": .integer(allowed), "currentHealthy": .integer(allowed + 1), "desiredHealthy": 1, "expectedPods": 2,
            "observedGeneration": 1,
        ]
        #expect(try await cluster.patch("\(budgets)/\(name)/status", ["status": status]).status == 200)
    }

    private static func evict(_ cluster: TestCluster, _ name: String, _ more: JSONValue = [:]) async throws -> TestCluster.Answer {
        var body: JSONValue = ["apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(name)]]
        if more != [:] { body["deleteOptions"] = more }
        return try await cluster.post("\(pods)/\(name)/eviction", body)
    }

    @Test func `a budget is spent and then refuses`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            for name in ["a", "b"] { try await Self.pod(cluster, name) }
            try await Self.budget(cluster, allowed: 1)
            let dry = try await Self.evict(cluster, "a", ["dryRun": ["All"]])
            #expect(dry.status == 201, "\(dry.text)")
            let first = try await Self.evict(cluster, "a")
            #expect(first.status == 201, "\(first.text)")
            #expect(first["status"] == "Success" && first["code"] == 201)
            let budget = try await cluster.get(Self.budgets + "/pdb")
            #expect(budget["status", "disruptionsAllowed"] == 0)
            #expect(budget["status", "disruptedPods", "a"]?.string != nil)
            let going = try await cluster.get(Self.pods + "/a")
            #expect(going["metadata", "deletionTimestamp"]?.string != nil)
            let target = going["status", "conditions"]?.array?.first { $0["type"] == "DisruptionTarget" }
            #expect(target?["reason"] == "EvictionByEvictionAPI" && target?["message"] == "Eviction API: evicting")
            let second = try await Self.evict(cluster, "b")
            #expect(second.status == 429 && second.reason == "TooManyRequests")
            #expect(second.message == "Cannot evict pod as it would violate the pod's disruption budget.")
            #expect(
                second["details", "causes"]
                    == [
                        [
                            "reason": "DisruptionBudget",
                            "message": "The disruption budget pdb does not allow evicting pods currently (InsufficientPods): ",
                        ]
                    ]
                    || second["details", "causes", "0", "message"] == "The disruption budget pdb does not allow evicting pods currently",
                "\(second.text)"
            )
            #expect(second.headers["retry-after"] == nil)
        }
    }

    @Test func `pods that do not count go without a budget`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            try await Self.pod(cluster, "done", phase: "Succeeded")
            try await Self.pod(cluster, "sick", isReady: false)
            try await Self.budget(cluster, allowed: 0, policy: "AlwaysAllow")
            #expect(try await Self.evict(cluster, "done").status == 201)
            #expect(try await Self.evict(cluster, "sick").status == 201)
            #expect(try await cluster.get(Self.budgets + "/pdb")["status", "disruptedPods"] == nil)
        }
    }

    @Test func `names, preconditions and two budgets`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            try await Self.pod(cluster, "a")
            let wrong = try await cluster.post(
                Self.pods + "/a/eviction",
                ["apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": "b"]]
            )
            #expect(wrong.status == 400 && wrong.message == "name in URL does not match name in Eviction object")
            let stale = try await Self.evict(cluster, "a", ["preconditions": ["resourceVersion": "1"]])
            #expect(stale.status == 409, "\(stale.text)")
            for name in ["one", "two"] { try await Self.budget(cluster, name, allowed: 1) }
            let both = try await Self.evict(cluster, "a")
            #expect(both.status == 201, "a Status made by the handler is answered as what was created")
            #expect(both["status"] == "Failure" && both["code"] == 500 && both.reason.isEmpty)
            #expect(try await cluster.get(Self.pods + "/a")["metadata", "deletionTimestamp"] == nil)
            #expect(both.message == "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
    }
}
