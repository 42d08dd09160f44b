import Testing
import Values

@testable import APIServer

/// What the definitions and examples of well-known operators found, as upstream answers it.
@Suite struct CustomResourceFoundTests {
    private static let widgets = "/apis/apus.test/v1/namespaces/default/widgets"

    private func apply(_ cluster: TestCluster, _ name: String, _ spec: JSONValue, by manager: String) async throws -> TestCluster.Answer {
        let target = "\(Self.widgets)/\(name)?fieldManager=\(manager)&fieldValidation=Strict&force=true"
        return try await cluster.patch(target, Samples.object(name, spec), type: "application/apply-patch+yaml")
    }

    @Test func `a status that nobody may give comes back with its defaults`() async throws {
        try await withCluster { cluster in
            var schema = Samples.schema(["size": ["type": "integer"]])
            schema.set(
                [
                    "type": "object", "default": ["phase": "New"],
                    "properties": ["phase": ["type": "string"], "seen": ["type": "integer", "default": -1]],
                ],
                at: ["properties", "status"]
            )
            try await cluster.install(Samples.definition(schema: schema, status: true))
            var given = Samples.object("a", ["size": 1])
            given["status"] = ["phase": "Mine"]
            let created = try await cluster.post(Self.widgets, given)
            #expect(created["status"] == ["phase": "New", "seen": -1])
            #expect(try await cluster.get("\(Self.widgets)/a")["status"] == ["phase": "New", "seen": -1])
            let applied = try await apply(cluster, "b", ["size": 1], by: "m")
            #expect(applied["status"] == ["phase": "New", "seen": -1])
        }
    }

    @Test func `fields that only the stored version knows have its defaults, and both versions show what both know`() async throws {
        try await withCluster { cluster in
            func version(_ name: String, _ properties: JSONValue, storage: Bool) -> JSONValue {
                [
                    "name": .string(name), "served": true, "storage": .bool(storage),
                    "schema": ["openAPIV3Schema": Samples.schema(properties)],
                ]
            }
            let stored = version("v1", ["mode": ["type": "string", "default": "Slow"]], storage: true)
            try await cluster.install(
                Samples.definition(versions: [stored, version("v2", ["mode": ["type": "string"]], storage: false)])
            )
            let v2 = "/apis/apus.test/v2/namespaces/default/widgets"
            let created = try await cluster.post(v2, Samples.object("a", [:], version: "v2"))
            #expect(created.status == 201 && created["spec"] == ["mode": "Slow"])
            let changed = try await cluster.patch("\(v2)/a", ["spec": ["mode": .null]])
            #expect(changed["spec"] == ["mode": "Slow"])
        }
    }

    @Test func `an object that declares nothing may be applied with any members; they are owned, and pruned`() async throws {
        try await withCluster { cluster in
            let bare: JSONValue = ["type": "object"]
            try await cluster.install(
                Samples.definition(schema: Samples.schema(["bare": bare, "list": ["type": "array", "items": bare]]))
            )
            let applied = try await apply(cluster, "a", ["bare": ["z": ["y": [1]]], "list": [["kind": "x"], [:]]], by: "m")
            #expect(applied.status == 201, "\(applied.text)")
            #expect(applied["spec"] == ["bare": [:], "list": [[:], [:]]])
            let owned = applied["metadata", "managedFields"]?.array?.first?["fieldsV1"]
            #expect(owned == ["f:spec": ["f:bare": ["f:z": [".": [:], "f:y": [:]]], "f:list": [:]]])
            let unknown = try await apply(cluster, "b", ["other": 1], by: "m")
            #expect(unknown.status == 500 && unknown.message.hasSuffix(".spec.other: field not declared in schema"))
        }
    }

