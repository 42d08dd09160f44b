import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct UpdateTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let deployments = "/apis/apps/v1/namespaces/default/deployments"

    static let deployment: JSONValue = [
        "metadata": ["name": "web"],
        "spec": [
            "replicas": 2, "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": ["containers": [["name": "c", "image": "web:1", "ports": [["containerPort": 8080]]]]],
            ],
        ],
    ]

    @Test func `a stale resourceVersion is a conflict`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.deployments, Self.deployment)
            #expect(first.status == 201, "\(first.text)")
            var object = first.json
            object.set(3, at: ["spec", "replicas"])
            let second = try await cluster.put(Self.deployments + "/web", object)
            #expect(second.status == 200)
            #expect(second["metadata", "resourceVersion"] != first["metadata", "resourceVersion"])
            let third = try await cluster.put(Self.deployments + "/web", object)
            #expect(third.status == 409)
            #expect(
                third.message
                    == "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again"
            )
            #expect(third["details"] == ["name": "web", "group": "apps", "kind": "deployments"])
        }
    }

    @Test func `an update that changes nothing writes nothing`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.maps, ["metadata": ["name": "a"], "data": ["k": "v"]])
            let second = try await cluster.put(Self.maps + "/a", first.json)
            #expect(second["metadata", "resourceVersion"] == first["metadata", "resourceVersion"])
        }
    }

    @Test func `identity cannot be changed`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            var renamed = first.json
            renamed.set("b", at: ["metadata", "name"])
            let name = try await cluster.put(Self.maps + "/a", renamed)
            #expect(name.status == 400)
            #expect(name.message == "the name of the object (b) does not match the name on the URL (a)")
            var other = first.json
            other.set("11111111-1111-4111-8111-111111111111", at: ["metadata", "uid"])
            let uid = try await cluster.put(Self.maps + "/a", other)
            #expect(uid.status == 409)
            #expect(uid.message.contains("Precondition failed: UID in precondition"))
            let patched = try await cluster.patch(Self.maps + "/a", ["metadata": ["name": "z"]])
            #expect(patched.status == 422 || patched.status == 400)
        }
    }

    @Test func `a PUT of what does not exist is refused, for leases it creates`() async throws {
        try await withCluster { cluster in
            #expect(try await cluster.put(Self.maps + "/a", ["metadata": ["name": "a"]]).status == 404)
            let lease = try await cluster.put(
                "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1",
                ["metadata": ["name": "n1"], "spec": ["holderIdentity": "n1", "leaseDurationSeconds": 40]]
            )
            #expect(lease.status == 201)
        }
    }

    @Test func `the three patches`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.deployments, Self.deployment)
            let merge = try await cluster.patch(Self.deployments + "/web", ["spec": ["replicas": 4]])
            #expect(merge.status == 200)
            #expect(merge["spec", "replicas"] == 4)
            let json = try await cluster.patch(
                Self.deployments + "/web",
                [["op": "replace", "path": "/spec/replicas", "value": 5]],
                type: "application/json-patch+json"
            )
            #expect(json["spec", "replicas"] == 5)
            let strategic = try await cluster.patch(
                Self.deployments + "/web",
                ["spec": ["template": ["spec": ["containers": [["name": "c", "image": "web:2"], ["name": "d", "image": "x"]]]]]],
                type: "application/strategic-merge-patch+json"
            )
            #expect(strategic.status == 200, "\(strategic.text)")
            let containers = strategic["spec", "template", "spec", "containers"]?.array ?? []
            #expect(containers.count == 2)
            #expect(containers.first { $0["name"] == "c" }?["ports"] != nil)
            let failed = try await cluster.patch(
                Self.deployments + "/web",
                [["op": "test", "path": "/spec/replicas", "value": 9]],
                type: "application/json-patch+json"
            )
            #expect(failed.status == 422)
            let unknown = try await cluster.patch(Self.deployments + "/web", [:], type: "text/plain")
            #expect(unknown.status == 415)
            let missing = try await cluster.patch(Self.deployments + "/none", ["spec": ["replicas": 1]])
            #expect(missing.status == 404)
        }
    }

    @Test func `racing patches all land`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<100 {
                    group.addTask { try await cluster.patch(Self.maps + "/a", ["data": ["k\(index)": "v"]]).status }
                }
                for try await status in group { #expect(status == 200) }
            }
            let read = try await cluster.get(Self.maps + "/a")
            #expect(read["data"]?.object?.count == 100)
        }
    }

    @Test func `the status subresource changes the status and nothing else does`() async throws {
        try await withCluster { cluster in
            var object = try await cluster.post(Self.deployments, Self.deployment).json
            object.set(7, at: ["status", "replicas"])
            object.set(9, at: ["spec", "replicas"])
            let status = try await cluster.put(Self.deployments + "/web/status", object)
            #expect(status.status == 200, "\(status.text)")
            #expect(status["status", "replicas"] == 7)
            #expect(status["spec", "replicas"] == 2)
            object = status.json
            object.set(1, at: ["status", "replicas"])
            let plain = try await cluster.put(Self.deployments + "/web", object)
            #expect(plain["status", "replicas"] == 7)
        }
    }

    @Test func `scale reads and writes replicas`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.deployments, Self.deployment)
            let scale = try await cluster.get(Self.deployments + "/web/scale")
            #expect(scale["kind"] == "Scale")
            #expect(scale["spec", "replicas"] == 2)
            #expect(scale["status", "selector"] == "app=web")
            let put = try await cluster.put(
                Self.deployments + "/web/scale",
                ["metadata": ["name": "web", "namespace": "default"], "spec": ["replicas": 5]]
            )
            #expect(put.status == 200, "\(put.text)")
            #expect(try await cluster.get(Self.deployments + "/web")["spec", "replicas"] == 5)
            let patch = try await cluster.patch(Self.deployments + "/web/scale", ["spec": ["replicas": 1]])
            #expect(patch["spec", "replicas"] == 1)
        }
    }
}
