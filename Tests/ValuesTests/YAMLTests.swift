import Testing
import Values

@Suite struct YAMLTests {
    @Test(
        arguments: [
            ("a: yes", #"{"a":true}"#), ("a: off", #"{"a":false}"#), ("a: \"yes\"", #"{"a":"yes"}"#), ("a: 'on'", #"{"a":"on"}"#),
            ("a: ~", #"{"a":null}"#), ("a:", #"{"a":null}"#), ("a: 0644", #"{"a":420}"#), ("a: 0o14", #"{"a":12}"#),
            ("a: 0x1F", #"{"a":31}"#),
            ("a: 0b11", #"{"a":3}"#), ("a: 1_000", #"{"a":1000}"#), ("a: -3", #"{"a":-3}"#), ("a: +3", #"{"a":3}"#),
            ("a: 1.5", #"{"a":1.5}"#),
            ("a: 1e3", #"{"a":1e3}"#), ("a: .5", #"{"a":0.5}"#), ("a: 1.2.3", #"{"a":"1.2.3"}"#), ("a: 089", #"{"a":89.0}"#),
            ("a: 2001-01-01", #"{"a":"2001-01-01"}"#), ("a: 12:30", #"{"a":"12:30"}"#), ("a: !!str 5", #"{"a":"5"}"#),
            ("a: !!int \"5\"", #"{"a":5}"#),
            ("1: x", #"{"1":"x"}"#), ("true: x", #"{"true":"x"}"#), ("- a\n- {b: 1}", #"["a",{"b":1}]"#),
            ("a: |\n  x\n  y\n", #"{"a":"x\ny\n"}"#),
            ("a: >-\n  x\n  y\n", #"{"a":"x y"}"#), ("", "null"), ("# only\n", "null"),
            ("base: &b {x: 1, z: 2}\nd:\n  <<: *b\n  z: 3", #"{"base":{"x":1,"z":2},"d":{"x":1,"z":3}}"#), ("y: 1", #"{"true":1}"#),
            ("a: &x [1]\nb: *x", #"{"a":[1],"b":[1]}"#), ("{\"a\": \"\\u00e9\"}", #"{"a":"é"}"#),
            ("a: 9223372036854775808", #"{"a":9223372036854775808}"#),
        ] as [(String, String)]
    )
    func `resolves scalars as Kubernetes does`(text: String, json: String) throws {
        #expect(try YAML.parse(text) == JSONParser.parse(json))
    }

    @Test(arguments: [
        ("a: b: c", "error converting YAML to JSON: yaml: mapping values are not allowed in this context"),
        ("x: 1\na: b: c", "error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context"),
        ("a:\n\t- b", "error converting YAML to JSON: yaml: line 2: found character that cannot start any token"),
        ("a: *nope", "error converting YAML to JSON: yaml: unknown anchor 'nope' referenced"),
    ])
    func `words errors as upstream`(text: String, message: String) {
        let error = #expect(throws: YAMLError.self) { try YAML.parse(text) }
        #expect(error?.description == message)
    }

    @Test func `reports keys given twice with their line`() throws {
        let (value, duplicates) = try YAML.parseReportingDuplicates(Array("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n".utf8))
        #expect(value == ["a": 3, "b": ["c": 2]])
        #expect(duplicates == [#"line 4: key "c" already set in map"#, #"line 5: key "a" already set in map"#])
    }

    @Test func `reads every document of a stream`() throws {
        #expect(try YAML.parseAll(Array("---\na: 1\n---\n# none\n---\nb: 2\n...\n".utf8)) == [["a": 1], ["b": 2]])
        #expect(try YAML.parse("a: 1\n---\nb: 2") == ["a": 1])
    }

    @Test func `stops alias bombs and deep nesting`() {
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<12 {
            bomb += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
        }
        #expect(throws: YAMLError.self) { try YAML.parse(bomb) }
        #expect(throws: YAMLError.self) { try YAML.parse(String(repeating: "[", count: 5000)) }
        #expect(throws: YAMLError.self) { try YAML.parse(String(repeating: "- ", count: 5000) + "x") }
    }

    @Test func `writes what kubectl would print`() {
        let value: JSONValue = [
            "apiVersion": "v1", "empty": "", "list": [["name": "x", "ports": [1, 2]], "y"], "map": [:], "none": .null, "num": "123",
            "multi": "a\nb\n",
            "yes": "yes", "colon": "a: b", "star": "*x", "f": 1.5, "trail": "x ", "quote": "it's: ok",
        ]
        let text = """
            apiVersion: v1
            colon: 'a: b'
            empty: ""
            f: 1.5
            list:
            - name: x
              ports:
              - 1
              - 2
            - "y"
            map: {}
            multi: |
              a
              b
            none: null
            num: "123"
            quote: 'it''s: ok'
            star: '*x'
            trail: 'x '
            "yes": "yes"

            """
        #expect(YAML.encode(value) == text)
    }

    @Test func `long texts go on in the next line, at the first blank beyond the eightieth column`() throws {
        let words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        let value: JSONValue = [
            "a": .string(words), "b": .string("x: " + words), "c": .string("\t" + words), "list": [.string(words)],
            "nowhere": .string(String(repeating: "x", count: 120)), "\(words)": "v",
        ]
        let text = """
            a: one two three four five six seven eight nine ten eleven twelve thirteen fourteen
              fifteen sixteen
            b: 'x: one two three four five six seven eight nine ten eleven twelve thirteen fourteen
              fifteen sixteen'
            c: "\\tone two three four five six seven eight nine ten eleven twelve thirteen fourteen
              fifteen sixteen"
            list:
            - one two three four five six seven eight nine ten eleven twelve thirteen fourteen
              fifteen sixteen
            nowhere: \(String(repeating: "x", count: 120))
            \(words): v

            """
        #expect(YAML.encode(value) == text)
        #expect(try YAML.parse(text) == value)
        // Blanks side by side are not torn apart.
        let wide: JSONValue = ["k": .string(String(repeating: "a", count: 90) + "  b  c d")]
        #expect(YAML.encode(wide) == "k: \(String(repeating: "a", count: 90))  b  c\n  d\n")
        #expect(try YAML.parse(YAML.encode(wide)) == wide)
    }

    @Test func `reads back what it writes`() throws {
        var random = Generator(seed: 5)
        for _ in 0..<1500 {
            let value = random.value(depth: 4)
            #expect(try YAML.parse(YAML.encode(value)) == value, "\(YAML.encode(value))")
        }
    }

    @Test func `survives mutated texts`() {
        var random = Generator(seed: 13)
        for _ in 0..<3000 {
            var bytes = Array(YAML.encode(random.value(depth: 3)).utf8)
            for _ in 0...3 where !bytes.isEmpty { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            _ = try? YAML.parseAll(bytes)
        }
    }
}
