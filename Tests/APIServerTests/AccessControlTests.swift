import APIModel
import Access
import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct AccessControlTests {
    private static let nobody = InProcessUser(name: "eve", groups: [])
    private static let node = InProcessUser(name: "system:node:n1", groups: ["system:nodes"])

    @Test func `no credentials, no access`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.get("/api/v1/pods", user: nil)
            #expect(refused.status == 403)
            let who = "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
            #expect(refused.message == who)
            #expect(refused.headers["x-content-type-options"] == "nosniff")
            let wrong = try await cluster.send("GET", "/api/v1/pods", user: nil, headers: ["Authorization": "Bearer nonsense"])
            #expect(wrong.status == 401)
            #expect(
                wrong.json == [
                    "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": "Unauthorized",
                    "reason": "Unauthorized", "code": 401,
                ]
            )
        }
    }

    @Test func `the authenticated may discover and review themselves, nothing else`() async throws {
        try await withCluster { cluster in
            #expect(try await cluster.get("/apis", user: Self.nobody).status == 200)
            let refused = try await cluster.get("/api/v1/namespaces/default/pods", user: Self.nobody)
            #expect(refused.status == 403)
            #expect(
                refused.message
                    == "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
            )
            let scoped = try await cluster.get("/api/v1/nodes/x", user: Self.nobody)
            #expect(
                scoped.message
                    == "nodes \"x\" is forbidden: User \"eve\" cannot get resource \"nodes\" in API group \"\" at the cluster scope"
            )
            let path = try await cluster.get("/metrics", user: Self.nobody)
            #expect(path.message == "forbidden: User \"eve\" cannot get path \"/metrics\"")
            let me = try await cluster.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", [:], user: Self.nobody)
            #expect(me.status == 201)
            #expect(me["status", "userInfo", "username"] == "eve")
            let review: JSONValue = ["spec": ["resourceAttributes": ["verb": "list", "resource": "pods"]]]
            let can = try await cluster.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, user: Self.nobody)
            #expect(can["status", "allowed"] == false)
            let admin = try await cluster.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
            #expect(admin["status", "allowed"] == true)
            let other = try await cluster.post(
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                ["spec": ["user": "system:kube-scheduler", "resourceAttributes": ["verb": "list", "resource": "pods"]]]
            )
            #expect(other["status", "allowed"] == true)
        }
    }

    @Test func `impersonation needs the right to it`() async throws {
        try await withCluster { cluster in
            let as_ = ["Impersonate-User": "eve"]
            let refused = try await cluster.send("GET", "/api/v1/pods", headers: as_)
            #expect(refused.message.contains("User \"eve\" cannot list resource \"pods\""))
            let forbidden = try await cluster.send("GET", "/api/v1/pods", user: Self.nobody, headers: ["Impersonate-User": "admin"])
            #expect(
                forbidden.message
                    == "users \"admin\" is forbidden: User \"eve\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
            )
        }
    }

    @Test func `a node sees its own and what its pods refer to`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            for name in ["used", "other"] {
                _ = try await cluster.post("/api/v1/namespaces/default/secrets", ["metadata": ["name": .string(name)]])
            }
            let pod: JSONValue = [
                "metadata": ["name": "p"],
                "spec": [
                    "nodeName": "n1",
                    "containers": [["name": "c", "image": "i", "envFrom": [["secretRef": ["name": "used"]]]]],
                ],
            ]
            #expect(try await cluster.post("/api/v1/namespaces/default/pods", pod).status == 201)
            try await cluster.server.resources.engines[.core("pods")]?.catchUp()
            let secrets = "/api/v1/namespaces/default/secrets"
            #expect(try await cluster.get(secrets + "/used", user: Self.node).status == 200)
            let other = try await cluster.get(secrets + "/other", user: Self.node)
            #expect(other.status == 403)
            #expect(other.message.contains("no relationship found between node 'n1' and this object"))
            #expect(try await cluster.get(secrets, user: Self.node).status == 403)
            #expect(try await cluster.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1", user: Self.node).status == 200)
            let all = try await cluster.get("/api/v1/pods", user: Self.node)
            #expect(all.message.contains("can only list/watch pods with spec.nodeName field selector"))
            let foreign = try await cluster.post("/api/v1/nodes", ["metadata": ["name": "n2"]], user: Self.node)
            #expect(foreign.status == 403)
            #expect(foreign.message.contains("node \"n1\" is not allowed to modify node \"n2\""))
            let own = try await cluster.post("/api/v1/nodes", ["metadata": ["name": "n1"]], user: Self.node)
            #expect(own.status == 201)
            #expect(own["spec", "taints", "0", "key"] == "node.kubernetes.io/not-ready")
        }
    }

    @Test func `what the pods of a node refer to is indexed`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            var pod = PodTests.pod("p")
            pod.set("n1", at: ["spec", "nodeName"])
            pod.set([["secretRef": ["name": "used"]]], at: ["spec", "containers", "0", "envFrom"])
            _ = try await cluster.post("/api/v1/namespaces/default/pods", pod)
            let engine = try #require(cluster.server.resources.engines[.core("pods")])
            let index = NodePods(cache: engine.cache)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await index.run() }
                while !index.refer("n1", "secrets", "default", "used") { await Task.yield() }
                #expect(index.refer("n1", "configmaps", "default", "kube-root-ca.crt"))
                #expect(index.refer("n1", "serviceaccounts", "default", "default"))
                #expect(!index.refer("n1", "secrets", "default", "other"))
                #expect(!index.refer("n1", "secrets", "kube-system", "used"))
                #expect(!index.refer("n2", "secrets", "default", "used"))
                _ = try? await cluster.delete("/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0")
                while index.refer("n1", "secrets", "default", "used") { await Task.yield() }
                group.cancelAll()
            }
        }
    }

    @Test func `tokens are issued, reviewed, accepted and die with their pod`() async throws {
        try await withCluster(key: TokenSigningKey()) { cluster in
            try await cluster.addServiceAccount()
            let pod: JSONValue = ["metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i"]]]]
            let made = try await cluster.post("/api/v1/namespaces/default/pods", pod)
            let uid = made["metadata", "uid"]?.string ?? ""
            let request: JSONValue = [
                "spec": [
                    "expirationSeconds": 3607,
                    "boundObjectRef": ["kind": "Pod", "apiVersion": "v1", "name": "p", "uid": .string(uid)],
                ]
            ]
            let issued = try await cluster.post("/api/v1/namespaces/default/serviceaccounts/default/token", request)
            #expect(issued.status == 201, "\(issued.text)")
            let token = issued["status", "token"]?.string ?? ""
            let review: JSONValue = ["spec": ["token": .string(token)]]
            let known = try await cluster.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
            #expect(known["status", "authenticated"] == true)
            #expect(known["status", "user", "username"] == "system:serviceaccount:default:default")
            #expect(known["status", "user", "extra", "authentication.kubernetes.io/pod-name"] == ["p"])
            let use = try await cluster.send("GET", "/apis", user: nil, headers: ["Authorization": "Bearer \(token)"])
            #expect(use.status == 200)
            let pods = try await cluster.send("GET", "/api/v1/pods", user: nil, headers: ["Authorization": "Bearer \(token)"])
            #expect(pods.status == 403)
            let forged = String(token.dropLast(4)) + "AAAA"
            let refused = try await cluster.post("/apis/authentication.k8s.io/v1/tokenreviews", ["spec": ["token": .string(forged)]])
            #expect(refused["status", "error"] == "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]")
            #expect(refused["status", "authenticated"] == nil)
            let said: JSONValue = [
                "spec": ["token": "x"], "status": ["audiences": ["a"], "user": ["username": "me"], "authenticated": true],
            ]
            let echo = try await cluster.post("/apis/authentication.k8s.io/v1/tokenreviews", said)
            #expect(echo["status"] == ["audiences": ["a"], "user": ["username": "me"], "error": "invalid bearer token"])
            #expect(try await cluster.send("GET", "/apis", user: nil, headers: ["Authorization": "Bearer \(forged)"]).status == 401)
            _ = try await cluster.delete("/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0")
            try await cluster.server.resources.engines[.core("pods")]?.catchUp()
            #expect(try await cluster.send("GET", "/apis", user: nil, headers: ["Authorization": "Bearer \(token)"]).status == 401)
            let short = try await cluster.post(
                "/api/v1/namespaces/default/serviceaccounts/default/token",
                ["spec": ["expirationSeconds": 10]]
            )
            #expect(short.status == 422)
            #expect(
                short.message
                    == "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 10: "
                    + "may not specify a duration less than 10 minutes"
            )
        }
    }

    @Test func `a token request says whom it is for, and is answered whole`() async throws {
        try await withCluster(key: TokenSigningKey()) { cluster in
            try await cluster.addServiceAccount()
            let path = "/api/v1/namespaces/default/serviceaccounts/default"
            let uid = try await cluster.get(path)["metadata", "uid"]?.string ?? ""
            let issued = try await cluster.post(path + "/token", ["metadata": ["labels": ["a": "b"]]])
            #expect(issued.status == 201, "\(issued.text)")
            #expect(issued["metadata", "name"] == "default" && issued["metadata", "namespace"] == "default")
            #expect(issued["metadata", "uid"] == .string(uid) && issued["metadata", "labels", "a"] == "b")
            #expect(issued["spec", "expirationSeconds"] == 3600)
            let record = issued["metadata", "managedFields", "0"]
            #expect(record?["subresource"] == "token" && record?["apiVersion"] == "authentication.k8s.io/v1")
            #expect(record?["fieldsV1"] == ["f:metadata": ["f:labels": [".": [:], "f:a": [:]]], "f:spec": ["f:expirationSeconds": [:]]])
            func refusal(_ request: JSONValue) async throws -> String {
                let answer = try await cluster.post(path + "/token", request)
                return "\(answer.status) \(answer.message)"
            }
            let name = "422 TokenRequest.authentication.k8s.io \"default\" is invalid: metadata.name: Invalid value: \"other\": "
            #expect(try await refusal(["metadata": ["name": "other"]]) == name + "must match the service account name if specified")
            #expect(
                try await refusal(["metadata": ["uid": "u"]])
                    == "409 Operation cannot be fulfilled on TokenRequest.authentication.k8s.io \"default\": the UID in the token "
                    + "request (u) does not match the UID of the service account (\(uid))"
            )
            let bound: JSONValue = ["spec": ["boundObjectRef": ["apiVersion": "v1", "kind": "ConfigMap", "name": "c"]]]
            #expect(try await refusal(bound) == "400 cannot bind token to object of type /v1, Kind=ConfigMap")
        }
    }
}