    @Test func `nulls are refused in what is applied, and dropped from what is created`() async throws {
        try await withCluster { cluster in
            let properties: JSONValue = [
                "need": ["type": "string"], "list": ["type": "array", "items": ["type": "string"]],
                "free": ["type": "string", "nullable": true], "preset": ["type": "string", "default": "d"],
            ]
            try await cluster.install(Samples.definition(schema: Samples.schema(properties, required: ["need"])))
            let refused = try await apply(cluster, "a", ["need": .null, "list": .null], by: "m")
            let causes = refused["details", "causes"]?.array?.compactMap { $0["message"]?.string }.sorted()
            #expect(
                causes == [
                    "Invalid value: \"null\": spec.list in body must be of type array: \"null\"",
                    "Invalid value: \"null\": spec.need in body must be of type string: \"null\"",
                ]
            )
            let applied = try await apply(cluster, "a", ["need": "n", "free": .null, "preset": .null], by: "m")
            #expect(applied["spec"] == ["need": "n", "free": .null, "preset": "d"])
            let created = try await cluster.post(Self.widgets, Samples.object("b", ["need": "n", "list": .null]))
            #expect(created["spec"] == ["need": "n", "preset": "d"])
        }
    }

    @Test func `numbers beyond what a float tells apart are no integers, and are shown as Go shows them`() async throws {
        try await withCluster { cluster in
            let properties: JSONValue = [
                "wide": ["type": "integer", "format": "int64"], "plain": ["type": "integer"],
                "most": ["type": "number", "maximum": 2_000_000],
            ]
            try await cluster.install(Samples.definition(schema: Samples.schema(properties)))
            let huge = JSONValue.number(18_446_744_073_709_551_615)
            let refused = try await cluster.post(Self.widgets, Samples.object("a", ["wide": huge, "plain": huge, "most": huge]))
            let causes = refused["details", "causes"]?.array?.compactMap { $0["message"]?.string } ?? []
            #expect(causes.contains("Invalid value: \"float64\": spec.wide in body must be of type int64: \"float64\""), "\(causes)")
            #expect(causes.contains("Invalid value: \"number\": spec.plain in body must be of type integer: \"number\""))
            #expect(
                causes.contains("Invalid value: 1.8446744073709552e+19: spec.most in body should be less than or equal to 2e+06")
            )
        }
    }

    @Test func `documents of custom resources: selectable fields everywhere, choices added, nullable fields not required in v2`()
        async throws
    {
        try await withCluster { cluster in
            let properties: JSONValue = [
                "name": ["type": "string"], "maybe": ["type": "string", "nullable": true],
                "size": ["type": "string", "x-kubernetes-int-or-string": true, "pattern": "^.$"],
                "port": ["x-kubernetes-int-or-string": true, "allOf": [["not": ["enum": [0]]]]],
            ]
            let definition = Samples.definition(
                schema: Samples.schema(properties, required: ["name", "maybe"]),
                more: ["selectableFields": [["jsonPath": ".spec.name"]]]
            )
            try await cluster.install(definition)
            let v3 = try await cluster.get("/openapi/v3/apis/apus.test/v1")
            let selectable: JSONValue = [["fieldPath": "spec.name"]]
            let v2 = try await cluster.get("/openapi/v2")
            for name in ["test.apus.v1.Widget", "test.apus.v1.WidgetList"] {
                #expect(v3["components", "schemas", name, "x-kubernetes-selectable-fields"] == selectable, "\(name)")
                #expect(v2["definitions", name, "x-kubernetes-selectable-fields"] == selectable, "\(name)")
            }
            let spec = v3["components", "schemas", "test.apus.v1.Widget", "properties", "spec"]
            #expect(spec?["properties"]?["port"]?["anyOf"] == [["type": "integer"], ["type": "string"]])
            #expect(spec?["required"] == ["name", "maybe"])
            let plain = v2["definitions", "test.apus.v1.Widget", "properties", "spec"]
            #expect(plain?["required"] == ["name"])
            #expect(plain?["properties"]?["size"] == ["type": "string", "x-kubernetes-int-or-string": true, "pattern": "^.$"])
            #expect(v3["info", "title"] == "Kubernetes CRD Swagger")
            #expect(v3["components", "securitySchemes"] == nil)
        }
    }
}
