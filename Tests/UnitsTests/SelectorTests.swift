import Testing
import Units
import Values

@Suite struct LabelSelectorTests {
    @Test(
        arguments: [
            ("", [:], true), ("a=b", ["a": "b"], true), ("a=b", ["a": "c"], false), ("a==b", ["a": "b"], true), ("a!=b", [:], true),
            ("a!=b", ["a": "b"], false),
            ("a", ["a": ""], true), ("a", [:], false), ("!a", [:], true), ("!a", ["a": "1"], false), ("a in (x,y)", ["a": "y"], true),
            ("a in (x, y)", ["a": "z"], false),
            ("a notin (x,y)", [:], true), ("a notin (x)", ["a": "x"], false), ("a=b,c", ["a": "b", "c": ""], true),
            ("a=b,c", ["a": "b"], false), ("n>5", ["n": "6"], true),
            ("n>5", ["n": "5"], false), ("n<5", ["n": "4"], true), ("n<5", ["n": "x"], false), ("a=", ["a": ""], true),
            ("in in (in)", ["in": "in"], true), ("a in ()", ["a": ""], true), ("a in (,x)", ["a": ""], true),
        ] as [(String, [String: String], Bool)]
    )
    func `matches`(text: String, labels: [String: String], expected: Bool) throws {
        #expect(try LabelSelector.parse(text).matches(labels) == expected)
    }

    @Test(arguments: [
        ("a=b,", "found '', expected: identifier after ','"), (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"), ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a=)", "unable to parse requirement: found ')', expected: identifier"),
        ("n>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
        (
            "a=-",
            "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        ),
        (
            "-a=b",
            "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ),
    ])
    func `words errors as upstream`(text: String, message: String) {
        let error = #expect(throws: SelectorError.self) { try LabelSelector.parse(text) }
        #expect(error?.description == message)
    }

    @Test(arguments: [("b=1,a in (y,x),!c,d,e notin (z),f>3", "a in (x,y),b=1,!c,d,e notin (z),f>3"), ("", "")])
    func `prints in order of keys`(text: String, expected: String) throws {
        let selector = try LabelSelector.parse(text)
        #expect(selector.description == expected)
        #expect(try LabelSelector.parse(expected) == selector)
    }

    @Test func `reads the object form`() throws {
        let json: JSONValue = [
            "matchLabels": ["app": "x"],
            "matchExpressions": [["key": "t", "operator": "In", "values": ["a", "b"]], ["key": "u", "operator": "DoesNotExist"]],
        ]
        let selector = try LabelSelector(json: json)
        #expect(selector.matches(["app": "x", "t": "b"]))
        #expect(!selector.matches(["app": "x", "t": "b", "u": ""]))
        #expect(try LabelSelector(json: nil) == .nothing)
        #expect(try !LabelSelector(json: nil).matches([:]))
        #expect(try LabelSelector(json: [:]).isEverything)
        let error = #expect(throws: SelectorError.self) { try LabelSelector(json: ["matchExpressions": [["key": "a", "operator": "Is"]]]) }
        #expect(error?.description == "\"Is\" is not a valid label selector operator")
        #expect(selector.requiredValue(of: "app") == "x")
    }
}

@Suite struct FieldSelectorTests {
    @Test func `splits, unescapes and matches`() throws {
        let selector = try FieldSelector.parse(#"spec.nodeName=a\,b,metadata.name!=x,status.phase==Running"#)
        #expect(selector.requirements.map(\.field) == ["metadata.name", "spec.nodeName", "status.phase"])
        let fields = ["spec.nodeName": "a,b", "status.phase": "Running"]
        #expect(selector.matches { fields[$0] })
        #expect(!selector.matches { $0 == "metadata.name" ? "x" : fields[$0] })
        #expect(selector.requiredValue(of: "spec.nodeName") == "a,b")
        #expect(try FieldSelector.parse(selector.description) == selector)
        #expect(try FieldSelector.parse("").isEverything)
    }

    @Test(arguments: [
        ("abc", "invalid selector: 'abc'; can't understand 'abc'"), (#"a=\x"#, #"invalid field selector: invalid escape sequence: \x"#),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
    ])
    func `words errors`(text: String, message: String) {
        let error = #expect(throws: SelectorError.self) { try FieldSelector.parse(text) }
        #expect(error?.description == message)
    }
}
