import Testing
import Values

@testable import APIServer

@Suite struct LimitRangerPodTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private static func pod(_ resources: JSONValue? = nil) -> JSONValue {
        var container: JSONValue = ["name": "c", "image": "i"]
        if let resources { container["resources"] = resources }
        return ["metadata": ["name": "p"], "spec": ["containers": [container]]]
    }

    private static func with(_ limits: JSONValue, _ body: @Sendable @escaping (TestCluster) async throws -> Void) async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            let range = try await cluster.post(
                "/api/v1/namespaces/default/limitranges",
                ["metadata": ["name": "l"], "spec": ["limits": [limits]]]
            )
            #expect(range.status == 201, "\(range.text)")
            try await body(cluster)
        }
    }

    @Test func `containers get what they leave open`() async throws {
        let limits: JSONValue = ["type": "Container", "default": ["cpu": "500m"], "defaultRequest": ["cpu": "100m", "memory": "64Mi"]]
        try await Self.with(limits) { cluster in
            let made = try await cluster.post(Self.pods, Self.pod())
            #expect(made.status == 201, "\(made.text)")
            let resources = made["spec", "containers", "0", "resources"]
            #expect(resources == ["limits": ["cpu": "500m"], "requests": ["cpu": "100m", "memory": "64Mi"]])
            #expect(
                made["metadata", "annotations", "kubernetes.io/limit-ranger"]
                    == "LimitRanger plugin set: cpu, memory request for container c; cpu limit for container c"
            )
        }
    }

    @Test func `what is outside of the range is refused`() async throws {
        let limits: JSONValue = [
            "type": "Container", "min": ["cpu": "100m"], "max": ["cpu": "1"], "maxLimitRequestRatio": ["cpu": "2"],
            "default": ["cpu": "1"], "defaultRequest": ["cpu": "500m"],
        ]
        try await Self.with(limits) { cluster in
            func message(_ request: String, _ limit: String) async throws -> String {
                try await cluster.post(Self.pods, Self.pod(["requests": ["cpu": .string(request)], "limits": ["cpu": .string(limit)]]))
                    .message
            }
            let little = try await message("50m", "100m")
            #expect(
                little
                    == "pods \"p\" is forbidden: minimum cpu usage per Container is 100m, but request is 50m"
            )
            let much = try await message("500m", "2")
            #expect(
                much
                    == "pods \"p\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, "
                    + "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000]"
            )
            let right = try await message("500m", "1")
            #expect(right == "")
        }
    }

    @Test func `a pod is summed up`() async throws {
        try await Self.with(["type": "Pod", "max": ["memory": "100Mi"]]) { cluster in
            let one: JSONValue = ["limits": ["memory": "60Mi"], "requests": ["memory": "60Mi"]]
            var pod = Self.pod(one)
            #expect(try await cluster.post(Self.pods, pod).status == 201)
            pod.set("q", at: ["metadata", "name"])
            let container = pod.value(at: ["spec", "containers", "0"]) ?? [:]
            var second = container
            second["name"] = "d"
            pod.set([container, second], at: ["spec", "containers"])
            let refused = try await cluster.post(Self.pods, pod)
            #expect(refused.status == 403)
            #expect(refused.message == "pods \"q\" is forbidden: maximum memory usage per Pod is 100Mi, but limit is 120Mi")
        }
    }
}
