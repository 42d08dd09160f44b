import APIModel
import Schema
import Testing
import Units
import Values

@testable import CustomResources

@Suite struct StructuralTests {
    private func issues(_ value: JSONValue, _ schema: JSONValue, old: JSONValue? = nil) -> [String] {
        StructuralValidator.issues(["spec": value], old: old.map { ["spec": $0] }, compiled(kindSchema(schema)), at: nil).map(\.message)
    }

    @Test func `every keyword says what is wrong`() {
        let text: JSONValue = ["t": ["type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a+$"]]
        #expect(issues(["t": "a"], text) == ["spec.t: Invalid value: \"a\": spec.t in body should be at least 2 chars long"])
        #expect(issues(["t": "aaaa"], text) == ["spec.t: Too long: may not be more than 3 bytes"])
        #expect(issues(["t": "ab"], text) == ["spec.t: Invalid value: \"ab\": spec.t in body should match '^a+$'"])
        let number: JSONValue = [
            "n": ["type": "number", "minimum": 1.5, "exclusiveMinimum": true, "multipleOf": 0.5, "maximum": 4],
            "i": ["type": "integer", "format": "int32"],
        ]
        #expect(issues(["n": 1.5], number) == ["spec.n: Invalid value: 1.5: spec.n in body should be greater than 1.5"])
        #expect(issues(["n": 1.75], number) == ["spec.n: Invalid value: 1.75: spec.n in body should be a multiple of 0.5"])
        #expect(issues(["n": 4.5], number) == ["spec.n: Invalid value: 4.5: spec.n in body should be less than or equal to 4"])
        #expect(
            issues(["i": 3_000_000_000], number)
                == ["<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.i"]
        )
        #expect(issues(["i": 1.0], number).isEmpty)
        let map: JSONValue = [
            "m": ["type": "object", "additionalProperties": ["type": "integer"], "minProperties": 1, "maxProperties": 2]
        ]
        #expect(issues(["m": [:]], map) == ["spec.m: Invalid value: 0: spec.m in body should have at least 1 properties"])
        #expect(issues(["m": ["a": 1, "b": 2, "c": 3]], map) == ["spec.m: Too many: 3: must have at most 2 items"])
        #expect(
            issues(["m": ["a": "x"]], map)
                == ["spec.m.a: Invalid value: \"string\": spec.m.a in body must be of type integer: \"string\""]
        )
        let list: JSONValue = ["l": ["type": "array", "items": ["type": "string", "nullable": true], "minItems": 2]]
        #expect(issues(["l": ["a"]], list) == ["spec.l: Invalid value: 1: spec.l in body should have at least 2 items"])
        #expect(issues(["l": ["a", .null]], list).isEmpty)
        #expect(
            issues(["l": ["a", 1]], list)
                == ["spec.l[1]: Invalid value: \"integer\": spec.l[1] in body must be of type string: \"integer\""]
        )
        let either: JSONValue = ["x": ["x-kubernetes-int-or-string": true, "pattern": "^[0-9]+%$"]]
        #expect(issues(["x": 1], either).isEmpty)
        #expect(issues(["x": "10%"], either).isEmpty)
        #expect(
            issues(["x": true], either)
                == ["spec.x: Invalid value: \"boolean\": spec.x in body must be of type integer,string: \"boolean\""]
        )
    }

    @Test func `several schemas at once`() {
        let one: JSONValue = [
            "o": [
                "type": "object", "properties": ["a": ["type": "string"], "b": ["type": "string"]],
                "oneOf": [["required": ["a"]], ["required": ["b"]]],
            ]
        ]
        #expect(issues(["o": ["a": "1"]], one).isEmpty)
        #expect(
            issues(["o": ["a": "1", "b": "2"]], one) == [
                "<nil>: Invalid value: \"\": \"spec.o\" must validate one and only one schema (oneOf). Found 2 valid alternatives"
            ]
        )
        #expect(
            issues(["o": [:]], one) == [
                "<nil>: Invalid value: \"\": \"spec.o\" must validate one and only one schema (oneOf). Found none valid",
                "spec.o.a: Required value",
            ]
        )
        let not: JSONValue = ["s": ["type": "string", "not": ["enum": ["bad"]], "allOf": [["maxLength": 3]]]]
        #expect(issues(["s": "bad"], not) == ["<nil>: Invalid value: \"\": \"spec.s\" must not validate the schema (not)"])
        #expect(
            issues(["s": "long"], not) == [
                "spec.s: Too long: may not be more than 3 bytes",
                "<nil>: Invalid value: \"\": \"spec.s\" must validate all the schemas (allOf). None validated",
            ]
        )
    }

    @Test func `what was wrong before and has not changed is left alone`() {
        let schema: JSONValue = [
            "a": ["type": "string", "maxLength": 2], "b": ["type": "string"],
            "l": [
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                "items": [
                    "type": "object", "required": ["k"], "properties": ["k": ["type": "string"], "v": ["type": "integer", "maximum": 1]],
                ],
            ],
        ]
        let old: JSONValue = ["a": "long", "b": "1", "l": [["k": "x", "v": 5]]]
        #expect(issues(["a": "long", "b": "2", "l": [["k": "y", "v": 1], ["k": "x", "v": 5]]], schema, old: old).isEmpty)
        #expect(issues(["a": "other", "b": "1"], schema, old: old) == ["spec.a: Too long: may not be more than 2 bytes"])
        #expect(
            issues(["l": [["k": "x", "v": 6]]], schema, old: old)
                == ["spec.l[0].v: Invalid value: 6: spec.l[0].v in body should be less than or equal to 1"]
        )
    }

    @Test func `unknown fields go, embedded objects keep their identity`() {
        let node = compiled(
            kindSchema([
                "a": ["type": "string"],
                "open": [
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                    "properties": ["c": ["type": "object", "properties": [:]]],
                ],
                "embedded": ["type": "object", "x-kubernetes-embedded-resource": true, "properties": ["spec": ["type": "object"]]],
                "map": ["type": "object", "additionalProperties": ["type": "object", "properties": ["x": ["type": "integer"]]]],
            ])
        )
        var object: JSONValue = [
            "apiVersion": "apus.test/v1", "kind": "Widget", "metadata": ["name": "n", "bogus": 1, "creationTimestamp": .null],
            "extra": 1,
            "spec": [
                "a": .null, "b": 1, "open": ["any": ["thing": 1], "c": ["gone": 1]],
                "embedded": ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "wrong": 1], "spec": ["y": 1], "z": 1],
                "map": ["k": ["x": 1, "y": 2]],
            ],
        ]
        let unknown = (try? node.decode(&object)) ?? []
        #expect(
            unknown == [
                "unknown field \"metadata.bogus\"", "unknown field \"extra\"",
                "unknown field \"spec.b\"", "unknown field \"spec.embedded.spec.y\"", "unknown field \"spec.embedded.z\"",
                "unknown field \"spec.map.k.y\"", "unknown field \"spec.open.c.gone\"",
                "unknown field \"spec.embedded.metadata.wrong\"",
            ]
        )
        #expect(
            object["spec"] == [
                "open": ["any": ["thing": 1], "c": [:]],
                "embedded": ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"], "spec": [:]],
                "map": ["k": ["x": 1]],
            ]
        )
    }

    @Test func `defaults fill in from the outside`() {
        let node = compiled(
            kindSchema([
                "a": ["type": "object", "default": [:], "properties": ["b": ["type": "integer", "default": 7]]],
                "n": ["type": "string", "nullable": true, "default": "x"], "m": ["type": "string", "default": "y"],
                "l": ["type": "array", "items": ["type": "object", "properties": ["c": ["type": "string", "default": "z"]]]],
            ])
        )
        var object: JSONValue = ["spec": ["n": .null, "m": .null, "l": [[:], ["c": "own"]]]]
        node.applyDefaults(&object)
        #expect(object["spec"] == ["a": ["b": 7], "n": .null, "m": "y", "l": [["c": "z"], ["c": "own"]]])
    }

    @Test func `sets and maps`() {
        let node = compiled(
            kindSchema([
                "s": ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "string"]],
                "m": [
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "j"],
                    "items": ["type": "object", "properties": ["k": ["type": "string"], "j": ["type": "integer"]]],
                ],
            ])
        )
        let object: JSONValue = [
            "spec": ["s": ["a", "b", "a", "a"], "m": [["k": "x", "j": 1], ["k": "x", "j": 2], ["k": "x", "j": 1]]]
        ]
        #expect(
            ListTypeCheck.issues(object, node).map(\.message) == [
                "spec.m[2]: Duplicate value: {\"j\":1,\"k\":\"x\"}", "spec.s[2]: Duplicate value: \"a\"",
            ]
        )
    }

    @Test(arguments: [
        ("date-time", "2024-02-29T12:00:00Z", "2024-02-30T12:00:00Z"), ("date", "2024-02-29", "2023-02-29"),
        ("ipv4", "10.0.0.1", "10.0.0.256"), ("ipv6", "fe80::1", "10.0.0.1"), ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("uuid", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-a456"), ("uri", "https://x/y?z=1", "a b"),
        ("email", "a.b@example.com", "a.b"), ("hostname", "a-b.example.com", "-a.example.com"), ("mac", "00:00:5e:00:53:01", "00:00:5e"),
        ("byte", "aGk=", "aGk"), ("duration", "1h2m", "soon"), ("hexcolor", "#FFAA00", "#FFA0"),
        ("rgbcolor", "rgb(1,2,255)", "rgb(1,2,256)"),
        ("isbn", "978-0321751041", "978-0321751042"), ("ssn", "123-45-6789", "123-456-789"), ("k8s-short-name", "a-b", "A"),
        ("k8s-long-name", "a.b-c", "a..b"), ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("bsonobjectid", "507f1f77bcf86cd799439011", "xyz"),
    ])
    func `formats`(_ format: String, _ good: String, _ bad: String) {
        let found = StringFormat.known(format, type: "string")
        #expect(found?.accepts(good) == true, "\(format) \(good)")
        #expect(found?.accepts(bad) == false, "\(format) \(bad)")
    }

    @Test func `equal subtrees are kept once`() {
        let leaf: JSONValue = ["type": "object", "description": "one", "properties": ["a": ["type": "string", "description": "x"]]]
        var other = leaf
        other["description"] = "another"
        var compiler = StructuralCompiler()
        _ = compiler.addRoot(kindSchema(["p": leaf, "q": other, "r": ["type": "array", "items": leaf]]))
        // The string, the object with it, the list of those, the spec, the root.
        #expect(compiler.table().count == 5)
    }
}

