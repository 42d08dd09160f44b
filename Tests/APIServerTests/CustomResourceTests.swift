import Testing
import Values

@testable import APIServer

@Suite struct CustomResourceTests {
    private static let widgets = "/apis/apus.test/v1/namespaces/default/widgets"

    @Test func `a definition is defaulted, gets its conditions and serves its kind`() async throws {
        try await withCluster { cluster in
            let schema = Samples.schema(["size": ["type": "integer", "default": 3, "maximum": 10], "name": ["type": "string"]])
            try await cluster.install(Samples.definition(schema: schema))
            let definition = try await cluster.get("\(Samples.definitions)/widgets.apus.test")
            #expect(definition["spec", "names", "singular"] == "widget")
            #expect(definition["spec", "names", "listKind"] == "WidgetList")
            #expect(definition["spec", "conversion", "strategy"] == "None")
            #expect(definition["status", "storedVersions"] == ["v1"])
            #expect(definition["status", "acceptedNames", "plural"] == "widgets")
            #expect(try await cluster.condition("widgets.apus.test", "NamesAccepted") == "True")

            let created = try await cluster.post(Self.widgets, Samples.object("a", ["name": "x", "other": 1]))
            #expect(created.status == 201, "\(created.text)")
            #expect(created["spec"] == ["name": "x", "size": 3])
            #expect(created["metadata", "generation"] == 1)
            #expect(created.warnings == ["299 - \"unknown field \\\"spec.other\\\"\""])
            let read = try await cluster.get("\(Self.widgets)/a")
            #expect(read["spec"] == ["name": "x", "size": 3])
            let list = try await cluster.get("/apis/apus.test/v1/widgets")
            #expect(list["kind"] == "WidgetList")
            #expect(list["items"]?.array?.count == 1)
        }
    }

