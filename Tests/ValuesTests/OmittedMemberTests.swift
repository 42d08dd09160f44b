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
