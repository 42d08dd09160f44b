import HTTPTransport
import Testing
import Values

@testable import APIServer

/// Server-side apply by managers that write in different versions, where a webhook renames the fields between them.
@Suite struct WebhookApplyTests {
    private static let path = "/apis/apus.test/%/namespaces/default/widgets/a"
    private static let names = [("size", "count"), ("color", "colour"), ("items", "parts")]

    private static func definition(_ webhook: TestWebhook) -> JSONValue {
        func version(_ name: String, storage: Bool) -> JSONValue {
            let integer: JSONValue = ["type": "integer"]
            let list: JSONValue = ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "string"]]
            let isNew = name == "v2"
            var fields: JSONValue = [:]
            for (pair, type) in zip(names, [integer, ["type": "string"], list]) { fields[isNew ? pair.1 : pair.0] = type }
            return [
                "name": .string(name), "served": true, "storage": .bool(storage),
                "schema": ["openAPIV3Schema": Samples.schema(fields)],
            ]
        }
        var definition = Samples.definition(versions: [version("v1", storage: true), version("v2", storage: false)])
        let client: JSONValue = [
            "url": .string("https://localhost:\(webhook.port)/convert"),
            "caBundle": .string(Base64.encode(Array(TestWebhook.authority.utf8))),
        ]
        definition.set(
            ["strategy": "Webhook", "webhook": ["conversionReviewVersions": ["v1"], "clientConfig": client]],
            at: ["spec", "conversion"]
        )
        return definition
    }

    @Sendable private static func convert(_ review: JSONValue) -> JSONValue {
        let desired = review.value(at: ["request", "desiredAPIVersion"])?.string ?? ""
        let objects = (review.value(at: ["request", "objects"])?.array ?? []).map { object -> JSONValue in
            var object = object
            object["apiVersion"] = .string(desired)
            guard var spec = object["spec"] else { return object }
            for (old, new) in names {
                let (from, to) = desired.hasSuffix("v2") ? (old, new) : (new, old)
                guard let value = spec[from] else { continue }
                spec[from] = nil
                spec[to] = value
            }
            object["spec"] = spec
            return object
        }
        let uid = review.value(at: ["request", "uid"]) ?? ""
        // An object that asks for it cannot be converted.
        let fails = objects.contains { $0.value(at: ["spec", "color"]) == "broken" || $0.value(at: ["spec", "colour"]) == "broken" }
        let response: JSONValue =
            fails
            ? ["uid": uid, "result": ["status": "Failure", "message": "no way"]]
            : ["uid": uid, "result": ["status": "Success"], "convertedObjects": .array(objects)]
        return ["apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "response": response]
    }

    private static func at(_ version: String) -> String { path.split(separator: "%").joined(separator: version) }

    private static func apply(
        _ cluster: TestCluster,
        _ version: String,
        _ manager: String,
        _ spec: JSONValue,
        force: Bool = false
    ) async throws -> TestCluster.Answer {
        let query = "?fieldManager=\(manager)" + (force ? "&force=true" : "")
        let object = Samples.object("a", spec, version: version)
        return try await cluster.patch(at(version) + query, object, type: "application/apply-patch+yaml")
    }

    /// What each manager owns in the spec.
    private static func owned(_ answer: TestCluster.Answer) -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        for record in answer["metadata", "managedFields"]?.array ?? [] {
            found[record["manager"]?.string ?? ""] = record.value(at: ["fieldsV1", "f:spec"])
        }
        return found
    }

    private static func run(_ body: @Sendable @escaping (TestCluster) async throws -> Void) async throws {
        try await TestWebhook.run(convert) { webhook, _ in
            try await withCluster { cluster in
                try await cluster.install(definition(webhook))
                try await body(cluster)
            }
        }
    }

    @Test func `conflicts are found, and named in the version of the owner`() async throws {
        try await Self.run { cluster in
            #expect(try await Self.apply(cluster, "v1", "one", ["size": 1, "color": "red"]).status == 201)
            let agrees = try await Self.apply(cluster, "v2", "two", ["colour": "red"])
            #expect(Self.owned(agrees) == ["one": ["f:size": [:], "f:color": [:]], "two": ["f:colour": [:]]], "\(agrees.text)")
            let refused = try await Self.apply(cluster, "v2", "two", ["colour": "red", "count": 2])
            #expect(refused.status == 409)
            #expect(refused.message == "Apply failed with 1 conflict: conflict with \"one\": .spec.size")
            let forced = try await Self.apply(cluster, "v2", "two", ["colour": "red", "count": 2], force: true)
            #expect(forced["spec"] == ["colour": "red", "count": 2])
            #expect(Self.owned(forced) == ["one": ["f:color": [:]], "two": ["f:colour": [:], "f:count": [:]]])
        }
    }

    @Test func `what an applier leaves out goes unless somebody owns it in another version`() async throws {
        try await Self.run { cluster in
            _ = try await Self.apply(cluster, "v1", "one", ["size": 1, "color": "red", "items": ["a", "b"]])
            _ = try await Self.apply(cluster, "v2", "two", ["colour": "red", "parts": ["b", "c"]])
            // The same manager goes over to the other version, and leaves out all but one item.
            let handed = try await Self.apply(cluster, "v2", "one", ["parts": ["b"]])
            #expect(handed["spec"] == ["colour": "red", "parts": ["b", "c"]], "\(handed.text)")
            #expect(Self.owned(handed)["one"] == ["f:parts": ["v:\"b\"": [:]]])
            let last = try await Self.apply(cluster, "v1", "two", ["color": "red"])
            #expect(last["spec"] == ["color": "red", "items": ["b"]], "\(last.text)")
            #expect(Self.owned(last) == ["one": ["f:parts": ["v:\"b\"": [:]]], "two": ["f:color": [:]]])
        }
    }

    @Test func `a write in one version takes fields that are owned in another`() async throws {
        try await Self.run { cluster in
            _ = try await Self.apply(cluster, "v1", "one", ["size": 1, "color": "red"])
            let patched = try await cluster.patch(Self.at("v2") + "?fieldManager=up", ["spec": ["count": 7]])
            #expect(Self.owned(patched) == ["one": ["f:color": [:]], "up": ["f:count": [:]]], "\(patched.text)")
            #expect(try await cluster.get(Self.at("v1"))["spec"] == ["size": 7, "color": "red"])
        }
    }

    @Test func `where the webhook fails an apply fails, and another write loses the records`() async throws {
        try await Self.run { cluster in
            _ = try await Self.apply(cluster, "v1", "one", ["size": 1])
            _ = try await cluster.patch(Self.at("v2") + "?fieldManager=up", ["spec": ["count": 2]])
            let written = try await cluster.patch(Self.at("v1") + "?fieldManager=up", ["spec": ["color": "broken"]])
            #expect(written.status == 200 && written["metadata", "managedFields"] == nil, "\(written.text)")
            let applied = try await Self.apply(cluster, "v2", "two", ["count": 3])
            #expect(applied.status == 500)
            #expect(applied.message == "conversion webhook for apus.test/v1, Kind=Widget failed: no way")
        }
    }
}
