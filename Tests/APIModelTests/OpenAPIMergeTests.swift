import APIModel
import Testing
import Values

@Suite struct OpenAPIMergeTests {
    private static let kinds = "x-kubernetes-group-version-kind"

    private func document(_ path: String, _ definitions: JSONValue) -> JSONValue {
        ["paths": [path: ["get": ["schema": ["$ref": "#/definitions/A"]]]], "definitions": definitions]
    }

    @Test func `definitions that differ are renamed, their references with them`() {
        var merge = OpenAPIMerge(definitions: [("A", ["type": "object"])], paths: [("/a", [:])])
        merge.add(document("/b", ["A": ["type": "string"], "A_v2": ["type": "integer"], "B": ["items": ["$ref": "#/definitions/A"]]]))
        #expect(merge.definitions["A"] == ["type": "object"])
        // The document itself has an `A_v2`.
        #expect(merge.definitions["A_v3"] == ["type": "string"])
        #expect(merge.definitions["A_v2"] == ["type": "integer"])
        #expect(merge.definitions["B"]?.value(at: ["items", "$ref"]) == "#/definitions/A_v3")
        #expect(merge.paths["/b"]?.value(at: ["get", "schema", "$ref"]) == "#/definitions/A_v3")
        // What was renamed before is found again.
        merge.add(document("/c", ["A": ["type": "string"]]))
        #expect(merge.definitions.count == 4)
        #expect(merge.paths["/c"]?.value(at: ["get", "schema", "$ref"]) == "#/definitions/A_v3")
    }

    @Test func `a definition may be several kinds, a path is the first one's`() {
        let one: JSONValue = ["group": "a", "kind": "K", "version": "v1"]
        let two: JSONValue = ["group": "b", "kind": "K", "version": "v1"]
        var merge = OpenAPIMerge(definitions: [("A", [Self.kinds: [one]])], paths: [("/a", ["get": "mine"])])
        merge.add(document("/b", ["A": [Self.kinds: [one, two]]]))
        #expect(merge.definitions["A"]?[Self.kinds] == [one, two])
        #expect(merge.definitions.count == 1)
        merge.add(document("/a", ["A": ["type": "string"]]))
        #expect(merge.paths["/a"] == ["get": "mine"])
        #expect(merge.definitions.count == 1)
    }

    @Test func `of a document only what the paths lead to is taken`() {
        let text: JSONValue = [
            "paths": [
                "/apis/g/v1/x": ["parameters": [["$ref": "#/parameters/p"]], "get": ["schema": ["$ref": "#/definitions/A"]]],
                "/apis/g/v10/x": ["get": ["schema": ["$ref": "#/definitions/C"]]], "/apis/g/v1/odd": "text",
            ],
            "parameters": ["p": ["name": "pretty", "in": "query"]],
            "definitions": ["A": ["$ref": "#/definitions/B"], "B": ["$ref": "#/definitions/A"], "C": [:], "D": 7],
        ]
        let part = OpenAPIMerge.part(text, below: "/apis/g/v1/")
        #expect(part["paths"]?.object?.count == 1)
        #expect(part.value(at: ["paths", "/apis/g/v1/x", "parameters", "0", "name"]) == "pretty")
        #expect(part["definitions"] == ["A": ["$ref": "#/definitions/B"], "B": ["$ref": "#/definitions/A"]])
    }

    @Test(arguments: ["null", "[]", "{\"paths\": []}", "{\"paths\": {\"/a\": {\"$ref\": 1}}, \"definitions\": 3}"])
    func `odd documents are no trouble`(text: String) throws {
        let value = try JSONParser.parse(text)
        var merge = OpenAPIMerge()
        merge.add(value)
        merge.add(OpenAPIMerge.part(value, below: "/"))
        #expect(merge.definitions.isEmpty)
    }
}
