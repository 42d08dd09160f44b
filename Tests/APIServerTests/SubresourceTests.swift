import HTTPTransport
import Testing
import Values

@testable import APIServer

/// The subresources that are no mere status.
@Suite struct SubresourceTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let deployments = "/apis/apps/v1/namespaces/default/deployments"
    private static let apply = "application/apply-patch+yaml"

    private static func pod(_ cluster: TestCluster) async throws {
        try await cluster.addServiceAccount()
        let made = try await cluster.post(
            pods,
            ["metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i"]]]]
        )
        #expect(made.status == 201, "\(made.text)")
    }

    @Test func `ephemeral containers come and stay`() async throws {
        try await withCluster { cluster in
            try await Self.pod(cluster)
            let strategic = "application/strategic-merge-patch+json"
            let path = Self.pods + "/p/ephemeralcontainers"
            let added = try await cluster.patch(
                path,
                ["spec": ["ephemeralContainers": [["name": "debug", "image": "busybox"]]], "metadata": ["labels": ["x": "y"]]],
                type: strategic
            )
            #expect(added.status == 200, "\(added.text)")
            #expect(added["spec", "ephemeralContainers", "0", "name"] == "debug")
            #expect(added["spec", "ephemeralContainers", "0", "terminationMessagePolicy"] == "File")
            #expect(added["metadata", "labels"] == nil, "nothing but the containers is written")
            #expect(added["metadata", "generation"] == 2)
            let removed = try await cluster.patch(
                path,
                ["spec": ["ephemeralContainers": [["$patch": "delete", "name": "debug"]]]],
                type: strategic
            )
            #expect(removed.status == 422)
            #expect(removed.message.contains("existing ephemeral containers \"debug\" may not be removed"))
            let bad = try await cluster.patch(
                path,
                ["spec": ["ephemeralContainers": [["name": "c", "image": "busybox"]]]],
                type: strategic
            )
            #expect(bad.status == 422, "a name that is taken: \(bad.text)")
        }
    }

    @Test func `a resize changes resources only`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            let resources: JSONValue = ["requests": ["cpu": "100m"], "limits": ["cpu": "200m"]]
            let made = try await cluster.post(
                Self.pods,
                ["metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i", "resources": resources]]]]
            )
            #expect(made.status == 201, "\(made.text)")
            let resized = try await cluster.patch(
                Self.pods + "/p/resize",
                ["spec": ["containers": [["name": "c", "image": "other", "resources": ["requests": ["cpu": "150m"]]]]]],
                type: "application/strategic-merge-patch+json"
            )
            #expect(resized.status == 200, "\(resized.text)")
            #expect(resized["spec", "containers", "0", "resources", "requests", "cpu"] == "150m")
            #expect(resized["spec", "containers", "0", "image"] == "i")
            #expect(resized["metadata", "generation"] == 2)
        }
    }

    @Test func `a resize neither renames nor moves containers`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            let containers: JSONValue = [["name": "a", "image": "i"], ["name": "b", "image": "i"]]
            let made = try await cluster.post(
                Self.pods,
                ["metadata": ["name": "p"], "spec": ["containers": containers, "initContainers": [["name": "first", "image": "i"]]]]
            )
            #expect(made.status == 201, "\(made.text)")
            func refusal(_ list: String, _ change: ([JSONValue]) -> [JSONValue]) async throws -> String {
                var pod = made.json
                pod.remove(at: ["metadata", "resourceVersion"])
                pod.set(.array(change(pod.value(at: ["spec", list])?.array ?? [])), at: ["spec", list])
                let answer = try await cluster.put(Self.pods + "/p/resize", pod)
                #expect(answer.status == 422, "\(answer.text)")
                return answer.message
            }
            func renamed(_ list: [JSONValue]) -> [JSONValue] {
                var list = list
                list[0]["name"] = "x"
                return list
            }
            let words = "Forbidden: containers may not be renamed or reordered on resize"
            #expect(try await refusal("containers", renamed) == "Pod \"p\" is invalid: spec.containers[0].name: \(words)")
            let moved = try await refusal("containers") { $0.reversed() }
            #expect(moved == "Pod \"p\" is invalid: [spec.containers[0].name: \(words), spec.containers[1].name: \(words)]")
            let gone = try await refusal("containers") { $0.dropLast() }
            #expect(gone == "Pod \"p\" is invalid: spec.containers: Forbidden: containers may not be added or removed on resize")
            let first = try await refusal("initContainers", renamed)
            let initial = "Forbidden: initContainers may not be renamed or reordered on resize"
            #expect(first == "Pod \"p\" is invalid: spec.initContainers[0].name: \(initial)")
            #expect(try await cluster.get(Self.pods + "/p")["metadata", "generation"] == 1)
        }
    }

    @Test func `a resize takes the amounts of the whole pod, and no other policy`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            let policy: JSONValue = [["resourceName": "cpu", "restartPolicy": "NotRequired"]]
            let container: JSONValue = ["name": "c", "image": "i", "resizePolicy": policy, "resources": ["requests": ["cpu": "100m"]]]
            let made = try await cluster.post(
                Self.pods,
                ["metadata": ["name": "p"], "spec": ["resources": ["requests": ["cpu": "1"]], "containers": [container]]]
            )
            #expect(made.status == 201, "\(made.text)")
            var pod = made.json
            pod.remove(at: ["metadata", "resourceVersion"])
            pod.set("2", at: ["spec", "resources", "requests", "cpu"])
            let resized = try await cluster.put(Self.pods + "/p/resize", pod)
            #expect(resized.status == 200, "\(resized.text)")
            #expect(resized["spec", "resources", "requests", "cpu"] == "2")
            pod.remove(at: ["spec", "resources"])
            let whole = try await cluster.put(Self.pods + "/p/resize", pod)
            #expect(whole.message == "Pod \"p\" is invalid: spec.resources: Forbidden: pod-level resources cannot be removed")
            pod = resized.json
            pod.remove(at: ["metadata", "resourceVersion"])
            var changed = container
            changed["resizePolicy"] = nil
            pod.set([changed], at: ["spec", "containers"])
            let policies = try await cluster.put(Self.pods + "/p/resize", pod)
            #expect(policies.message == "Pod \"p\" is invalid: spec: Forbidden: only cpu and memory resources are mutable")
        }
    }

    /// Ansible's `k8s_scale` patches the scale of a Deployment by the kind of what is scaled; recorded from upstream.
    @Test func `a strategic merge patch may call the object what it likes`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.deployments, UpdateTests.deployment)
            let path = Self.deployments + "/web/scale"
            for (replicas, name) in [("Deployment", "apps/v1"), ("Foo", ""), ("", "a/b/c"), ("Secret", "v1")].enumerated() {
                let wanted: JSONValue = .integer(Int64(replicas + 2))
                let patch: JSONValue = ["kind": .string(name.0), "apiVersion": .string(name.1), "spec": ["replicas": wanted]]
                let scaled = try await cluster.patch(path, patch, type: "application/strategic-merge-patch+json")
                #expect(scaled.status == 200 && scaled["spec", "replicas"] == wanted, "\(scaled.text)")
                #expect(scaled["kind"] == "Scale" && scaled["apiVersion"] == "autoscaling/v1")
                let merged = try await cluster.patch(path, ["kind": "Deployment"], type: "application/merge-patch+json")
                #expect(merged.status == 422, "a merge patch is read by its kind")
            }
        }
    }

    @Test func `a scale is read, replaced, patched and applied`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.deployments, UpdateTests.deployment)
            let path = Self.deployments + "/web/scale"
            let read = try await cluster.get(path)
            #expect(read["kind"] == "Scale" && read["apiVersion"] == "autoscaling/v1")
            #expect(read["spec", "replicas"] == 2 && read["status", "selector"] == "app=web")
            var scale = read.json
            scale.set(4, at: ["spec", "replicas"])
            #expect(try await cluster.put(path, scale)["spec", "replicas"] == 4)
            let stale = try await cluster.put(path, scale)
            #expect(stale.status == 409, "\(stale.text)")
            let negative = try await cluster.patch(path, ["spec": ["replicas": -1]])
            #expect(
                negative.message
                    == "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
            )
            let wanted: JSONValue = ["apiVersion": "autoscaling/v1", "kind": "Scale", "spec": ["replicas": 7]]
            let conflict = try await cluster.patch(path + "?fieldManager=hpa", wanted, type: Self.apply)
            #expect(conflict.status == 409, "\(conflict.text)")
            #expect(conflict.message.hasSuffix("with subresource \"scale\" using autoscaling/v1: .spec.replicas"))
            let applied = try await cluster.patch(path + "?fieldManager=hpa&force=true", wanted, type: Self.apply)
            #expect(applied["spec", "replicas"] == 7, "\(applied.text)")
            let entries = try await cluster.get(Self.deployments + "/web")["metadata", "managedFields"]?.array ?? []
            let own = entries.first { $0["manager"] == "hpa" }
            #expect(own?["operation"] == "Apply" && own?["subresource"] == "scale" && own?["apiVersion"] == "apps/v1")
            #expect(own?["fieldsV1"] == ["f:spec": ["f:replicas": [:]]])
        }
    }

    @Test func `a status is applied beside the object`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.deployments, UpdateTests.deployment)
            let object: JSONValue = [
                "apiVersion": "apps/v1", "kind": "Deployment", "status": ["replicas": 3], "spec": ["replicas": 9],
            ]
            let applied = try await cluster.patch(
                Self.deployments + "/web/status?fieldManager=ctl&force=true",
                object,
                type: Self.apply
            )
            #expect(applied.status == 200, "\(applied.text)")
            #expect(applied["status", "replicas"] == 3 && applied["spec", "replicas"] == 2)
            let entry = applied["metadata", "managedFields"]?.array?.first { $0["manager"] == "ctl" }
            #expect(entry?["fieldsV1"] == ["f:status": ["f:replicas": [:]]])
        }
    }

    @Test func `approval decides and does nothing else`() async throws {
        try await withCluster { cluster in
            let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
            let pem = Self.request()
            let made = try await cluster.post(
                path,
                [
                    "metadata": ["name": "r"],
                    "spec": ["request": .string(pem), "signerName": "example.com/x", "usages": ["client auth"]],
                ]
            )
            guard made.status == 201 else {
                Issue.record("\(made.text)")
                return
            }
            var object = made.json
            object.set([["type": "Approved", "status": "True", "reason": "ok"]], at: ["status", "conditions"])
            object.set("Zm9v", at: ["status", "certificate"])
            let approved = try await cluster.put(path + "/r/approval", object)
            #expect(approved.status == 200, "\(approved.text)")
            #expect(approved["status", "conditions", "0", "type"] == "Approved")
            #expect(approved["status", "conditions", "0", "lastUpdateTime"]?.string != nil, "the hooks complete it")
            #expect(approved["status", "certificate"] == nil)
            let both = try await cluster.patch(
                path + "/r/approval",
                ["status": ["conditions": [["type": "Approved", "status": "False"]]]]
            )
            #expect(both.status == 422, "\(both.text)")
        }
    }

    /// A certificate request as openssl made it, for the subject `CN=x`.
    private static func request() -> String {
        Base64.encode(
            Array(
                [
                    "-----BEGIN CERTIFICATE REQUEST-----",
                    "MIHGMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA",
                    "BIKbm8Nz9w5RuxdHn8AaDUm408mACPrbEJVuwHhUgaGdRh2R2FVGWNLc6BBhP7Ed",
                    "rRXKVtxAeqk3kmPhX9RZy16gADAKBggqhkjOPQQDAgNIADBFAiBpp6l9lLth+0a9",
                    "/iYjBum+1EFxASPa3moGfUTDu/p7mgIhAL2xr2Q9y1no81NZvCxVIMCuwEsbjWC+",
                    "x42LI/KJcKfb",
                    "-----END CERTIFICATE REQUEST-----",
                    "",
                ].joined(separator: "\n").utf8
            )
        )
    }
}
