import Testing

@testable import Values

@Suite struct OmittedMemberTests {
    private static let options = JSONParser.Options(omitting: "managedFields")

    @Test func `the member is left out of the members of the outermost object and nowhere else`() throws {
        let text = """
            {"managedFields":[1],"metadata":{"labels":{"managedFields":"x"},"managedFields":[{"a":"\\u0041\\"","b":[{},[],null,1.5]}],"name":"n"},
            "spec":{"managedFields":{"f:x":{}},"z":1}}
            """
        let parsed = try JSONParser.parse(text, options: Self.options)
        #expect(parsed == ["managedFields": [1], "metadata": ["labels": ["managedFields": "x"], "name": "n"], "spec": ["z": 1]])
    }

    @Test func `only what is asked for is kept of the members of the outermost object`() throws {
        var options = Self.options
        options.keeping = ["uid", "ownerReferences"]
        let text = """
            {"kind":"K","list":[{"a":1}],"metadata":{"labels":{"uid":"x"},"managedFields":[],"ownerReferences":[{"name":"o","x":[1]}],"uid":"u"},
            "spec":{"uid":{"deep":{"er":1}},"other":[1,{"b":2}]},"status":{"z":1}}
            """
        #expect(
            try JSONParser.parse(text, options: options) == [
                "kind": "K", "list": [["a": 1]], "metadata": ["ownerReferences": [["name": "o", "x": [1]]], "uid": "u"],
                "spec": ["uid": ["deep": ["er": 1]]], "status": [:],
            ]
        )
        #expect(throws: JSONParseError.self) { try JSONParser.parse(#"{"spec":{"other":[1,]}}"#, options: options) }
    }

    @Test func `it may be the first, the last and the only member`() throws {
        for (text, rest) in [
            (#"{"m":{"managedFields":1,"x":2}}"#, #"{"m":{"x":2}}"#), (#"{"m":{"x":2,"managedFields":[[]]}}"#, #"{"m":{"x":2}}"#),
            (#"{"m":{"managedFields":"t"}}"#, #"{"m":{}}"#), (#"{"m":{"managedFields":{},"managedFields":{} }}"#, #"{"m":{}}"#),
        ] {
            #expect(try JSONParser.parse(text, options: Self.options) == JSONParser.parse(rest))
        }
    }

    @Test func `what is left out is checked all the same`() {
        for inner in ["[1,]", "{\"a\"}", "{\"a\":}", "\"\\q\"", "[", "{", "\"", "tru", "{\"a\":1,}", "[1 2]", "{1:2}", "\"\u{1}\"", "-"] {
            let text = "{\"m\":{\"managedFields\":\(inner)}}"
            let whole = #expect(throws: JSONParseError.self) { try JSONParser.parse(text) }
            let skipped = #expect(throws: JSONParseError.self) { try JSONParser.parse(text, options: Self.options) }
            #expect(whole == skipped, "\(text)")
        }
    }

    @Test func `depth is bounded in what is left out`() {
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        #expect(throws: JSONParseError.self) { try JSONParser.parse("{\"m\":{\"managedFields\":\(deep)}}", options: Self.options) }
    }
}
