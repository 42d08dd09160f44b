import Testing
import Values

@testable import APIServer

/// Field selectors over what only a webhook makes of the stored objects.
@Suite struct ConvertedSelectorTests {
    private static let v1 = "/apis/apus.test/v1/namespaces/default/widgets"
    private static let v2 = "/apis/apus.test/v2/namespaces/default/widgets"

    private static func definition(_ webhook: TestWebhook) -> JSONValue {
        func version(_ name: String, _ field: String, storage: Bool) -> JSONValue {
            [
                "name": .string(name), "served": true, "storage": .bool(storage),
                "schema": ["openAPIV3Schema": Samples.schema([field: ["type": "integer"]])],
                "selectableFields": [["jsonPath": .string(".spec.\(field)")]],
            ]
        }
        var definition = Samples.definition(versions: [version("v1", "size", storage: true), version("v2", "count", storage: false)])
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
            let isNew = desired.hasSuffix("v2")
            if let size = object.value(at: ["spec", isNew ? "size" : "count"]) { object["spec"] = [isNew ? "count" : "size": size] }
            return object
        }
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
            "response": [
                "uid": review.value(at: ["request", "uid"]) ?? "", "result": ["status": "Success"], "convertedObjects": .array(objects),
            ],
        ]
    }

    private static func names(_ list: TestCluster.Answer) -> [String] {
        (list["items"]?.array ?? []).compactMap { $0.value(at: ["metadata", "name"])?.string }
    }

    @Test func `objects are selected by the fields of the version asked for`() async throws {
        try await TestWebhook.run(Self.convert) { webhook, _ in
            try await withCluster { cluster in
                try await cluster.install(Self.definition(webhook))
                for (name, size) in [("a", 1), ("b", 2), ("c", 1)] {
                    let made = try await cluster.post(Self.v1, Samples.object(name, ["size": .integer(Int64(size))]))
                    #expect(made.status == 201, "\(made.text)")
                }
                #expect(Self.names(try await cluster.get("\(Self.v2)?fieldSelector=spec.count%3D1")) == ["a", "c"])
                #expect(Self.names(try await cluster.get("\(Self.v1)?fieldSelector=spec.size%3D2")) == ["b"])
                #expect(try await cluster.get("\(Self.v2)?fieldSelector=spec.size%3D1").status == 400)
                let deleted = try await cluster.delete("\(Self.v2)?fieldSelector=spec.count%3D1")
                #expect(Self.names(deleted) == ["a", "c"])
                #expect(Self.names(try await cluster.get(Self.v1)) == ["b"])
            }
        }
    }

    @Test func `a watch is told of objects that come into the selection and leave it`() async throws {
        try await TestWebhook.run(Self.convert) { webhook, _ in
            try await withCluster { cluster in
                try await cluster.install(Self.definition(webhook))
                _ = try await cluster.post(Self.v1, Samples.object("a", ["size": 1]))
                var watch = try await cluster.watch("\(Self.v2)?watch=true&fieldSelector=spec.count%3D1")
                #expect(try await watch.line() == "ADDED a")
                _ = try await cluster.post(Self.v1, Samples.object("b", ["size": 2]))
                _ = try await cluster.patch("\(Self.v1)/b", ["spec": ["size": 1]])
                #expect(try await watch.line() == "ADDED b")
                _ = try await cluster.patch("\(Self.v1)/b", ["metadata": ["labels": ["l": "1"]]])
                #expect(try await watch.line() == "MODIFIED b")
                _ = try await cluster.patch("\(Self.v1)/a", ["spec": ["size": 3]])
                #expect(try await watch.line() == "DELETED a")
                _ = try await cluster.delete("\(Self.v1)/b")
                #expect(try await watch.line() == "DELETED b")
            }
        }
    }
}
