import APIModel
import HTTPTransport
import Synchronization
import Testing
import Values

@testable import APIServer

extension TestCluster {
    /// Registers a webhook and waits until the server knows of it.
    func register(
        _ kind: String,
        _ webhook: TestWebhook,
        name: String = "hook",
        rules: JSONValue? = nil,
        _ members: JSONValue = [:]
    ) async throws {
        var hook: JSONValue = [
            "name": .string("\(name).apus.test"), "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": [
                "url": .string("https://localhost:\(webhook.port)/\(name)"),
                "caBundle": .string(Base64.encode(Array(TestWebhook.authority.utf8))),
            ],
            "rules": rules ?? [["operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]]],
        ]
        for (key, value) in members.object ?? [:] { hook[key] = value }
        let path = "/apis/admissionregistration.k8s.io/v1/\(kind)webhookconfigurations"
        let answer = try await post(path, ["metadata": ["name": .string(name)], "webhooks": [hook]])
        #expect(answer.status == 201, "\(answer.text)")
        let resource = GroupResource(group: "admissionregistration.k8s.io", resource: "\(kind)webhookconfigurations")
        try await server.resources.engines[resource]?.catchUp()
    }
}

@Suite struct AdmissionWebhookTests {
    private static let configMaps = "/api/v1/namespaces/default/configmaps"

    /// An answer with these members of the response.
    @Sendable private static func answer(_ review: JSONValue, _ members: JSONValue = [:]) -> JSONValue {
        var response: JSONValue = ["uid": review.value(at: ["request", "uid"]) ?? "", "allowed": true]
        for (key, value) in members.object ?? [:] { response[key] = value }
        return ["apiVersion": review["apiVersion"] ?? "", "kind": "AdmissionReview", "response": response]
    }

    private static func patch(_ operations: JSONValue) -> JSONValue {
        ["patchType": "JSONPatch", "patch": .string(Base64.encode(operations.encoded()))]
    }

    private static func configMap(_ name: String, _ data: JSONValue = ["a": "1"]) -> JSONValue {
        ["metadata": ["name": .string(name)], "data": data]
    }

    @Test func `a refusal is answered with the webhook's words, and warnings reach the client`() async throws {
        let refusal: JSONValue = [
            "allowed": false, "warnings": ["careful", "careful", "two\nlines"],
            "status": ["message": "no", "code": 409, "reason": "Conflict", "details": ["kind": "k", "retryAfterSeconds": 3]],
        ]
        try await TestWebhook.run({ Self.answer($0, refusal) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("validating", webhook)
                let answer = try await cluster.post(Self.configMaps + "?fieldManager=me", Self.configMap("a"))
                #expect(answer.status == 409)
                #expect(answer.message == "admission webhook \"hook.apus.test\" denied the request: no")
                #expect(answer.reason == "Conflict")
                #expect(answer["details"] == ["kind": "k", "retryAfterSeconds": 3])
                #expect(answer.warnings == ["299 - \"careful\""])
                let request = log.requests.first?["request"]
                #expect(request?["operation"] == "CREATE")
                #expect(request?["options"] == ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "me"])
                #expect(request?.value(at: ["object", "data"]) == ["a": "1"])
                #expect(request?.value(at: ["object", "metadata", "uid"])?.string?.isEmpty == false)
                #expect(request?.value(at: ["userInfo", "username"]) == "admin")
                #expect(try await cluster.get(Self.configMaps + "/a").status == 404)
            }
        }
    }

    @Test func `a patch changes the object, which is decoded anew, and nobody comes to own what it added`() async throws {
        let operations: JSONValue = [
            ["op": "add", "path": "/data/b", "value": "2"], ["op": "add", "path": "/unknown", "value": 1],
            ["op": "add", "path": "/metadata/labels", "value": ["x": "y"]],
        ]
        try await TestWebhook.run({ Self.answer($0, Self.patch(operations)) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("mutating", webhook)
                let made = try await cluster.post(Self.configMaps, ["metadata": ["generateName": "gen-"], "data": ["a": "1"]])
                #expect(made.status == 201, "\(made.text)")
                #expect(made["data"] == ["a": "1", "b": "2"])
                #expect(made["unknown"] == nil)
                #expect(made["metadata", "labels"] == ["x": "y"])
                let owned: JSONValue = ["f:data": [".": [:], "f:a": [:]], "f:metadata": ["f:generateName": [:]]]
                #expect(made["metadata", "managedFields"]?.array?.first?["fieldsV1"] == owned)
                // Mutating webhooks see neither the name to be generated nor what the system fills in.
                let seen = log.requests.first?["request"]
                #expect(seen?["name"] == nil)
                #expect(seen?.value(at: ["object", "metadata", "uid"]) == nil)
                #expect(seen?.value(at: ["object", "metadata", "namespace"]) == "default")
            }
        }
    }

    @Test func `patches that cannot be done are the server's trouble`() async throws {
        let cases: [(JSONValue, String)] = [
            (
                [["op": "add", "path": "/nothing/b", "value": "2"]],
                "Internal error occurred: add operation does not apply: doc is missing path: \"/nothing/b\": missing value"
            ),
            (
                [["op": "add", "path": "/data", "value": 7]],
                "Internal error occurred: json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string"
            ),
            ([["op": "replace", "path": "/kind", "value": "Pod"]], "converting (v1.Pod) to (core.ConfigMap): unknown conversion"),
        ]
        for (operations, words) in cases {
            try await TestWebhook.run({ Self.answer($0, Self.patch(operations)) }) { webhook, _ in
                try await withCluster { cluster in
                    try await cluster.register("mutating", webhook, ["failurePolicy": "Ignore"])
                    let answer = try await cluster.post(Self.configMaps, Self.configMap("a"))
                    #expect(answer.status == 500)
                    #expect(answer.message == words)
                }
            }
        }
    }

    @Test func `webhooks that fail end a request, or do not, as their policy has it`() async throws {
        try await TestWebhook.run({ _ in ["response": ["allowed": true]] }) { webhook, _ in
            try await withCluster { cluster in
                try await cluster.register("validating", webhook, name: "open", ["failurePolicy": "Ignore"])
                #expect(try await cluster.post(Self.configMaps, Self.configMap("a")).status == 201)
                try await cluster.register("validating", webhook, name: "closed", ["failurePolicy": "Fail"])
                let answer = try await cluster.post(Self.configMaps, Self.configMap("b"))
                #expect(answer.status == 500)
                #expect(answer.message.hasPrefix("Internal error occurred: failed calling webhook \"closed.apus.test\": received invalid"))
                let counted = try await cluster.get("/metrics").text
                #expect(counted.contains("apiserver_admission_webhook_fail_open_count{name=\"open.apus.test\",type=\"validating\"}"))
                #expect(
                    counted.contains(
                        "apiserver_admission_webhook_rejection_count{error_type=\"calling_webhook_error\",name=\"closed.apus.test\","
                            + "operation=\"CREATE\",rejection_code=\"503\",type=\"validating\"} 1"
                    )
                )
            }
        }
    }

    @Test func `a webhook nobody can reach is told with its address`() async throws {
        try await withCluster { cluster in
            let nowhere: JSONValue = ["clientConfig": ["service": ["name": "gone", "namespace": "default", "path": "/p"]]]
            try await cluster.register("validating", TestWebhook(port: 1), nowhere)
            let answer = try await cluster.post(Self.configMaps, Self.configMap("a"))
            let words =
                "Internal error occurred: failed calling webhook \"hook.apus.test\": failed to call webhook: "
                + "Post \"https://gone.default.svc:443/p?timeout=10s\": service \"gone\" not found"
            #expect(answer.message == words)
            try await cluster.register("mutating", TestWebhook(port: 1), name: "refusing", ["timeoutSeconds": 3])
            let refused = try await cluster.post(Self.configMaps, Self.configMap("a"))
            #expect(refused.message.hasPrefix("Internal error occurred: failed calling webhook \"refusing.apus.test\": failed to call"))
            #expect(refused.message.contains("Post \"https://localhost:1/refusing?timeout=3s\": dial tcp localhost:1: connect: "))
        }
    }

    @Test func `match conditions decide before the webhook is asked`() async throws {
        @Sendable func conditions(_ expression: String) -> JSONValue {
            ["matchConditions": [["name": "c", "expression": .string(expression)]]]
        }
        try await TestWebhook.run({ Self.answer($0, ["allowed": false]) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("validating", webhook, conditions("object.metadata.name == 'asked'"))
                #expect(try await cluster.post(Self.configMaps, Self.configMap("other")).status == 201)
                #expect(log.requests.isEmpty)
                #expect(try await cluster.post(Self.configMaps, Self.configMap("asked")).status == 400)
                try await cluster.register("mutating", webhook, name: "broken", conditions("object.data.zz == '1'"))
                let answer = try await cluster.post(Self.configMaps, Self.configMap("third"))
                #expect(answer.status == 403)
                #expect(
                    answer.message
                        == "configmaps \"third\" is forbidden: expression 'object.data.zz == '1'' resulted in error: no such key: zz"
                )
            }
        }
    }