@Suite struct JSONPathTests {
    private let object: JSONValue = [
        "spec": ["a": ["b", "c", "d"], "x.y": 1, "n": 2.5],
        "status": ["conditions": [["type": "A", "status": "False"], ["type": "Ready", "status": "True", "n": 3]]],
    ]

    @Test(arguments: [
        (".spec.a[1]", "\"c\""), (".spec.a[-1]", "\"d\""), (".spec['x.y']", "1"), (".spec.x\\.y", "1"),
        (".status.conditions[?(@.type==\"Ready\")].status", "\"True\""), (".status.conditions[?(@.n>2)].type", "\"Ready\""),
        (".status.conditions[*].type", "\"A\""),
        ("..status", "{\"conditions\":[{\"status\":\"False\",\"type\":\"A\"},{\"n\":3,\"status\":\"True\",\"type\":\"Ready\"}]}"),
        (".spec.a[0:2]", "\"b\""), (".spec.missing", "nil"),
    ])
    func `paths`(_ path: String, _ expected: String) throws {
        #expect(try JSONPath(path).first(in: object)?.description ?? "nil" == expected)
    }

    @Test(arguments: [".a[", ".a[?(@.b==]", ".a['b", ".a[x]"])
    func `broken paths are refused`(_ path: String) {
        #expect(throws: JSONPath.Problem.self) { try JSONPath(path) }
    }

