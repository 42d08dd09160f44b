import Testing
import Values

@testable import APIServer

@Suite struct LegacyTests {
    private static let ingress: JSONValue = [
        "apiVersion": "extensions/v1beta1", "kind": "Ingress", "metadata": ["name": "hello"],
        "spec": [
            "rules": [
                [
                    "host": "ingress.example",
                    "http": ["paths": [["path": "/hello", "backend": ["serviceName": "hello-node", "servicePort": 3000]]]],
                ]
            ]
        ],
    ]
    private static let old = "/apis/extensions/v1beta1/namespaces/default/ingresses"
    private static let today = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"

    @Test func `an ingress of the past is today's in other words`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(Self.old, Self.ingress)
            #expect(made.status == 201, "\(made.text)")
            #expect(
                made.warnings == [
                    "299 - \"extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress\""
                ]
            )
            #expect(made["apiVersion"] == "extensions/v1beta1")
            #expect(made["spec", "rules", "0", "http", "paths", "0", "backend", "servicePort"] == 3000)
            let now = try await cluster.get("\(Self.today)/hello")
            #expect(now["apiVersion"] == "networking.k8s.io/v1")
            #expect(now["spec", "rules", "0", "http", "paths", "0", "backend", "service", "port", "number"] == 3000)
            #expect(now["spec", "rules", "0", "http", "paths", "0", "pathType"] == "ImplementationSpecific")
            #expect(now.warnings.isEmpty)
            let list = try await cluster.get("/apis/networking.k8s.io/v1beta1/ingresses")
            #expect(list["kind"] == "IngressList")
            #expect(list["items", "0", "spec", "rules", "0", "http", "paths", "0", "backend", "serviceName"] == "hello-node")
        }
    }

    @Test func `patches speak the words of the version they are sent to`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.old, Self.ingress)
            let patch: JSONValue = ["spec": ["backend": ["serviceName": "fallback", "servicePort": "http"]]]
            let changed = try await cluster.patch("\(Self.old)/hello", patch)
            #expect(changed.status == 200, "\(changed.text)")
            #expect(changed["spec", "backend", "servicePort"] == "http")
            #expect(try await cluster.get("\(Self.today)/hello")["spec", "defaultBackend", "service", "port", "name"] == "http")
            let strategic = try await cluster.patch(
                "\(Self.old)/hello",
                ["metadata": ["labels": ["a": "b"]]],
                type: "application/strategic-merge-patch+json"
            )
            #expect(strategic["metadata", "labels", "a"] == "b")
            let table = try await cluster.get("\(Self.old)/hello", accept: "application/json;as=Table;g=meta.k8s.io;v=v1")
            #expect(table["rows", "0", "cells", "2"] == "ingress.example")
        }
    }

    @Test func `a watch in an old version sends old words`() async throws {
        try await withCluster { cluster in
            var watch = try await cluster.watch("\(Self.old)?watch=true")
            var ingress = Self.ingress
            ingress["apiVersion"] = nil
            _ = try await cluster.post("/apis/networking.k8s.io/v1beta1/namespaces/default/ingresses", ingress)
            let event = try #require(try await watch.next())
            #expect(event.value(at: ["object", "apiVersion"]) == "extensions/v1beta1")
            #expect(event.value(at: ["object", "spec", "rules", "0", "http", "paths", "0", "backend", "serviceName"]) == "hello-node")
        }
    }

    @Test func `a Deployment of 2017 runs as one of today`() async throws {
        try await withCluster { cluster in
            let body: JSONValue = [
                "apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": ["name": "web"],
                "spec": [
                    "template": ["metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "web", "image": "nginx"]]]]
                ],
            ]
            let made = try await cluster.post("/apis/extensions/v1beta1/namespaces/default/deployments", body)
            #expect(made.status == 201, "\(made.text)")
            let now = try await cluster.get("/apis/apps/v1/namespaces/default/deployments/web")
            #expect(now["spec", "selector", "matchLabels", "app"] == "web")
            #expect(now["spec", "strategy", "rollingUpdate", "maxSurge"] == 1)
            let scale = try await cluster.patch("/apis/apps/v1beta1/namespaces/default/deployments/web/scale", ["spec": ["replicas": 3]])
            #expect(scale.status == 200, "\(scale.text)")
            #expect(try await cluster.get("/apis/apps/v1beta2/namespaces/default/deployments/web")["spec", "replicas"] == 3)
            let strict = try await cluster.post(
                "/apis/extensions/v1beta1/namespaces/default/deployments?fieldValidation=Strict",
                ["metadata": ["name": "b"], "spec": ["template": [:], "nonsense": 1]]
            )
            #expect(strict.status == 400)
            #expect(strict.message.contains("unknown field \"spec.nonsense\""))
        }
    }

    private static let deployment: JSONValue = [
        "metadata": ["name": "web"],
        "spec": ["template": ["metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "web", "image": "nginx"]]]]],
    ]

    @Test func `a scale of the past shows its selector twice`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/apis/extensions/v1beta1/namespaces/default/deployments", Self.deployment)
            for version in ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"] {
                let path = "/apis/\(version)/namespaces/default/deployments/web/scale"
                let scale = try await cluster.get(path)
                #expect(scale["apiVersion"] == .string(version))
                #expect(scale["kind"] == "Scale")
                #expect(scale["status"] == ["replicas": 0, "selector": ["app": "web"], "targetSelector": "app=web"], "\(scale.text)")
                var wanted = scale.json
                wanted.set(5, at: ["spec", "replicas"])
                let put = try await cluster.put(path + "?fieldValidation=Strict", wanted)
                #expect(put.status == 200, "\(put.text)")
                #expect(put["spec", "replicas"] == 5)
                #expect(put["apiVersion"] == .string(version))
                let patched = try await cluster.patch(path, ["spec": ["replicas": 2]])
                #expect(patched["status", "targetSelector"] == "app=web", "\(patched.text)")
                let foreign = try await cluster.put(path, ["apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "web"]])
                #expect(foreign.status == 400, "\(foreign.text)")
            }
            let today = try await cluster.get("/apis/apps/v1/namespaces/default/deployments/web/scale")
            #expect(today["apiVersion"] == "autoscaling/v1")
            #expect(today["spec", "replicas"] == 2)
            #expect(today["status", "selector"] == "app=web")
            let listed = try await cluster.get("/apis/apps/v1beta1")["resources"]?.array ?? []
            let entry = listed.first { $0["name"] == "deployments/scale" }
            #expect(entry?["group"] == "apps" && entry?["version"] == "v1beta1" && entry?["kind"] == "Scale")
        }
    }

    @Test func `a rollback is noted for the controller`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/apis/extensions/v1beta1/namespaces/default/deployments", Self.deployment)
            for (version, revision) in [("extensions/v1beta1", 3), ("apps/v1beta1", 0)] as [(String, Int64)] {
                let path = "/apis/\(version)/namespaces/default/deployments/web/rollback"
                let wish: JSONValue = [
                    "apiVersion": .string(version), "kind": "DeploymentRollback", "name": "web",
                    "rollbackTo": ["revision": .integer(revision)], "updatedAnnotations": ["why": "broken"],
                ]
                let done = try await cluster.post(path + "?fieldValidation=Strict", wish)
                #expect(done.status == 201, "\(done.text)")
                #expect(done["status"] == "Success")
                #expect(done.message == "rollback request for deployment \"web\" succeeded")
                let now = try await cluster.get("/apis/apps/v1/namespaces/default/deployments/web")
                let annotations = now["metadata", "annotations"]
                #expect(annotations?["deprecated.deployment.rollback.to"] == .string("\(revision)"), "\(now.text)")
                #expect(annotations?["why"] == "broken")
                let unnamed = try await cluster.post(path, ["rollbackTo": ["revision": -1]])
                #expect(unnamed.status == 422, "\(unnamed.text)")
                #expect(unnamed.message.contains("rollback.version: Invalid value: -1: must be greater than or equal to 0"))
                #expect(try await cluster.post(path, ["name": "other", "rollbackTo": [:]]).status == 400)
                #expect(try await cluster.get(path).status == 405)
            }
            #expect(try await cluster.post("/apis/apps/v1beta2/namespaces/default/deployments/web/rollback", [:]).status == 404)
        }
    }

    @Test func `old versions are in discovery, last and without short names`() async throws {
        try await withCluster { cluster in
            let groups = try await cluster.get("/apis")["groups"]?.array ?? []
            #expect(groups.first?["name"] == "apiregistration.k8s.io")
            #expect(groups.last?["name"] == "extensions")
            let apps = groups.first { $0["name"] == "apps" }
            #expect(apps?.value(at: ["preferredVersion", "version"]) == "v1")
            #expect(apps?["versions"]?.array?.count == 3)
            let resources = try await cluster.get("/apis/extensions/v1beta1")["resources"]?.array ?? []
            let deployments = try #require(resources.first { $0["name"] == "deployments" })
            #expect(deployments["shortNames"] == nil)
            #expect(deployments["categories"] == nil)
            #expect(resources.contains { $0["name"] == "deployments/scale" })
            let document = try await cluster.get("/openapi/v3/apis/extensions/v1beta1")
            let backend = document.json.value(at: [
                "components", "schemas", "io.k8s.api.extensions.v1beta1.IngressBackend", "properties",
            ])
            #expect(backend?["serviceName"] != nil)
            #expect(backend?["service"] == nil)
            #expect(document.json.value(at: ["components", "schemas", "io.k8s.api.extensions.v1beta1.IngressList"]) != nil)
        }
    }

    @Test func `the other kinds of 2019`() async throws {
        try await withCluster { cluster in
            let role = try await cluster.post(
                "/apis/rbac.authorization.k8s.io/v1beta1/clusterroles",
                ["metadata": ["name": "r"], "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]]
            )
            #expect(role.status == 201, "\(role.text)")
            let binding = try await cluster.post(
                "/apis/rbac.authorization.k8s.io/v1beta1/clusterrolebindings",
                ["metadata": ["name": "b"], "roleRef": ["kind": "ClusterRole", "name": "r"], "subjects": [["kind": "User", "name": "u"]]]
            )
            #expect(binding.status == 201, "\(binding.text)")
            #expect(binding["roleRef", "apiGroup"] == "rbac.authorization.k8s.io")
            let budget = try await cluster.post(
                "/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets",
                ["metadata": ["name": "p"], "spec": ["minAvailable": 1, "selector": [:]]]
            )
            #expect(budget["spec", "selector"] == [:])
            let today = try await cluster.get("/apis/policy/v1/namespaces/default/poddisruptionbudgets/p")
            #expect(today["spec", "selector", "matchExpressions", "0", "operator"] == "Exists")
            let storage = try await cluster.post(
                "/apis/storage.k8s.io/v1beta1/storageclasses",
                ["metadata": ["name": "s"], "provisioner": "example.com/none"]
            )
            #expect(storage["reclaimPolicy"] == "Delete")
            let priority = try await cluster.post(
                "/apis/scheduling.k8s.io/v1beta1/priorityclasses",
                ["metadata": ["name": "x"], "value": 5]
            )
            #expect(priority.status == 201, "\(priority.text)")
            let hooks = try await cluster.post(
                "/apis/admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations",
                ["metadata": ["name": "w"], "webhooks": [["name": "a.b.c", "clientConfig": ["url": "https://127.0.0.1:1/"]]]]
            )
            #expect(hooks.status == 201, "\(hooks.text)")
            let request = try await cluster.post(
                "/apis/certificates.k8s.io/v1beta1/certificatesigningrequests",
                ["metadata": ["name": "c"], "spec": ["request": "aGVsbG8=", "signerName": "example.com/x"]]
            )
            #expect([201, 422].contains(request.status), "\(request.text)")
        }
    }
}
