import Testing
import Values

@testable import APIServer

@Suite struct CustomResourceWebhookTests {
    private static let v1 = "/apis/apus.test/v1/namespaces/default/widgets"
    private static let v2 = "/apis/apus.test/v2/namespaces/default/widgets"

    /// v1 has `spec.size`, v2 calls it `spec.count`.
    private static func definition(_ client: JSONValue) -> JSONValue {
        func version(_ name: String, _ field: String, storage: Bool) -> JSONValue {
            [
                "name": .string(name), "served": true, "storage": .bool(storage),
                "schema": ["openAPIV3Schema": Samples.schema([field: ["type": "integer"]].asJSON)],
            ]
        }
        var definition = Samples.definition(versions: [version("v1", "size", storage: true), version("v2", "count", storage: false)])
        definition.set(
            ["strategy": "Webhook", "webhook": ["conversionReviewVersions": ["v1"], "clientConfig": client]],
            at: ["spec", "conversion"]
        )
        return definition
    }

    private static func client(_ webhook: TestWebhook) -> JSONValue {
        [
            "url": .string("https://localhost:\(webhook.port)/convert"),
            "caBundle": .string(Base64.encode(Array(TestWebhook.authority.utf8))),
        ]
    }

    /// Renames the field and answers as a webhook has to.
    @Sendable private static func convert(_ review: JSONValue) -> JSONValue {
        let desired = review.value(at: ["request", "desiredAPIVersion"])?.string ?? ""
        let objects = (review.value(at: ["request", "objects"])?.array ?? []).map { object -> JSONValue in
            var object = object
            object["apiVersion"] = .string(desired)
            let isNew = desired.hasSuffix("v2")
            if let size = object.value(at: ["spec", isNew ? "size" : "count"]) {
                object["spec"] = [isNew ? "count" : "size": size]
            }
            object.set("yes", at: ["metadata", "annotations", "converted"])
            return object
        }
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
            "response": [
                "uid": review.value(at: ["request", "uid"]) ?? "", "result": ["status": "Success"],
                "convertedObjects": .array(objects),
            ],
        ]
    }

    @Test func `objects are converted for readers and writers`() async throws {
        try await TestWebhook.run(Self.convert) { webhook, log in
            try await withCluster { cluster in
                try await cluster.install(Self.definition(Self.client(webhook)))
                let created = try await cluster.post(Self.v2, Samples.object("a", ["count": 3], version: "v2"))
                #expect(created.status == 201, "\(created.text)")
                #expect(created["spec"] == ["count": 3])
                #expect(created["apiVersion"] == "apus.test/v2")
                let before = log.requests.count
                let stored = try await cluster.get("\(Self.v1)/a")
                #expect(stored["spec"] == ["size": 3])
                #expect(log.requests.count == before)
                let patched = try await cluster.patch("\(Self.v2)/a", ["spec": ["count": 4]])
                #expect(patched["spec"] == ["count": 4], "\(patched.text)")
                #expect(patched["metadata", "generation"] == 2)
                #expect(try await cluster.get("\(Self.v1)/a")["spec"] == ["size": 4])
                for name in ["b", "c", "d"] { _ = try await cluster.post(Self.v1, Samples.object(name, ["size": 1])) }
                let mark = log.requests.count
                let list = try await cluster.get(Self.v2)
                #expect(list["items"]?.array?.count == 4)
                #expect(list["items"]?.array?.allSatisfy { $0["apiVersion"] == "apus.test/v2" } == true)
                // All objects of a list go in one request.
                #expect(log.requests.count == mark + 1)
                #expect(log.requests.last?.value(at: ["request", "objects"])?.array?.count == 4)
                var watch = try await cluster.watch("\(Self.v2)?watch=true")
                let first = try await watch.next()
                #expect(first?.value(at: ["object", "apiVersion"]) == "apus.test/v2")
                #expect(first?.value(at: ["object", "spec", "count"]) == 4)
            }
        }
    }

    @Test func `a webhook behind a service`() async throws {
        try await TestWebhook.run(Self.convert) { webhook, _ in
            try await withCluster { cluster in
                let service: JSONValue = [
                    "metadata": ["name": "hook"], "spec": ["ports": [["port": 443, "targetPort": .integer(Int64(webhook.port))]]],
                ]
                #expect(try await cluster.post("/api/v1/namespaces/default/services", service).status == 201)
                let slice: JSONValue = [
                    "metadata": ["name": "hook-1", "labels": ["kubernetes.io/service-name": "hook"]], "addressType": "IPv4",
                    "endpoints": [["addresses": ["127.0.0.1"], "conditions": ["ready": true]]],
                    "ports": [["name": "", "port": .integer(Int64(webhook.port)), "protocol": "TCP"]],
                ]
                let answer = try await cluster.post("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice)
                let client: JSONValue = [
                    "service": ["name": "hook", "namespace": "default", "path": "/convert"],
                    "caBundle": .string(Base64.encode(Array(TestWebhook.authority.utf8))),
                ]
                // Endpoints on loopback are refused by the API; then the webhook has none, and the error says so.
                try await cluster.install(Self.definition(client))
                let created = try await cluster.post(Self.v2, Samples.object("a", ["count": 3], version: "v2"))
                if answer.status == 201 {
                    #expect(created.status == 201, "\(created.text)")
                } else {
                    #expect(
                        created.message
                            == "conversion webhook for apus.test/v2, Kind=Widget failed: Post \"https://hook.default.svc:443/convert?timeout=30s\": "
                            + "no endpoints available for service \"hook\""
                    )
                }
            }
        }
    }

    @Test func `a webhook that changes what it must not`() async throws {
        let rename: @Sendable (JSONValue) -> JSONValue = { review in
            var answer = Self.convert(review)
            answer.set("other", at: ["response", "convertedObjects", "0", "metadata", "name"])
            return answer
        }
        try await TestWebhook.run(rename) { webhook, _ in
            try await withCluster { cluster in
                try await cluster.install(Self.definition(Self.client(webhook)))
                _ = try await cluster.post(Self.v1, Samples.object("a", ["size": 1]))
                let read = try await cluster.get("\(Self.v2)/a")
                #expect(read.status == 500)
                #expect(
                    read.message == "conversion webhook for apus.test/v1, Kind=Widget returned invalid converted object at index 0: "
                        + "must have the same name: a != other"
                )
            }
        }
    }

    @Test func `a webhook that cannot be reached`() async throws {
        try await withCluster { cluster in
            let client: JSONValue = [
                "url": "https://localhost:1/convert", "caBundle": .string(Base64.encode(Array(TestWebhook.authority.utf8))),
            ]
            try await cluster.install(Self.definition(client))
            _ = try await cluster.post(Self.v1, Samples.object("a", ["size": 1]))
            let read = try await cluster.get("\(Self.v2)/a")
            #expect(read.status == 500)
            #expect(read.message.hasPrefix("conversion webhook for apus.test/v1, Kind=Widget failed: Post \"https://localhost:1/convert"))
            #expect(try await cluster.get("\(Self.v1)/a").status == 200)
        }
    }
}

extension [String: JSONValue] {
    fileprivate var asJSON: JSONValue { .object(JSONObject(self)) }
}