    @Test func `cells`() {
        let columns = PrinterColumns([
            ["name": "N", "type": "number", "jsonPath": ".spec.n"], ["name": "L", "type": "string", "jsonPath": ".spec.a"],
            ["name": "I", "type": "integer", "jsonPath": ".spec.n"], ["name": "B", "type": "boolean", "jsonPath": ".spec.n"],
            ["name": "D", "type": "date", "jsonPath": ".metadata.creationTimestamp"],
        ])
        var object = object
        object["metadata"] = ["name": "o", "creationTimestamp": "1970-01-01T00:00:00Z"]
        let cells = columns.cells(object, now: Timestamp(unixSeconds: 120))
        #expect(cells == ["o", 2.5, "[\"b\",\"c\",\"d\"]", 2, .null, "2m"])
    }
}

@Suite struct ConversionReviewTests {
    private let object: JSONValue = [
        "apiVersion": "apus.test/v1", "kind": "Widget", "metadata": ["name": "a", "uid": "1", "labels": ["l": "1"]], "spec": [:],
    ]

    private func converted(_ edit: (inout JSONValue) -> Void) throws -> [JSONValue] {
        let review = try ConversionReview([object], to: "apus.test/v2", uid: "U", accepted: ["v2", "v1"])
        var answer = object
        answer["apiVersion"] = "apus.test/v2"
        var response: JSONValue = [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
            "response": ["uid": "U", "result": ["status": "Success"], "convertedObjects": [answer]],
        ]
        edit(&response)
        return try review.converted(response)
    }

