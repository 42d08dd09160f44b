import APIModel
import APITypes
import Schema
import Testing
import Units
import Values

@Suite struct FieldOwnershipTests {
    static let deployment = BuiltinSchema.node("io.k8s.api.apps.v1.Deployment")
    static let write = OwnedWrite(apiVersion: "apps/v1", schema: deployment, time: "2027-01-15T08:00:00Z")

    static func manager(_ name: String, _ operation: String = "Apply") -> ManagedFields.Manager {
        ManagedFields.Manager(name: name, operation: operation, apiVersion: "apps/v1")
    }

    static func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

    @Test func `a configuration claims its leaves and its list elements`() throws {
        let value = try Self.parse(
            #"{"metadata":{"labels":{"a":"b"}},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],"args":["x"]}],"nodeSelector":{}}}}}"#
        )
        let claimed = FieldOwnership.claimed(by: value, Self.deployment)
        #expect(
            claimed.json
                == (try Self.parse(
                    #"{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:args":{},"f:image":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}},"f:nodeSelector":{}}}}}"#
                ))
        )
        #expect(FieldSet(json: claimed.json) == claimed)
    }

    @Test func `a field set keeps to the laws of sets`() {
        let a = FieldSet(path: [.field("a"), .field("b")]).union(FieldSet(path: [.field("a")]))
        let b = FieldSet(path: [.field("a"), .field("b")])
        #expect(a.subtracting(b) == FieldSet(path: [.field("a")]))
        #expect(a.intersection(b) == b)
        #expect(a.union(b) == a)
        #expect(a.subtracting(a).isEmpty)
        #expect(a.contains([.field("a")]) && a.contains([.field("a"), .field("b")]) && !b.contains([.field("a")]))
        #expect(FieldSet(json: ["x:y": [:]]) == nil)
        #expect(FieldSet(json: ["f:a": [".": [:], "v:\"x\"": [:]]])?.paths == [".a", ".a[=\"x\"]"])
    }

    /// Applies without force, failing the test on a conflict.
    static func apply(
        _ fields: inout ManagedFields,
        _ configuration: JSONValue,
        to live: JSONValue,
        by name: String,
        force: Bool = false
    ) throws(ApplyConflicts) -> JSONValue {
        try fields.apply(configuration, to: live, by: manager(name), write, force: force)
    }

    @Test func `two managers share a list and leave it one by one`() throws {
        var fields = ManagedFields()
        let one = try Self.parse(#"{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"1"}]}}}}"#)
        let two = try Self.parse(#"{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"2"}]}}}}"#)
        var live = try Self.apply(&fields, one, to: [:], by: "x")
        live = try Self.apply(&fields, two, to: live, by: "y")
        let names = live.value(at: ["spec", "template", "spec", "containers"])?.array?.map { $0["name"] }
        #expect(Set(names ?? []) == ["a", "b"])
        live = try Self.apply(&fields, Self.parse(#"{"spec":{"template":{"spec":{}}}}"#), to: live, by: "x")
        #expect(live.value(at: ["spec", "template", "spec", "containers"]) == [["name": "b", "image": "2"]], "\(live)")
    }

    @Test func `another manager's field is a conflict, unless forced or equal`() throws {
        var fields = ManagedFields()
        let live: JSONValue = ["spec": ["replicas": 1]]
        fields.update(from: [:], to: live, by: Self.manager("kubectl-client-side-apply", "Update"), Self.write)
        let three: JSONValue = ["spec": ["replicas": 3]]
        let conflicts = #expect(throws: ApplyConflicts.self) { try Self.apply(&fields, three, to: live, by: "x") }
        #expect(
            conflicts?.error.message
                == #"Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas"#
        )
        #expect(conflicts?.error.details?.causes.first?.reason == "FieldManagerConflict")
        _ = try Self.apply(&fields, live, to: live, by: "y")
        #expect(fields.entries.count == 2)
        #expect(fields.entries.first { $0.manager.name == "y" }?.time == nil, "nothing changed, so there is no time")
        let forced = try Self.apply(&fields, three, to: live, by: "x", force: true)
        #expect(forced == three)
        let owners = fields.entries.filter { $0.fields.contains([.field("spec"), .field("replicas")]) }
        #expect(owners.map(\.manager.name) == ["x"])
    }

    @Test func `entries survive the object`() throws {
        var fields = ManagedFields()
        let given: JSONValue = ["metadata": ["name": "d", "labels": ["a": "b"]], "spec": ["replicas": 1]]
        _ = try Self.apply(&fields, given, to: ["metadata": ["name": "d"]], by: "x")
        let again = ManagedFields(checking: fields.json)
        #expect(again?.entries == fields.entries)
        #expect(
            fields.json?[0]
                == [
                    "manager": "x", "operation": "Apply", "apiVersion": "apps/v1", "time": "2027-01-15T08:00:00Z",
                    "fieldsType": "FieldsV1", "fieldsV1": ["f:metadata": ["f:labels": ["f:a": [:]]], "f:spec": ["f:replicas": [:]]],
                ]
        )
        #expect(ManagedFields(checking: [["manager": "x", "operation": "Look"]]) == nil)
        #expect(ManagedFields(checking: [["operation": "Apply", "fieldsV1": ["q": [:]]]]) == nil)
    }

    @Test func `an update takes over what it changes and gives up what it removes`() {
        var fields = ManagedFields()
        let first: JSONValue = ["spec": ["replicas": 1, "paused": true]]
        let second: JSONValue = ["spec": ["replicas": 2]]
        fields.update(from: [:], to: first, by: Self.manager("a", "Update"), Self.write)
        fields.update(from: first, to: second, by: Self.manager("b", "Update"), Self.write)
        #expect(fields.fields(of: Self.manager("a", "Update"))?.paths == [".spec"])
        #expect(fields.fields(of: Self.manager("b", "Update"))?.paths == [".spec.replicas"])
    }

    @Test func `ten updaters are kept apart, the oldest of more are merged`() {
        var fields = ManagedFields()
        var live: JSONValue = ["spec": ["replicas": 0]]
        for number in 0..<12 {
            var next = live
            next.set("v", at: ["metadata", "labels", "l\(number)"])
            var write = Self.write
            write.time = "2027-01-15T08:00:\(number + 10)Z"
            fields.update(from: live, to: next, by: Self.manager("m\(number)", "Update"), write)
            live = next
        }
        #expect(fields.entries.count == 10)
        let bucket = fields.entries.first { $0.manager.name == "ancient-changes" }
        #expect(bucket?.fields.paths == [".metadata.labels", ".metadata.labels.l0", ".metadata.labels.l1", ".metadata.labels.l2"])
        #expect(bucket?.time == "2027-01-15T08:00:12Z")
    }

    @Test func `a configuration is checked against its type`() throws {
        func problem(_ text: String) throws -> String? { AppliedCheck.problem(in: try Self.parse(text), Self.deployment) }
        #expect(try problem(#"{"spec":{"replicas":1}}"#) == nil)
        #expect(try problem(#"{"spec":{"color":1}}"#) == ".spec.color: field not declared in schema")
        #expect(try problem(#"{"spec":{"replicas":"x"}}"#) == ".spec.replicas: expected numeric (int or float), got string")
        #expect(
            try problem(#"{"spec":{"template":{"spec":{"containers":[{"name":"a","x":1},{"name":"a"}]}}}}"#)
                == "errors:\n  .spec.template.spec.containers[name=\"a\"].x: field not declared in schema\n"
                + "  .spec.template.spec.containers: duplicate entries for key [name=\"a\"]"
        )
        let element = SchemaNode(shape: .object, body: SchemaBody(fields: [SchemaField(name: "id", node: .scalar(.string))]))
        let keyed = SchemaNode(shape: .list, body: SchemaBody(element: element, listType: .map(["id"])))
        #expect(
            AppliedCheck.problem(in: [[:]], keyed)
                == "element 0: associative list with keys has an element that omits all key fields [\"id\"] "
                + "(and doesn't have default values for any key fields)"
        )
    }
}