    @Test func `invalid objects are refused in upstream's words`() async throws {
        try await withCluster { cluster in
            let schema = Samples.schema(
                [
                    "size": ["type": "integer", "minimum": 1, "maximum": 10], "color": ["type": "string", "enum": ["red", "blue"]],
                    "when": ["type": "string", "format": "date-time"],
                    "list": ["type": "array", "items": ["type": "string"], "maxItems": 1],
                ],
                required: ["size"]
            )
            try await cluster.install(Samples.definition(schema: schema))
            let spec: JSONValue = ["size": 11, "color": "green", "when": "now", "list": ["a", "b"]]
            let refused = try await cluster.post(Self.widgets, Samples.object("a", spec))
            #expect(refused.status == 422)
            let causes = refused["details", "causes"]?.array?.compactMap { cause in
                "\(cause["field"]?.string ?? ""): \(cause["message"]?.string ?? "")"
            }
            #expect(
                causes?.sorted() == [
                    "spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"",
                    "spec.list: Too many: 2: must have at most 1 item",
                    "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10",
                    "spec.when: Invalid value: \"now\": spec.when in body must be of type date-time: \"now\"",
                ]
            )
            let missing = try await cluster.post(Self.widgets, Samples.object("a", [:]))
            #expect(missing.message == "Widget.apus.test \"a\" is invalid: spec.size: Required value")
            let wrong = try await cluster.post(Self.widgets, Samples.object("a", ["size": "x"]))
            #expect(
                wrong.message
                    == "Widget.apus.test \"a\" is invalid: spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\""
            )
        }
    }

    @Test func `strict validation names unknown and duplicate fields`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Samples.definition(schema: Samples.schema(["a": ["type": "string"]])))
            let body =
                #"{"apiVersion":"apus.test/v1","kind":"Widget","metadata":{"name":"x","foo":1},"spec":{"a":"1","a":"2","b":{"c":1}}}"#
            let strict = try await cluster.send(
                "POST",
                "\(Self.widgets)?fieldValidation=Strict",
                Array(body.utf8),
                type: "application/json"
            )
            #expect(strict.status == 400)
            #expect(
                strict.message
                    == "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: duplicate field \"spec.a\", "
                    + "unknown field \"metadata.foo\", unknown field \"spec.b\""
            )
        }
    }

    @Test func `updates raise the generation, the status goes its own way`() async throws {
        try await withCluster { cluster in
            var schema = Samples.schema(["a": ["type": "string"]])
            schema.set(["type": "object", "properties": ["n": ["type": "integer"]]], at: ["properties", "status"])
            try await cluster.install(Samples.definition(schema: schema, status: true))
            var object = Samples.object("x", ["a": "1"])
            object["status"] = ["n": 1]
            let created = try await cluster.post(Self.widgets, object)
            #expect(created["status"] == nil)
            let changed = try await cluster.patch("\(Self.widgets)/x", ["spec": ["a": "2"], "status": ["n": 5]])
            #expect(changed["metadata", "generation"] == 2)
            #expect(changed["status"] == nil)
            let status = try await cluster.patch("\(Self.widgets)/x/status", ["spec": ["a": "3"], "status": ["n": 7]])
            #expect(status["status", "n"] == 7)
            #expect(status["spec", "a"] == "2")
            #expect(status["metadata", "generation"] == 2)
            let labeled = try await cluster.patch("\(Self.widgets)/x", ["metadata": ["labels": ["l": "1"]]])
            #expect(labeled["metadata", "generation"] == 2)
            let wrong = try await cluster.patch("\(Self.widgets)/x/status", ["status": ["n": "no"]])
            #expect(wrong.status == 422)
            #expect(wrong.message.contains("status.n: Invalid value: \"string\": n in body must be of type integer"))
            let strategic = try await cluster.patch("\(Self.widgets)/x", [:], type: "application/strategic-merge-patch+json")
            let other = try await cluster.patch("\(Self.widgets)/x", [:], type: "application/json")
            for refused in [strategic, other] {
                #expect(refused.status == 415)
                #expect(
                    refused.message
                        == "the body of the request was in an unknown format - accepted media types include: "
                        + "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
                )
            }
            let blind = try await cluster.put("\(Self.widgets)/x", Samples.object("x", ["a": "1"]))
            #expect(blind.status == 422)
            #expect(blind.message.contains("metadata.resourceVersion: Invalid value: 0: must be specified for an update"))
        }
    }

    @Test func `a kind goes with its objects`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Samples.definition(schema: Samples.schema(["a": ["type": "string"]])))
            var object = Samples.object("x", ["a": "1"])
            object.set(["apus.test/hold"], at: ["metadata", "finalizers"])
            #expect(try await cluster.post(Self.widgets, object).status == 201)
            #expect(try await cluster.post(Self.widgets, Samples.object("y", ["a": "1"])).status == 201)
            let deleted = try await cluster.delete("\(Samples.definitions)/widgets.apus.test")
            #expect(deleted.status == 200)
            #expect(deleted["kind"] == "CustomResourceDefinition")
            #expect(deleted["metadata", "finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"])
            try await cluster.waitFor("y gone") { try await cluster.get("\(Self.widgets)/y").status == 404 }
            let late = try await cluster.post(Self.widgets, Samples.object("z", ["a": "1"]))
            #expect(late.status == 403)
            #expect(
                late.message
                    == "widgets.apus.test \"z\" is forbidden: create not allowed while custom resource definition is terminating"
            )
            #expect(try await cluster.get("\(Samples.definitions)/widgets.apus.test").status == 200)
            _ = try await cluster.patch("\(Self.widgets)/x", ["metadata": ["finalizers": .null]])
            try await cluster.waitFor("definition gone") {
                try await cluster.get("\(Samples.definitions)/widgets.apus.test").status == 404
            }
            try await cluster.waitFor("kind gone") { try await cluster.get(Self.widgets).status == 404 }
        }
    }

    @Test func `names are granted once and pass on`() async throws {
        try await withCluster { cluster in
            var first = Samples.definition(schema: Samples.schema([:]))
            first.set(["w"], at: ["spec", "names", "shortNames"])
            try await cluster.install(first)
            var second = Samples.definition(kind: "Gadget", schema: Samples.schema([:]))
            second.set(["w"], at: ["spec", "names", "shortNames"])
            #expect(try await cluster.post(Samples.definitions, second).status == 201)
            try await cluster.waitFor("conflict") { try await cluster.condition("gadgets.apus.test", "NamesAccepted") == "False" }
            let found = try await cluster.get("\(Samples.definitions)/gadgets.apus.test")
            let condition = found["status", "conditions"]?.array?.first { $0["type"] == "NamesAccepted" }
            #expect(condition?["reason"] == "ShortNamesConflict")
            #expect(condition?["message"] == "\"w\" is already in use")
            #expect(try await cluster.condition("gadgets.apus.test", "Established") == "False")
            #expect(try await cluster.get("/apis/apus.test/v1/gadgets").status == 404)
            _ = try await cluster.delete("\(Samples.definitions)/widgets.apus.test")
            try await cluster.waitFor("granted") { try await cluster.condition("gadgets.apus.test", "Established") == "True" }
            #expect(try await cluster.get("/apis/apus.test/v1/gadgets").status == 200)
        }
    }

    @Test func `discovery follows at once`() async throws {
        try await withCluster { cluster in
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
            let before = try await cluster.get("/apis", accept: accept).headers["etag"]
            try await cluster.install(Samples.definition(schema: Samples.schema([:]), status: true))
            let after = try await cluster.get("/apis", accept: accept)
            #expect(after.headers["etag"] != before)
            let group = after["items"]?.array?.first { $0.value(at: ["metadata", "name"]) == "apus.test" }
            let resource = group?.value(at: ["versions", "0", "resources", "0"])
            #expect(resource?["resource"] == "widgets")
            #expect(
                resource?["verbs"] == ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
            )
            #expect(resource?.value(at: ["subresources", "0", "subresource"]) == "status")
            let legacy = try await cluster.get("/apis/apus.test/v1")
            #expect(legacy["resources"]?.array?.map { $0["name"]?.string ?? "" } == ["widgets", "widgets/status"])
            #expect(legacy["resources", "0", "storageVersionHash"]?.string?.isEmpty == false)
        }
    }

    @Test func `columns, selectable fields and scale`() async throws {
        try await withCluster { cluster in
            let more: JSONValue = [
                "additionalPrinterColumns": [
                    ["name": "Size", "type": "integer", "jsonPath": ".spec.size"],
                    ["name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"],
                ],
                "selectableFields": [["jsonPath": ".spec.color"]],
                "subresources": [
                    "status": [:],
                    "scale": [
                        "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.selector",
                    ],
                ],
            ]
            var schema = Samples.schema(["size": ["type": "integer"], "color": ["type": "string"]])
            schema.set(["type": "object", "x-kubernetes-preserve-unknown-fields": true], at: ["properties", "status"])
            try await cluster.install(Samples.definition(schema: schema, more: more))
            _ = try await cluster.post(Self.widgets, Samples.object("a", ["size": 2, "color": "red"]))
            _ = try await cluster.post(Self.widgets, Samples.object("b", ["size": 5, "color": "blue"]))
            let status: JSONValue = ["status": ["conditions": [["type": "Ready", "status": "True"]], "size": 1, "selector": "app=x"]]
            _ = try await cluster.patch("\(Self.widgets)/a/status", status)
            let table = try await cluster.get(Self.widgets, accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
            #expect(table["columnDefinitions"]?.array?.map { $0["name"]?.string ?? "" } == ["Name", "Size", "Ready"])
            #expect(table["rows", "0", "cells"] == ["a", 2, "True"])
            #expect(table["rows", "1", "cells"] == ["b", 5, .null])
            let blue = try await cluster.get("\(Self.widgets)?fieldSelector=spec.color%3Dblue")
            #expect(blue["items"]?.array?.count == 1)
            #expect(blue["items", "0", "metadata", "name"] == "b")
            #expect(try await cluster.get("\(Self.widgets)?fieldSelector=spec.size%3D2").status == 400)
            let scale = try await cluster.get("\(Self.widgets)/a/scale")
            #expect(scale["spec", "replicas"] == 2)
            #expect(scale["status"] == ["replicas": 1, "selector": "app=x"])
            let scaled = try await cluster.patch("\(Self.widgets)/a/scale", ["spec": ["replicas": 9]])
            #expect(scaled["spec", "replicas"] == 9)
            #expect(try await cluster.get("\(Self.widgets)/a")["spec", "size"] == 9)
            let below = try await cluster.patch("\(Self.widgets)/a/scale", ["spec": ["replicas": -1]])
            #expect(below.status == 422, "\(below.text)")
        }
    }

    @Test func `several versions differ by name, and stored objects follow the definition`() async throws {
        try await withCluster { cluster in
            let old = Samples.schema(["a": ["type": "string"], "legacy": ["type": "string"]])
            let new = Samples.schema(["a": ["type": "string"], "b": ["type": "string", "default": "new"]])
            func version(_ name: String, _ schema: JSONValue, storage: Bool) -> JSONValue {
                ["name": .string(name), "served": true, "storage": .bool(storage), "schema": ["openAPIV3Schema": schema]]
            }
            try await cluster.install(Samples.definition(versions: [version("v1", old, storage: true)]))
            _ = try await cluster.post(Self.widgets, Samples.object("x", ["a": "1", "legacy": "l"]))
            let path = "\(Samples.definitions)/widgets.apus.test"
            let versions: JSONValue = [version("v1", old, storage: false), version("v2", new, storage: true)]
            let changed = try await cluster.patch(path, ["spec": ["versions": versions]])
            #expect(changed.status == 200, "\(changed.text)")
            #expect(changed["status", "storedVersions"] == ["v1", "v2"])
            #expect(changed["metadata", "generation"] == 2)
            let v2 = "/apis/apus.test/v2/namespaces/default/widgets/x"
            try await cluster.waitFor("v2 served") { try await cluster.get(v2).status == 200 }
            let read = try await cluster.get(v2)
            #expect(read["apiVersion"] == "apus.test/v2")
            #expect(read["spec"] == ["a": "1"])
            _ = try await cluster.patch(v2, ["spec": ["a": "2"]])
            let after = try await cluster.get(v2)
            #expect(after["spec"] == ["a": "2", "b": "new"])
            let asOld = try await cluster.get("\(Self.widgets)/x")
            #expect(asOld["apiVersion"] == "apus.test/v1")
            #expect(asOld["spec"] == ["a": "2"])
            let early = try await cluster.patch(path, ["spec": ["versions": [version("v2", new, storage: true)]]])
            #expect(early.status == 422)
            #expect(early.message.contains("status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions"))
        }
    }
}