    private func problem(_ edit: (inout JSONValue) -> Void) -> String {
        do {
            _ = try converted(edit)
            return ""
        } catch { return (error as? ConversionReview.Problem)?.message ?? "\(error)" }
    }

    @Test func `labels may change, all other metadata stays`() throws {
        let result = try converted { answer in
            answer.set(
                ["name": "a", "uid": "1", "labels": ["l": "2"], "finalizers": ["x/y"]],
                at: ["response", "convertedObjects", "0", "metadata"]
            )
        }
        #expect(result[0]["metadata"] == ["name": "a", "uid": "1", "labels": ["l": "2"]])
    }

    @Test func `answers that cannot be used`() {
        let prefix = "conversion webhook for apus.test/v1, Kind=Widget"
        #expect(problem { $0.set("X", at: ["response", "uid"]) } == "\(prefix) failed: expected response.uid=\"U\", got \"X\"")
        #expect(problem { $0["response"] = nil } == "\(prefix) failed: no response provided")
        #expect(
            problem { $0.set(["status": "Failure", "message": "no way"], at: ["response", "result"]) } == "\(prefix) failed: no way"
        )
        #expect(
            problem { $0.set(["status": "Failure"], at: ["response", "result"]) }
                == "\(prefix) failed: response.result.status was 'Failure', not 'Success'"
        )
        #expect(problem { $0.set([], at: ["response", "convertedObjects"]) } == "\(prefix) returned 0 objects, expected 1")
        #expect(
            problem { $0.set("b", at: ["response", "convertedObjects", "0", "metadata", "name"]) }
                == "\(prefix) returned invalid converted object at index 0: must have the same name: a != b"
        )
        #expect(
            problem { $0.set("apus.test/v3", at: ["response", "convertedObjects", "0", "apiVersion"]) }
                == "\(prefix) returned invalid converted object at index 0: invalid groupVersion (expected apus.test/v2, received apus.test/v3)"
        )
        #expect(
            problem { $0["kind"] = "Other" }
                == "\(prefix) failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got apiextensions.k8s.io/v1, Kind=Other"
        )
    }
}
