import Testing
import Values

@testable import APIServer

/// Exchanges about custom resources, answered as Kubernetes 1.36's own server answers them.
@Suite struct CustomResourceExchangeTests {
    private static let widgets = "/apis/apus.test/v1/namespaces/default/widgets"
    private static let widget = "\(Samples.definitions)/widgets.apus.test"

    @Test func `a definition begins with null conditions; its status belongs to the server`() async throws {
        try await withCluster { cluster in
            let definition = Samples.definition(schema: Samples.schema(["a": ["type": "string"]]))
            let created = try await cluster.post(Samples.definitions, definition)
            #expect(created["status"] == ["conditions": .null, "acceptedNames": ["kind": "", "plural": ""], "storedVersions": ["v1"]])
            try await cluster.waitFor("established") { try await cluster.condition("widgets.apus.test", "Established") == "True" }
            let records = try await cluster.get(Self.widget)["metadata", "managedFields"]?.array ?? []
            #expect(records.count == 2)
            let own = records.first { $0["manager"] == "kube-apiserver" }
            #expect(own?["subresource"] == "status")
            let status = own?.value(at: ["fieldsV1", "f:status"])
            let names: JSONValue = ["f:kind": [:], "f:listKind": [:], "f:plural": [:], "f:singular": [:]]
            #expect(status?["f:acceptedNames"] == names)
            let types = status?["f:conditions"]?.object?.keys.sorted()
            #expect(types == [#"k:{"type":"Established"}"#, #"k:{"type":"NamesAccepted"}"#])
        }
    }

    @Test func `a definition that goes keeps its generation and has no grace`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Samples.definition(schema: Samples.schema(["a": ["type": "string"]])))
            var held = Samples.object("held", [:])
            held.set(["apus.test/wait"], at: ["metadata", "finalizers"])
            #expect(try await cluster.post(Self.widgets, held).status == 201)
            let going = try await cluster.delete(Self.widget)
            #expect(going["metadata", "deletionTimestamp"] != nil)
            #expect(going["metadata", "deletionGracePeriodSeconds"] == nil)
            #expect(going["metadata", "generation"] == 1)
            let free = try await cluster.patch("\(Self.widgets)/held", ["metadata": ["finalizers": .null]])
            #expect(free.status == 200, "\(free.text)")
            try await cluster.waitFor("gone") { try await cluster.get(Self.widget).status == 404 }
        }
    }

    @Test func `custom resources must say what they are`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Samples.definition(schema: Samples.schema(["a": ["type": "string"]])))
            func message(_ body: String) async throws -> String {
                try await cluster.send("POST", Self.widgets, Array(body.utf8), type: "application/json").message
            }
            #expect(
                try await message(#"{"apiVersion":"apus.test/v1"}"#)
                    == "the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in "
                    + #"'{"apiVersion":"apus.test/v1"}' ({"apiVersion":"apus.test/v1"})"#
            )
            let other = "does not match the expected API version (apus.test/v1)"
            #expect(try await message(#"{"kind":"Widget"}"#) == "the API version in the data () \(other)")
            #expect(try await message(#"{"kind":"Pod","apiVersion":"v1"}"#) == "the API version in the data (v1) \(other)")
            #expect(
                try await message(#"{"kind":5,"apiVersion":"apus.test/v1"}"#)
                    == "the object provided is unrecognized (must be of type Widget): couldn't get version/kind; json parse error: json: "
                    + #"cannot unmarshal number into Go struct field .kind of type string ({"kind":5,"apiVersion":"apus.t ...)"#
            )
            let wrong = try await cluster.post(Self.widgets, Samples.object("x", [:], kind: "Gadget"))
            #expect(wrong.status == 422)
            #expect(wrong["details", "causes"]?.array?.first?["message"] == #"Invalid value: "Gadget": must be Widget"#)
            #expect(try await cluster.post(Self.widgets, Samples.object("x", [:])).status == 201)
            let changed = try await cluster.patch("\(Self.widgets)/x", ["kind": "Gadget"])
            #expect(changed.status == 422)
        }
    }

    @Test func `lists say that nothing is to be continued; subresources come in the definition's order`() async throws {
        try await withCluster { cluster in
            let scale: JSONValue = ["specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"]
            let schema = Samples.schema(["n": ["type": "integer"]])
            try await cluster.install(Samples.definition(schema: schema, more: ["subresources": ["status": [:], "scale": scale]]))
            #expect(try await cluster.get(Self.widgets)["metadata", "continue"] == "")
            let names = try await cluster.get("/apis/apus.test/v1")["resources"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["widgets", "widgets/status", "widgets/scale"])
        }
    }

    @Test func `what becomes atomic has its owners as a whole`() async throws {
        try await withCluster { cluster in
            func schema(_ isAtomic: Bool) -> JSONValue {
                var map: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]
                if isAtomic { map["x-kubernetes-map-type"] = "atomic" }
                let list: JSONValue = [
                    "type": "array", "items": ["type": "string"], "x-kubernetes-list-type": isAtomic ? "atomic" : "set",
                ]
                return Samples.schema(["m": map, "l": list])
            }
            func apply(_ spec: JSONValue, _ manager: String) async throws -> TestCluster.Answer {
                let target = "\(Self.widgets)/x?fieldManager=\(manager)"
                return try await cluster.patch(target, Samples.object("x", spec), type: "application/apply-patch+yaml")
            }
            try await cluster.install(Samples.definition(schema: schema(false)))
            #expect(try await apply(["m": ["a": "1"], "l": ["p"]], "one").status == 201)
            #expect(try await apply(["m": ["b": "2"], "l": ["q"]], "two").status == 200)
            var definition = try await cluster.get(Self.widget).json
            definition.set(
                [Samples.definition(schema: schema(true)).value(at: ["spec", "versions"])?.array?[0] ?? [:]],
                at: ["spec", "versions"]
            )
            #expect(try await cluster.put(Self.widget, definition).status == 200)
            var answer = try await apply(["m": ["c": "3"]], "three")
            try await cluster.waitFor("the new schema") {
                answer = try await apply(["m": ["c": "3"]], "three")
                return answer.status == 409
            }
            let fields = answer["details", "causes"]?.array?.compactMap { $0["field"]?.string }
            #expect(fields == [".spec.m", ".spec.m"])
            let touched = try await cluster.patch("\(Self.widgets)/x", ["metadata": ["labels": ["x": "y"]]])
            for manager in ["one", "two"] {
                let record = touched["metadata", "managedFields"]?.array?.first { $0["manager"]?.string == manager }
                #expect(record?.value(at: ["fieldsV1", "f:spec"]) == ["f:l": [:], "f:m": [:]])
            }
        }
    }
}
