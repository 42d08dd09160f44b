import APIModel
import CEL
import Schema
import Testing
import Values

@testable import DynamicAdmission

/// What policies decide and change, without a server.
@Suite struct PolicyTests {
    private func refusals(_ spec: JSONValue, _ data: JSONValue = ["n": "7"]) async throws -> [ValidatingPolicy.Refusal] {
        try await ValidatingPolicy(spec).evaluate(Sample.inputs(data)).refusals
    }

    @Test(
        arguments: [
            (["message": " too big "], "too big"), ([:], "failed expression: int(object.data.n) < 5"),
            (["messageExpression": "'n is ' + string(object.data.n)"], "n is 7"),
            (["messageExpression": "'  '", "message": "plain"], "plain"),
            (["messageExpression": "'a\\nb'", "message": "plain"], "plain"),
            (["messageExpression": "string(object.data.nothing)", "message": "plain"], "plain"),
        ] as [(JSONValue, String)]
    )
    func `the words of a refusal`(_ more: JSONValue, _ expected: String) async throws {
        var validation = more
        validation["expression"] = "int(object.data.n) < 5"
        let refused = try await refusals(["validations": [validation]])
        #expect(refused == [.init(message: expected, reason: "Invalid")])
        #expect(try await refusals(["validations": [validation]], ["n": "3"]) == [])
    }