    @Test func `a webhook without side effects is told that a dry run is one`() async throws {
        try await TestWebhook.run({ Self.answer($0) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("validating", webhook)
                #expect(try await cluster.post(Self.configMaps + "?dryRun=All", Self.configMap("a")).status == 201)
                #expect(log.requests.first?.value(at: ["request", "dryRun"]) == true)
                #expect(log.requests.first?.value(at: ["request", "options", "dryRun"]) == ["All"])
            }
        }
    }

    @Test func `webhooks run again when a later one changes what they saw`() async throws {
        let counted = Mutex(0)
        try await TestWebhook.run({ review in
            let data = review.value(at: ["request", "object", "data"])?.object ?? [:]
            guard data["last"] == nil, data["first"] != nil else {
                let count = counted.withLock { count in
                    count += 1
                    return count
                }
                return Self.answer(review, Self.patch([["op": "add", "path": "/data/first", "value": .string("\(count)")]]))
            }
            return Self.answer(review, Self.patch([["op": "add", "path": "/data/last", "value": "x"]]))
        }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("mutating", webhook, name: "a", ["reinvocationPolicy": "IfNeeded"])
                try await cluster.register("mutating", webhook, name: "b")
                let made = try await cluster.post(Self.configMaps, Self.configMap("a"))
                #expect(made["data"] == ["a": "1", "first": "2", "last": "x"], "\(made.text)")
                #expect(log.requests.count == 3)
            }
        }
    }

    @Test func `updates and deletions show the old object, and collections no name`() async throws {
        try await TestWebhook.run({ Self.answer($0) }) { webhook, log in
            try await withCluster { cluster in
                #expect(try await cluster.post(Self.configMaps, Self.configMap("a")).status == 201)
                try await cluster.register("validating", webhook)
                let changed = try await cluster.patch(Self.configMaps + "/a", ["data": ["b": "2"]])
                #expect(changed.status == 200)
                let update = log.requests.last?["request"]
                #expect(update?["operation"] == "UPDATE")
                #expect(update?.value(at: ["options", "kind"]) == "UpdateOptions")
                #expect(update?.value(at: ["object", "data"]) == ["a": "1", "b": "2"])
                #expect(update?.value(at: ["oldObject", "data"]) == ["a": "1"])
                #expect(update?.value(at: ["oldObject", "metadata", "resourceVersion"])?.string?.isEmpty == false)
                #expect(try await cluster.delete(Self.configMaps + "?labelSelector=none").status == 200)
                let before = log.requests.count
                #expect(try await cluster.delete(Self.configMaps + "?fieldSelector=metadata.name%3Da").status == 200)
                #expect(log.requests.count == before + 1)
                let removal = log.requests.last?["request"]
                #expect(removal?["operation"] == "DELETE")
                #expect(removal?["name"] == nil)
                #expect(removal?["object"] == .null)
                #expect(removal?.value(at: ["oldObject", "metadata", "name"]) == "a")
            }
        }
    }

    @Test func `a scale is shown as one, and may be changed`() async throws {
        let deployments = "/apis/apps/v1/namespaces/default/deployments"
        let rules: JSONValue = [["operations": ["*"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments/scale"]]]
        let operations: JSONValue = [["op": "replace", "path": "/spec/replicas", "value": 7]]
        try await TestWebhook.run({ Self.answer($0, Self.patch(operations)) }) { webhook, log in
            try await withCluster { cluster in
                let labels: JSONValue = ["a": "b"]
                let template: JSONValue = [
                    "metadata": ["labels": labels], "spec": ["containers": [["name": "c", "image": "i"]]],
                ]
                let spec: JSONValue = ["replicas": 1, "selector": ["matchLabels": labels], "template": template]
                #expect(try await cluster.post(deployments, ["metadata": ["name": "d"], "spec": spec]).status == 201)
                try await cluster.register("mutating", webhook, rules: rules)
                let scaled = try await cluster.patch(deployments + "/d/scale", ["spec": ["replicas": 3]])
                #expect(scaled["spec"] == ["replicas": 7], "\(scaled.text)")
                let request = log.requests.first?["request"]
                #expect(request?["kind"] == ["group": "autoscaling", "version": "v1", "kind": "Scale"])
                #expect(request?.value(at: ["object", "spec"]) == ["replicas": 3])
                #expect(request?.value(at: ["oldObject", "spec"]) == ["replicas": 1])
                #expect(request?["subResource"] == "scale")
            }
        }
    }

    @Test func `connections are shown with their options`() async throws {
        let rules: JSONValue = [["operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/*"]]]
        let refusal: JSONValue = ["allowed": false, "status": ["message": "attaching is not allowed", "code": 403]]
        try await TestWebhook.run({ Self.answer($0, refusal) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("validating", webhook, rules: rules)
                let pod = "/api/v1/namespaces/default/pods/p"
                let attach = try await cluster.send("POST", pod + "/attach?container=c&stdin=true&tty=true")
                #expect(attach.status == 403)
                #expect(attach.message == "admission webhook \"hook.apus.test\" denied the request: attaching is not allowed")
                let object: JSONValue = ["kind": "PodAttachOptions", "apiVersion": "v1", "container": "c", "stdin": true, "tty": true]
                #expect(log.requests.last?.value(at: ["request", "object"]) == object)
                #expect(log.requests.last?.value(at: ["request", "options"]) == .null)
                #expect(try await cluster.send("POST", pod + "/exec?command=ls&command=-l").status == 403)
                #expect(log.requests.last?.value(at: ["request", "object", "command"]) == ["ls", "-l"])
                #expect(try await cluster.send("GET", pod + "/proxy/some/path").status == 403)
                #expect(log.requests.last?.value(at: ["request", "object", "path"]) == "/some/path")
                #expect(log.requests.last?.value(at: ["request", "kind", "kind"]) == "PodProxyOptions")
            }
        }
    }

    @Test func `an equivalent rule shows the object in the rule's version`() async throws {
        let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
        let rules: JSONValue = [
            ["operations": ["*"], "apiGroups": ["autoscaling"], "apiVersions": ["v1"], "resources": ["horizontalpodautoscalers"]]
        ]
        let operations: JSONValue = [["op": "replace", "path": "/spec/targetCPUUtilizationPercentage", "value": 55]]
        try await TestWebhook.run({ Self.answer($0, Self.patch(operations)) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("mutating", webhook, rules: rules)
                let target: JSONValue = ["type": "Utilization", "averageUtilization": 44]
                let spec: JSONValue = [
                    "scaleTargetRef": ["kind": "Deployment", "name": "d", "apiVersion": "apps/v1"], "maxReplicas": 3,
                    "metrics": [["type": "Resource", "resource": ["name": "cpu", "target": target]]],
                ]
                let made = try await cluster.post(path, ["metadata": ["name": "h"], "spec": spec])
                #expect(made["apiVersion"] == "autoscaling/v2")
                let metric = made["spec", "metrics"]?.array?.first
                #expect(metric?.value(at: ["resource", "target", "averageUtilization"]) == 55, "\(made.text)")
                let request = log.requests.first?["request"]
                #expect(request?.value(at: ["kind", "version"]) == "v1")
                #expect(request?.value(at: ["requestKind", "version"]) == "v2")
                #expect(request?.value(at: ["object", "apiVersion"]) == "autoscaling/v1")
            }
        }
    }

    @Test func `custom resources are pruned after a webhook changed them`() async throws {
        let rules: JSONValue = [["operations": ["CREATE"], "apiGroups": ["apus.test"], "apiVersions": ["*"], "resources": ["widgets"]]]
        let operations: JSONValue = [
            ["op": "add", "path": "/spec/size", "value": 9], ["op": "add", "path": "/spec/unheard", "value": "of"],
        ]
        try await TestWebhook.run({ Self.answer($0, Self.patch(operations)) }) { webhook, _ in
            try await withCluster { cluster in
                try await cluster.install(Samples.definition(schema: Samples.schema(["size": ["type": "integer"]])))
                try await cluster.register("mutating", webhook, rules: rules)
                let made = try await cluster.post("/apis/apus.test/v1/namespaces/default/widgets", Samples.object("a", ["size": 1]))
                #expect(made.status == 201, "\(made.text)")
                #expect(made["spec", "size"] == 9)
                #expect(made["spec", "unheard"] == nil)
            }
        }
    }

    @Test func `configurations of webhooks are never shown to webhooks`() async throws {
        let rules: JSONValue = [["operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]]]
        try await TestWebhook.run({ Self.answer($0, ["allowed": false]) }) { webhook, log in
            try await withCluster { cluster in
                try await cluster.register("validating", webhook, rules: rules)
                try await cluster.register("mutating", webhook, name: "second", rules: rules)
                let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook"
                #expect(try await cluster.delete(path).status == 200)
                #expect(log.requests.isEmpty)
            }
        }
    }
}

@Suite struct WarningTests {
    @Test func `many warnings are cut so that they fit a response`() {
        let few = ["a", "b"]
        #expect(WarningList.bounded(few) == few)
        let long = (0..<6).map { "\($0)" + String(repeating: "x", count: 1000) }
        #expect(WarningList.bounded(long).map(\.count) == Array(repeating: 256, count: 6))
        #expect(WarningList.bounded(Array(repeating: String(repeating: "y", count: 300), count: 100)).count == 16)
    }
}
