import Testing
import Values

@Suite struct MergePatchTests {
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#), (#"["a"]"#, #"["c"]"#, #"["c"]"#),
        (#"{"a":"foo"}"#, "null", "null"), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
        ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func `follows the examples of RFC 7386`(target: String, patch: String, result: String) throws {
        #expect(MergePatch.apply(try JSONParser.parse(patch), to: try JSONParser.parse(target)) == (try JSONParser.parse(result)))
    }

    @Test func `finds the patch between two values`() {
        let old: JSONValue = ["a": 1, "b": ["x": 1, "y": 2], "c": [1]]
        let new: JSONValue = ["a": 1, "b": ["x": 1, "y": 3], "d": "n"]
        let patch = MergePatch.diff(from: old, to: new)
        #expect(patch == ["b": ["y": 3], "c": .null, "d": "n"])
        #expect(MergePatch.apply(patch, to: old) == new)
        #expect(MergePatch.diff(from: old, to: old) == [:])
    }
}

@Suite struct JSONPatchTests {
    private func apply(_ patch: String, _ target: String) throws -> String {
        try JSONPatch.apply(try JSONParser.parse(patch), to: try JSONParser.parse(target)).description
    }

    @Test(arguments: [
        (#"[{"op":"add","path":"/a/b","value":1}]"#, #"{"a":{}}"#, #"{"a":{"b":1}}"#),
        (#"[{"op":"add","path":"/l/1","value":9}]"#, #"{"l":[1,2]}"#, #"{"l":[1,9,2]}"#),
        (#"[{"op":"add","path":"/l/-","value":9}]"#, #"{"l":[1,2]}"#, #"{"l":[1,2,9]}"#),
        (#"[{"op":"remove","path":"/l/0"}]"#, #"{"l":[1,2]}"#, #"{"l":[2]}"#),
        (#"[{"op":"replace","path":"/a","value":null}]"#, #"{"a":1}"#, #"{"a":null}"#),
        (#"[{"op":"replace","path":"/b","value":2}]"#, #"{"a":1}"#, #"{"a":1,"b":2}"#),
        (#"[{"op":"add","path":"x/b","value":2}]"#, #"{"a":1}"#, #"{"a":1,"b":2}"#),
        (#"[{"op":"move","from":"/a","path":"/b"}]"#, #"{"a":1}"#, #"{"b":1}"#),
        (#"[{"op":"copy","from":"/a","path":"/b"}]"#, #"{"a":[1]}"#, #"{"a":[1],"b":[1]}"#),
        (#"[{"op":"copy","from":"/c","path":"/a"}]"#, #"{"a":1}"#, #"{"a":null}"#),
        (#"[{"op":"test","path":"/c","value":null}]"#, #"{"a":1}"#, #"{"a":1}"#),
        (#"[{"op":"test","path":"/a","value":1.0},{"op":"remove","path":"/a"}]"#, #"{"a":1}"#, "{}"),
        (#"[{"op":"add","path":"/x~1y~0z","value":1}]"#, "{}", #"{"x/y~z":1}"#), (#"[{"op":"add","path":"","value":5}]"#, "{}", "5"),
        (#"[{"op":"test","path":"/none","value":null}]"#, "{}", "{}"), ("[]", #"{"a":1}"#, #"{"a":1}"#),
    ])
    func `applies operations`(patch: String, target: String, result: String) throws {
        #expect(try apply(patch, target) == result)
    }

    @Test(arguments: [
        (#"[{"op":"replace","path":"/l/9","value":1}]"#, #"replace operation does not apply: doc is missing path: "/l/9": missing value"#),
        (#"[{"op":"copy","from":"/b/c","path":"/a"}]"#, #"copy operation does not apply: doc is missing path: "/b/c": missing value"#),
        (#"[{"op":"test","path":"/b/c","value":null}]"#, #"test operation does not apply: doc is missing path: "/b/c": missing value"#),
        (#"[{"op":"test","path":"/l/9","value":null}]"#, #"test operation does not apply: doc is missing path: "/l/9": missing value"#),
        (#"[{"op":"remove","path":"/b"}]"#, "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value"),
        (#"[{"op":"remove","path":"/b/c"}]"#, #"remove operation does not apply: doc is missing path: "/b/c": missing value"#),
        (
            #"[{"op":"add","path":"/l/7","value":1}]"#,
            "error in add for path: '/l/7': Unable to access invalid index: 7: invalid index referenced"
        ),
        (#"[{"op":"test","path":"/a","value":2}]"#, "testing value /a failed: test failed"),
        (#"[{"op":"frobnicate","path":"/a"}]"#, "Unexpected kind: frobnicate"),
        (#"[{"op":"move","from":"/a","path":"/a/b"}]"#, "move operation cannot move /a into itself: /a/b"),
    ])
    func `says what does not fit`(patch: String, message: String) {
        let error = #expect(throws: PatchError.self) { try apply(patch, #"{"a":1,"l":[]}"#) }
        #expect(error?.message == message)
        #expect(error?.code == .notApplicable)
    }

    @Test func `bounds the work of a patch`() {
        let many = JSONValue.array(Array(repeating: ["op": "test", "path": ""], count: JSONPatch.maxOperations + 1))
        #expect(throws: PatchError.self) { try JSONPatch.apply(many, to: .null) }
        var doubling: [JSONValue] = []
        for step in 0..<40 { doubling.append(["op": "copy", "from": "/a", "path": .string("/a/x\(step)")]) }
        let error = #expect(throws: PatchError.self) { try JSONPatch.apply(.array(doubling), to: ["a": ["b": 1]]) }
        #expect(error?.code == .tooLarge)
    }

    @Test func `refuses a patch that is no list`() {
        let error = #expect(throws: PatchError.self) { try JSONPatch.apply(["op": "add"], to: [:]) }
        #expect(error?.code == .malformed)
    }
}