    @Test func `every validation that fails refuses, with its place and reason`() async throws {
        let spec: JSONValue = [
            "validations": [
                ["expression": "true"], ["expression": "false", "reason": "Forbidden", "message": "a"],
                ["expression": "object.data.x == 'y'"],
            ]
        ]
        #expect(
            try await refusals(spec) == [
                .init(index: 1, message: "a", reason: "Forbidden"),
                .init(index: 2, message: "expression 'object.data.x == 'y'' resulted in error: no such key: x"),
            ]
        )
        var ignoring = spec
        ignoring["failurePolicy"] = "Ignore"
        #expect(try await refusals(ignoring) == [.init(index: 1, message: "a", reason: "Forbidden")])
    }

    @Test func `annotations for the audit log, and what is wrong with them`() async throws {
        let spec: JSONValue = [
            "validations": [["expression": "true"]],
            "auditAnnotations": [
                ["key": "a", "valueExpression": "' n ' + string(object.data.n)"], ["key": "b", "valueExpression": "null"],
                ["key": "c", "valueExpression": "''"],
            ],
        ]
        let outcome = try await ValidatingPolicy(spec).evaluate(Sample.inputs(["n": "7"]))
        #expect(outcome.annotations.map { "\($0.key)=\($0.value)" } == ["a=n 7"])
        #expect(outcome.refusals == [])
        let failed = try await ValidatingPolicy(spec).evaluate(Sample.inputs([:]))
        #expect(failed.refusals.map(\.isValidation) == [false])
        #expect(failed.refusals[0].message.hasSuffix("resulted in error: no such key: n"))
    }

    // MARK: mutations

    private static let schema: SchemaNode = {
        let text = SchemaNode.scalar(.string)
        let texts = SchemaNode(shape: .list, body: SchemaBody(element: text))
        let labels = SchemaNode(shape: .map, body: SchemaBody(element: text))
        func object(_ fields: [(String, SchemaNode)]) -> SchemaNode {
            let sorted = fields.sorted { $0.0 < $1.0 }
            return SchemaNode(shape: .object, body: SchemaBody(fields: sorted.map { SchemaField(name: $0.0, node: $0.1) }))
        }
        return object([
            ("apiVersion", text), ("kind", text), ("data", labels), ("args", texts),
            ("metadata", object([("name", text), ("namespace", text), ("labels", labels)])),
        ])
    }()

    private func changed(_ type: String, _ expression: String) async throws -> String {
        let field = type == "JSONPatch" ? "jsonPatch" : "applyConfiguration"
        let policy = MutatingPolicy(["mutations": [["patchType": .string(type), field: ["expression": .string(expression)]]]])
        let inputs = try await Sample.inputs(["n": "7"])
        let object = try #require(inputs.object)
        do throws(MutationFailure) {
            return try await policy.mutations[0].changed(object, inputs, policy.variables, Self.schema).description
        } catch {
            switch error {
            case .policy(let message): return message
            case .request(let error): return error.message
            }
        }
    }

    private static let merged =
        #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"ns","labels":{"a":"b"}},"#
        + #""data":{"n":"7","m":"8"}}"#

    @Test(arguments: [
        ("Object{metadata: Object.metadata{labels: {'a': 'b'}}, data: {'m': string(int(object.data.n) + 1)}}", merged),
        ("Object{zork: 1}", "error applying patch: failed to convert patch object to typed object: .zork: field not declared in schema"),
        (
            "Object{data: {'k': 1}}",
            "error applying patch: failed to convert patch object to typed object: .data.k: expected string, "
                + "got &value.valueUnstructured{Value:1}"
        ),
        (
            "Object{args: ['a']}",
            "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .args"
        ),
        (
            "Object{metadata: Object.data{name: 'x'}}",
            "type mismatch: unexpected type name \"Object.data\", expected \"Object.metadata\", which matches field name path "
                + "from root Object type"
        ),
        ("Object{data: {'k': object.data.x}}", "expression 'Object{data: {'k': object.data.x}}' resulted in error: no such key: x"),
        ("1", "compilation error: must evaluate to Object but got int"),
    ])
    func `apply configurations`(_ expression: String, _ expected: String) async throws {
        let outcome = try await changed("ApplyConfiguration", expression)
        let same = (try? JSONParser.parse(Array(outcome.utf8))) == (try? JSONParser.parse(Array(expected.utf8)))
        #expect(outcome == expected || (outcome.hasPrefix("{") && same), "\(outcome)")
    }

    @Test func `patches`() async throws {
        let added = try await changed(
            "JSONPatch",
            "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'x': 'y'}}, "
                + "JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), value: 'z'}, "
                + "JSONPatch{op: 'move', from: '/data/n', path: '/data/m'}, JSONPatch{op: 'remove', path: '/data/m'}]"
        )
        let object = try JSONParser.parse(Array(added.utf8))
        #expect(object.value(at: ["metadata", "labels"]) == ["x": "y", "a/b~c": "z"])
        #expect(object["data"] == [:])
        let tested = try await changed(
            "JSONPatch",
            "[JSONPatch{op: 'test', path: '/data/n', value: '8'}, JSONPatch{op: 'remove', path: '/data/n'}]"
        )
        #expect(try JSONParser.parse(Array(tested.utf8)) == Sample.object(["n": "7"]))
        #expect(
            try await changed("JSONPatch", "[JSONPatch{op: 'remove', path: '/data/zz'}]")
                == "JSON Patch: error in remove for path: '/data/zz': Unable to remove nonexistent key: zz: missing value"
        )
        #expect(try await changed("JSONPatch", "[JSONPatch{op: 'zap', path: '/data'}]") == "JSON Patch: Unexpected kind: zap")
        let made = try await changed(
            "JSONPatch",
            "[JSONPatch{op: 'add', path: '/metadata', value: Object.metadata{name: 'x', ?labels: optional.none()}}]"
        )
        #expect(try JSONParser.parse(Array(made.utf8))["metadata"] == ["name": "x"])
    }

    @Test func `fields of what an expression made`() async throws {
        let made = try await changed(
            "ApplyConfiguration",
            "Object{data: {'a': string(Object{n: [1, 2, 3]}.n.sum()), 'b': string(has(Object{}.x)), 'c': string(Object{}.x == null)}}"
        )
        let data = try JSONParser.parse(Array(made.utf8))["data"]
        #expect(data == ["n": "7", "a": "6", "b": "false", "c": "true"])
    }
}
