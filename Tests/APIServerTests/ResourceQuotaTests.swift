import Testing
import Values

@testable import APIServer

@Suite struct ResourceQuotaTests {
    private static let quotas = "/api/v1/namespaces/default/resourcequotas"
    private static let pods = "/api/v1/namespaces/default/pods"

    private static func pod(_ name: String, _ resources: JSONValue = [:]) -> JSONValue {
        ["metadata": ["name": .string(name)], "spec": ["containers": [["name": "c", "image": "i", "resources": resources]]]]
    }

    /// A cluster with a quota in force, of which nothing is used; the controller's part is played here.
    private static func with(
        _ hard: JSONValue,
        spec: JSONValue = [:],
        _ body: @Sendable @escaping (TestCluster) async throws -> Void
    ) async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            var wanted = spec
            wanted["hard"] = hard
            let made = try await cluster.post(quotas, ["metadata": ["name": "q"], "spec": wanted])
            #expect(made.status == 201, "\(made.text)")
            var used: JSONValue = [:]
            for name in hard.object?.keys ?? [] { used[name] = "0" }
            var quota = made.json
            quota["status"] = ["hard": hard, "used": used]
            let status = try await cluster.put("\(quotas)/q/status", quota)
            #expect(status.status == 200, "\(status.text)")
            try await body(cluster)
        }
    }

    private static func used(_ cluster: TestCluster) async throws -> JSONValue? {
        try await cluster.get("\(quotas)/q")["status", "used"]
    }

    @Test func `writes are charged, and refused when the quota is used up`() async throws {
        try await Self.with(["pods": "2", "requests.cpu": "1"]) { cluster in
            let resources: JSONValue = ["requests": ["cpu": "300m"]]
            for name in ["a", "b"] {
                let made = try await cluster.post(Self.pods, Self.pod(name, resources))
                #expect(made.status == 201, "\(made.text)")
            }
            #expect(try await Self.used(cluster) == ["pods": "2", "requests.cpu": "600m"])
            let refused = try await cluster.post(Self.pods, Self.pod("c", resources))
            #expect(refused.status == 403)
            #expect(refused.reason == "Forbidden")
            #expect(
                refused.message
                    == "pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
            )
            #expect(refused["details"] == ["kind": "pods", "name": "c"])
            #expect(try await cluster.get("\(Self.pods)/c").status == 404)
        }
    }

    @Test func `the charge is noted under the server's name`() async throws {
        try await Self.with(["configmaps": "2"]) { cluster in
            _ = try await cluster.post("/api/v1/namespaces/default/configmaps", ["metadata": ["name": "m"]])
            let records = try await cluster.get("\(Self.quotas)/q")["metadata", "managedFields"]?.array ?? []
            let own = records.first { $0["manager"] == "kube-apiserver" }
            #expect(own?["subresource"] == "status")
            #expect(own?["fieldsV1"] == ["f:status": ["f:used": ["f:configmaps": [:]]]])
        }
    }

    @Test func `a dry run is held to the quota and not charged`() async throws {
        try await Self.with(["pods": "1"]) { cluster in
            let tried = try await cluster.post("\(Self.pods)?dryRun=All", Self.pod("a"))
            #expect(tried.status == 201, "\(tried.text)")
            #expect(try await Self.used(cluster) == ["pods": "0"])
            _ = try await cluster.post(Self.pods, Self.pod("a"))
            let refused = try await cluster.post("\(Self.pods)?dryRun=All", Self.pod("b"))
            #expect(refused.status == 403)
        }
    }

    @Test func `many writes at a time never take more than there is`() async throws {
        try await Self.with(["secrets": "7"]) { cluster in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<30 {
                    group.addTask {
                        try await cluster.post("/api/v1/namespaces/default/secrets", ["metadata": ["name": "s\(index)"]]).status
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 7, 403: 23])
            #expect(try await Self.used(cluster) == ["secrets": "7"])
        }
    }

    @Test func `an update that takes more is charged for the difference`() async throws {
        try await Self.with(["services.nodeports": "2", "services": "5"]) { cluster in
            let path = "/api/v1/namespaces/default/services"
            let made = try await cluster.post(path, ["metadata": ["name": "s"], "spec": ["ports": [["name": "a", "port": 1]]]])
            #expect(made.status == 201, "\(made.text)")
            #expect(try await Self.used(cluster) == ["services": "1", "services.nodeports": "0"])
            let grown = try await cluster.patch("\(path)/s", ["spec": ["type": "NodePort"]])
            #expect(grown.status == 200, "\(grown.text)")
            #expect(try await Self.used(cluster) == ["services": "1", "services.nodeports": "1"])
            let ports: JSONValue = [["name": "a", "port": 1], ["name": "b", "port": 2], ["name": "c", "port": 3]]
            let refused = try await cluster.patch("\(path)/s", ["spec": ["ports": ports]])
            #expect(
                refused.message
                    == "services \"s\" is forbidden: exceeded quota: q, requested: services.nodeports=2, "
                    + "used: services.nodeports=1, limited: services.nodeports=2"
            )
        }
    }

    @Test func `objects of old versions count for the kind they are stored as`() async throws {
        try await Self.with(["count/deployments.apps": "1"]) { cluster in
            func deployment(_ name: String) -> JSONValue {
                [
                    "metadata": ["name": .string(name)],
                    "spec": [
                        "selector": ["matchLabels": ["a": "b"]],
                        "template": ["metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]]],
                    ],
                ]
            }
            let old = try await cluster.post("/apis/extensions/v1beta1/namespaces/default/deployments", deployment("a"))
            #expect(old.status == 201, "\(old.text)")
            let refused = try await cluster.post("/apis/apps/v1/namespaces/default/deployments", deployment("b"))
            #expect(
                refused.message
                    == "deployments.apps \"b\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, "
                    + "used: count/deployments.apps=1, limited: count/deployments.apps=1"
            )
        }
    }

    @Test func `a quota that is not in force yet refuses nothing, and one without numbers everything it limits`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            let made = try await cluster.post(Self.quotas, ["metadata": ["name": "q"], "spec": ["hard": ["pods": "0"]]])
            #expect(try await cluster.post(Self.pods, Self.pod("a")).status == 201)
            var quota = made.json
            quota["status"] = ["hard": ["pods": "5"]]
            _ = try await cluster.put("\(Self.quotas)/q/status", quota)
            let refused = try await cluster.post(Self.pods, Self.pod("b"))
            #expect(refused.message == "pods \"b\" is forbidden: status unknown for quota: q, resources: pods")
        }
    }

    @Test func `a pod that gets a deadline comes under the quota of such pods`() async throws {
        try await Self.with(["pods": "1"], spec: ["scopes": ["Terminating"]]) { cluster in
            for name in ["a", "b"] { #expect(try await cluster.post(Self.pods, Self.pod(name)).status == 201) }
            #expect(try await Self.used(cluster) == ["pods": "0"])
            #expect(try await cluster.patch("\(Self.pods)/a", ["spec": ["activeDeadlineSeconds": 60]]).status == 200)
            #expect(try await Self.used(cluster) == ["pods": "1"])
            let refused = try await cluster.patch("\(Self.pods)/b", ["spec": ["activeDeadlineSeconds": 60]])
            #expect(
                refused.message == "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"
            )
        }
    }
}
