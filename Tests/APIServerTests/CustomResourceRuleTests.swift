import Testing
import Values

@testable import APIServer

@Suite struct CustomResourceRuleTests {
    private static let widgets = "/apis/apus.test/v1/namespaces/default/widgets"

    private static func schema(_ rules: JSONValue, _ properties: JSONValue) -> JSONValue {
        var schema = Samples.schema(properties)
        schema.set(rules, at: ["properties", "spec", "x-kubernetes-validations"])
        return schema
    }

    @Test func `rules are asked, with their messages, reasons and paths`() async throws {
        try await withCluster { cluster in
            let rules: JSONValue = [
                ["rule": "self.min <= self.max", "messageExpression": "'wrong bounds of ' + self.name"],
                ["rule": "self.min >= 0", "message": "not negative", "reason": "FieldValueForbidden", "fieldPath": ".min"],
                ["rule": "self.name.startsWith('a')"],
            ]
            let properties: JSONValue = [
                "min": ["type": "integer"], "max": ["type": "integer"], "name": ["type": "string", "maxLength": 20],
            ]
            try await cluster.install(Samples.definition(schema: Self.schema(rules, properties)))
            let good = try await cluster.post(Self.widgets, Samples.object("a", ["min": 1, "max": 2, "name": "ab"]))
            #expect(good.status == 201, "\(good.text)")
            let bad = try await cluster.post(Self.widgets, Samples.object("b", ["min": -1, "max": -2, "name": "x"]))
            #expect(bad.status == 422)
            let causes = bad["details", "causes"]?.array?.map { "\($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")" }
            #expect(
                causes == [
                    "spec: Invalid value: wrong bounds of x", "spec.min: Forbidden: not negative",
                    "spec: Invalid value: failed rule: self.name.startsWith('a')",
                ]
            )
            let missing = try await cluster.post(Self.widgets, Samples.object("c", ["min": 1, "name": "a"]))
            #expect(missing.message.contains("spec: Invalid value: \"object\": no such key: max evaluating rule: self.min <= self.max"))
            let wrong = try await cluster.post(Self.widgets, Samples.object("d", ["min": "x", "max": 1, "name": "a"]))
            #expect(wrong.message.contains("some validation rules were not checked because the object was invalid"))
        }
    }

    @Test func `rules about changes, and what was broken before`() async throws {
        try await withCluster { cluster in
            let properties: JSONValue = [
                "fixed": ["type": "string", "x-kubernetes-validations": [["rule": "self == oldSelf", "message": "is immutable"]]],
                "n": ["type": "integer"], "m": ["type": "integer"],
            ]
            try await cluster.install(Samples.definition(schema: Samples.schema(properties)))
            #expect(try await cluster.post(Self.widgets, Samples.object("a", ["fixed": "x", "n": 5, "m": 1])).status == 201)
            let changed = try await cluster.patch("\(Self.widgets)/a", ["spec": ["fixed": "y"]])
            #expect(changed.message == "Widget.apus.test \"a\" is invalid: spec.fixed: Invalid value: \"y\": is immutable")
            // The definition becomes stricter than the object.
            var stricter = properties
            stricter.set([["rule": "self < 3"]], at: ["n", "x-kubernetes-validations"])
            let path = "\(Samples.definitions)/widgets.apus.test"
            let versions: JSONValue = [
                ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": Samples.schema(stricter)]]
            ]
            #expect(try await cluster.patch(path, ["spec": ["versions": versions]]).status == 200)
            try await cluster.waitFor("stricter") {
                try await cluster.post("\(Self.widgets)?dryRun=All", Samples.object("b", ["n": 9])).status == 422
            }
            #expect(try await cluster.patch("\(Self.widgets)/a", ["spec": ["m": 2]]).status == 200)
            #expect(try await cluster.patch("\(Self.widgets)/a", ["spec": ["n": 6]]).status == 422)
            #expect(try await cluster.patch("\(Self.widgets)/a", ["spec": ["n": 2]]).status == 200)
        }
    }

    @Test func `rules that do not compile or cost too much are refused with the definition`() async throws {
        try await withCluster { cluster in
            func refused(_ schema: JSONValue) async throws -> String {
                let answer = try await cluster.post(Samples.definitions, Samples.definition(schema: schema))
                #expect(answer.status == 422)
                return answer.message
            }
            let field = "spec.validation.openAPIV3Schema.properties[spec]"
            let unknown = try await refused(Self.schema([["rule": "self.nope == 1"]], ["a": ["type": "integer"]]))
            #expect(
                unknown.contains(
                    "\(field).x-kubernetes-validations[0].rule: Invalid value: {\"Rule\":\"self.nope == 1\",\"Message\":\"\""
                )
            )
            #expect(unknown.contains("compilation failed: ERROR: <input>:1:5: undefined field 'nope'"))
            let noBool = try await refused(Self.schema([["rule": "self.a"]], ["a": ["type": "integer"]]))
            #expect(noBool.contains("cel expression must evaluate to a bool"))
            let nested: JSONValue = [
                "l": ["type": "array", "items": ["type": "array", "items": ["type": "array", "items": ["type": "string"]]]]
            ]
            let costly = try await refused(
                Self.schema([["rule": "self.l.all(a, a.all(b, b.all(c, c.contains('x'))))"]], nested)
            )
            #expect(
                costly.contains(
                    "\(field).x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x"
                )
            )
            let list: JSONValue = [
                "l": ["type": "array", "items": ["type": "string", "x-kubernetes-validations": [["rule": "self == oldSelf"]]]]
            ]
            let uncorrelated = try await refused(Samples.schema(list))
            #expect(
                uncorrelated.contains("oldSelf cannot be used on the uncorrelatable portion of the schema within \(field).properties[l]")
            )
        }
    }

    @Test func `rules of a whole object see its name`() async throws {
        try await withCluster { cluster in
            var schema = Samples.schema(["a": ["type": "string"]])
            schema["x-kubernetes-validations"] = [["rule": "self.metadata.name.size() < 4", "message": "short names only"]]
            try await cluster.install(Samples.definition(schema: schema))
            #expect(try await cluster.post(Self.widgets, Samples.object("abc", ["a": "1"])).status == 201)
            let long = try await cluster.post(Self.widgets, Samples.object("abcd", ["a": "1"]))
            #expect(long.message == "Widget.apus.test \"abcd\" is invalid: <nil>: Invalid value: short names only")
        }
    }
}
