import APITypes
import Schema
import Testing
import Units
import Values

@Suite struct FieldIssueTests {
    static let path = FieldPath("spec.x")

    static let cases: [(FieldIssue, String)] = [
        (.required(path, "must be given"), "spec.x: Required value: must be given"),
        (.required(path), "spec.x: Required value"),
        (.invalid(path, "a\"b", "is bad"), #"spec.x: Invalid value: "a\"b": is bad"#),
        (
            .invalid(path, -1, "must be greater than or equal to 0"),
            "spec.x: Invalid value: -1: must be greater than or equal to 0"
        ),
        (.invalid(path, ["a": 1], "no"), #"spec.x: Invalid value: {"a":1}: no"#),
        (.invalid(path, nil, "no"), "spec.x: Invalid value: null: no"),
        (.notSupported(path, "x", ["A", "B"]), #"spec.x: Unsupported value: "x": supported values: "A", "B""#),
        (.duplicate(path, "x"), #"spec.x: Duplicate value: "x""#),
        (.forbidden(path, "not now"), "spec.x: Forbidden: not now"),
        (.notFound(path, "x"), #"spec.x: Not found: "x""#),
        (.tooLong(path, maximum: 63), "spec.x: Too long: may not be more than 63 bytes"),
        (.tooLong(path, maximum: 1), "spec.x: Too long: may not be more than 1 byte"),
        (.tooMany(path, actual: 3, maximum: 2), "spec.x: Too many: 3: must have at most 2 items"),
        (.internalError(path, "broken"), "spec.x: Internal error: broken"),
    ]

    @Test func `issues are worded as upstream words them`() {
        for (issue, message) in Self.cases { #expect(issue.message == message) }
    }

    @Test func `several issues become one bracketed text without repetitions`() {
        let one = FieldIssue.required(Self.path)
        #expect(FieldIssue.aggregate([one]) == "spec.x: Required value")
        #expect(FieldIssue.aggregate([one, one]) == "spec.x: Required value")
        let two = FieldIssue.forbidden(Self.path, "no")
        #expect(FieldIssue.aggregate([one, two]) == "[spec.x: Required value, spec.x: Forbidden: no]")
    }

    @Test func `quoting follows Go`() {
        #expect(GoQuote.quote("a\tb\u{1}\u{e9}\u{200b}\\") == #""a\tb\x01é\u200b\\""#)
    }

    @Test func `a structural check finds types, required fields and values not allowed`() throws {
        let node = BuiltinSchema.node("io.k8s.api.core.v1.ServiceSpec")
        let value = try JSONParser.parse(#"{"type":"Foo","ports":[{"port":"x"},{}],"externalName":5}"#)
        let found = node.validate(value, path: FieldPath("spec")).map(\.message)
        #expect(
            Set(found) == [
                #"spec.externalName: Invalid value: "integer": spec.externalName in body must be of type string: "integer""#,
                #"spec.ports[0].port: Invalid value: "string": spec.ports[0].port in body must be of type integer: "string""#,
                "spec.ports[1].port: Required value",
                #"spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#,
            ],
            "\(found)"
        )
    }

    @Test func `a structural check refuses nothing that Go clients may send`() throws {
        func issues(_ text: String, _ type: String) throws -> [String] {
            let node = BuiltinSchema.node("io.k8s.api.\(type)")
            var value = try JSONParser.parse(text)
            _ = try node.decode(&value)
            return node.validate(value, path: .root).map(\.message)
        }
        #expect(try issues(#"{"addressType":"IPv4","endpoints":null}"#, "discovery.v1.EndpointSlice").isEmpty)
        let twice = #"{"containers":[{"name":"a","env":[{"name":"X"},{"name":"X","value":"2"}]}]}"#
        #expect(try issues(twice, "core.v1.PodSpec").isEmpty)
        #expect(try issues(#"{"key":"a"}"#, "core.v1.Taint").isEmpty)
        #expect(try issues("{}", "apps.v1.DeploymentSpec") == ["selector: Required value"])
    }

    @Test func `a keyed list of a custom schema has no duplicates`() {
        let item = SchemaNode(
            shape: .object,
            body: SchemaBody(fields: [SchemaField(name: "name", node: .scalar(.string))])
        )
        let list = SchemaNode(shape: .list, body: SchemaBody(element: item, listType: .map(["name"])))
        let found = list.validate([["name": "a"], ["name": "a"]], path: FieldPath("x")).map(\.message)
        #expect(found == [#"x[1]: Duplicate value: {"name":"a"}"#])
    }

    @Test func `a custom schema is built from the same nodes`() {
        let spec = SchemaNode(
            shape: .object,
            body: SchemaBody(
                fields: [
                    SchemaField(
                        name: "size",
                        node: SchemaNode(
                            shape: .integer,
                            body: SchemaBody(defaultValue: 3, limits: SchemaLimits(minimum: 1, maximum: 5))
                        )
                    )
                ],
                hasSchemaDefaults: true
            )
        )
        var value: JSONValue = ["other": true]
        #expect(spec.prune(&value) == [#"unknown field "other""#])
        spec.applyDefaults(&value)
        #expect(value == ["size": 3])
        value["size"] = 9
        #expect(
            spec.validate(value, path: FieldPath("spec")).map(\.message)
                == ["spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5"]
        )
    }
}
