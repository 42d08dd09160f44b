import APIModel
import APITypes
import Schema
import Testing
import Units
import Values

@Suite struct FieldOwnershipTests {
    static let deployment = BuiltinSchema.node("io.k8s.api.apps.v1.Deployment")
    static let now = Timestamp(unixSeconds: 1_800_000_000)

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

    @Test func `two managers share a list and leave it one by one`() throws {
        var fields = ManagedFields(of: [:])
        func apply(_ text: String, _ live: JSONValue, _ name: String) throws -> JSONValue {
            try fields.apply(
                Self.parse(text),
                to: live,
                by: Self.manager(name),
                schema: Self.deployment,
                now: Self.now,
                force: false
            )
        }
        let one = #"{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"1"}]}}}}"#
        let two = #"{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"2"}]}}}}"#
        var live = try apply(one, [:], "x")
        live = try apply(two, live, "y")
        let names = live.value(at: ["spec", "template", "spec", "containers"])?.array?.map { $0["name"] }
        #expect(Set(names ?? []) == ["a", "b"])
        live = try apply(#"{"spec":{"template":{"spec":{}}}}"#, live, "x")
        #expect(
            live.value(at: ["spec", "template", "spec", "containers"]) == [["name": "b", "image": "2"]],
            "\(live)"
        )
    }

    @Test func `another manager's field is a conflict, unless forced or equal`() throws {
        var fields = ManagedFields(of: [:])
        let live: JSONValue = ["spec": ["replicas": 1]]
        fields.update(
            from: [:],
            to: live,
            by: Self.manager("kubectl-client-side-apply", "Update"),
            schema: Self.deployment,
            now: Self.now
        )
        let error = #expect(throws: APIError.self) {
            try fields.apply(
                ["spec": ["replicas": 3]],
                to: live,
                by: Self.manager("x"),
                schema: Self.deployment,
                now: Self.now,
                force: false
            )
        }
        #expect(
            error?.message
                == #"Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas"#
        )
        #expect(error?.details?.causes.first?.reason == "FieldManagerConflict")
        _ = try fields.apply(
            live,
            to: live,
            by: Self.manager("y"),
            schema: Self.deployment,
            now: Self.now,
            force: false
        )
        #expect(fields.entries.count == 2)
        let forced = try fields.apply(
            ["spec": ["replicas": 3]],
            to: live,
            by: Self.manager("x"),
            schema: Self.deployment,
            now: Self.now,
            force: true
        )
        #expect(forced == ["spec": ["replicas": 3]])
        let owners = fields.entries.filter { $0.value.fields.contains([.field("spec"), .field("replicas")]) }
        #expect(owners.map(\.key.name) == ["x"])
    }

    @Test func `entries survive the object`() throws {
        var fields = ManagedFields(of: [:])
        let object = try fields.apply(
            ["metadata": ["name": "d", "labels": ["a": "b"]], "spec": ["replicas": 1]],
            to: ["metadata": ["name": "d"]],
            by: Self.manager("x"),
            schema: Self.deployment,
            now: Self.now,
            force: false
        )
        var stored = object
        stored.set(fields.json, at: ["metadata", "managedFields"])
        let again = ManagedFields(of: stored)
        #expect(again.json == fields.json)
        #expect(again.entries.keys.first?.name == "x")
        #expect(
            fields.json[0]?["fieldsV1"]
                == ["f:metadata": ["f:labels": ["f:a": [:]]], "f:spec": ["f:replicas": [:]]]
        )
    }

    @Test func `an update takes over what it changes and gives up what it removes`() {
        var fields = ManagedFields(of: [:])
        let first: JSONValue = ["spec": ["replicas": 1, "paused": true]]
        let second: JSONValue = ["spec": ["replicas": 2]]
        fields.update(from: [:], to: first, by: Self.manager("a", "Update"), schema: Self.deployment, now: Self.now)
        fields.update(from: first, to: second, by: Self.manager("b", "Update"), schema: Self.deployment, now: Self.now)
        #expect(fields.entries[Self.manager("a", "Update")]?.fields.paths == [".spec"])
        #expect(fields.entries[Self.manager("b", "Update")]?.fields.paths == [".spec.replicas"])
    }
}
