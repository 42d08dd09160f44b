import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct CreateTests {
    @Test func `a created object gets its system fields and can be read back`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(
                "/api/v1/namespaces/default/configmaps",
                ["metadata": ["name": "a"], "data": ["k": "v"]]
            )
            #expect(made.status == 201)
            #expect(made["kind"] == "ConfigMap")
            #expect(made["apiVersion"] == "v1")
            #expect(made["metadata", "namespace"] == "default")
            #expect(made["metadata", "uid"]?.string?.count == 36)
            #expect(made["metadata", "creationTimestamp"]?.string?.hasSuffix("Z") == true)
            #expect(made["metadata", "resourceVersion"]?.string != nil)
            let read = try await cluster.get("/api/v1/namespaces/default/configmaps/a")
            #expect(read.status == 200)
            #expect(read.json == made.json)
        }
    }

    @Test func `a second object of the same name is refused in upstream's words`() async throws {
        try await withCluster { cluster in
            let body: JSONValue = ["metadata": ["name": "a"]]
            _ = try await cluster.post("/api/v1/namespaces/default/configmaps", body)
            let again = try await cluster.post("/api/v1/namespaces/default/configmaps", body)
            #expect(again.status == 409)
            #expect(again.reason == "AlreadyExists")
            #expect(again.message == "configmaps \"a\" already exists")
            #expect(again["details"] == ["name": "a", "kind": "configmaps"])
        }
    }

    @Test func `generateName draws a name`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(
                "/api/v1/namespaces/default/configmaps",
                ["metadata": ["generateName": "web-"]]
            )
            #expect(made.status == 201)
            let name = made["metadata", "name"]?.string ?? ""
            #expect(name.hasPrefix("web-"))
            #expect(name.count == 9)
        }
    }

    @Test func `nothing is created in a namespace that does not exist`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.post("/api/v1/namespaces/nope/configmaps", ["metadata": ["name": "a"]])
            #expect(refused.status == 404)
            #expect(refused.message == "namespaces \"nope\" not found")
        }
    }

    @Test func `nothing is created in a namespace that is going away`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "old"], "spec": ["finalizers": ["kubernetes"]]])
            let going = try await cluster.delete("/api/v1/namespaces/old")
            #expect(going.status == 200)
            #expect(going["status", "phase"] == "Terminating")
            let refused = try await cluster.post("/api/v1/namespaces/old/configmaps", ["metadata": ["name": "a"]])
            #expect(refused.status == 403)
            #expect(refused["details", "causes", "0", "reason"] == "NamespaceTerminating")
            #expect(
                refused.message
                    == "configmaps \"a\" is forbidden: unable to create new content in namespace old because it is being terminated"
            )
        }
    }

    @Test func `another namespace in the object than in the path is refused`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.post(
                "/api/v1/namespaces/default/configmaps",
                ["metadata": ["name": "a", "namespace": "kube-system"]]
            )
            #expect(refused.status == 400)
            #expect(refused.message == "the namespace of the provided object does not match the namespace sent on the request")
        }
    }

    @Test func `dryRun stores nothing`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post("/api/v1/namespaces/default/configmaps?dryRun=All", ["metadata": ["name": "a"]])
            #expect(made.status == 201)
            #expect(try await cluster.get("/api/v1/namespaces/default/configmaps/a").status == 404)
            let wrong = try await cluster.post("/api/v1/namespaces/default/configmaps?dryRun=Some", ["metadata": ["name": "a"]])
            #expect(wrong.status == 422)
        }
    }

    @Test func `the name is required`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.post("/api/v1/namespaces/default/configmaps", ["data": ["a": "b"]])
            #expect(refused.status == 422)
            #expect(refused.message.contains("metadata.name: Required value: name or generateName is required"))
        }
    }

    @Test func `YAML goes in and out`() async throws {
        try await withCluster { cluster in
            let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  port: \"8080\"\n"
            let made = try await cluster.send(
                "POST",
                "/api/v1/namespaces/default/configmaps",
                Array(text.utf8),
                type: "application/yaml",
                accept: "application/yaml"
            )
            #expect(made.status == 201)
            #expect(made.headers["content-type"] == "application/yaml")
            #expect(made.text.contains("port: \"8080\""))
        }
    }

    @Test func `every stored kind of the product can be listed`() async throws {
        try await withCluster { cluster in
            for kind in TestKinds.all where kind.stored {
                for version in kind.versions where version.served {
                    let root = kind.group.isEmpty ? "/api/\(version.name)" : "/apis/\(kind.group)/\(version.name)"
                    let list = try await cluster.get("\(root)/\(kind.plural)")
                    #expect(list.status == 200, "\(kind.group) \(kind.plural)")
                    #expect(list["kind"] == .string(kind.listKind))
                }
            }
        }
    }

    @Test func `a list without items is stored as none, and a status that nobody wrote is empty`() async throws {
        try await withCluster { cluster in
            let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
            for query in ["?dryRun=All", ""] {
                let made = try await cluster.post(roles + query, ["metadata": ["name": "r"], "rules": []])
                #expect(made.status == 201 && made["rules"] == .null, "\(made.text)")
                // The writer said it all the same.
                #expect(made["metadata", "managedFields"]?.array?.first?.value(at: ["fieldsV1", "f:rules"]) == [:])
            }
            #expect(try await cluster.get(roles + "/r")["rules"] == .null)
            let written = try await cluster.put(roles + "/r", ["metadata": ["name": "r", "labels": ["a": "b"]], "rules": []])
            #expect(written.status == 200 && written["rules"] == .null)
            let claims = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
            let claim = try await cluster.post(claims, ["metadata": ["name": "c"], "spec": ["devices": ["requests": []]]])
            #expect(claim["spec", "devices", "requests"] == .null && claim["status"] == [:], "\(claim.text)")
            // Its spec may not change, and has not.
            let same = try await cluster.put(claims + "/c", ["metadata": ["name": "c"], "spec": ["devices": ["requests": []]]])
            #expect(same.status == 200, "\(same.text)")
        }
    }

    @Test func `a custom resource keeps a list without items`() async throws {
        try await withCluster { cluster in
            try await cluster.install(
                Samples.definition(kind: "Gadget", schema: Samples.schema(["list": ["type": "array", "items": ["type": "string"]]]))
            )
            let made = try await cluster.post(
                "/apis/apus.test/v1/namespaces/default/gadgets",
                Samples.object("a", ["list": []], kind: "Gadget")
            )
            #expect(made["spec", "list"] == [], "\(made.text)")
        }
    }
}
