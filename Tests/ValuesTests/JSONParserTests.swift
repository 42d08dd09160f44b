import Testing
import Values

@Suite struct JSONParserTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("12", 12), ("-7", -7),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9223372036854775808)), ("1.5", 1.5), ("1.0", 1.0), ("1e3", .number(1000)),
            ("-2.5E-2", -0.025), (#""""#, ""), (#""abc""#, "abc"), (#""a\"b\\c\/d\n\t\r\b\f""#, "a\"b\\c/d\n\t\r\u{8}\u{c}"),
            (#""\u00e9\u20ac""#, "é€"), (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"), (#""\ud83dx""#, "\u{FFFD}x"),
            (#""é""#, "é"), ("[]", []), ("{}", [:]), (" [ 1 , 2 ] ", [1, 2]),
            ("{\"b\":1,\"a\":{\"c\":[null]}}", ["a": ["c": [.null]], "b": 1]),
        ] as [(String, JSONValue)]
    )
    func `reads valid texts`(text: String, expected: JSONValue) throws {
        #expect(try JSONParser.parse(text) == expected)
    }

    @Test(arguments: [
        ("", "unexpected end of JSON input"), ("   ", "unexpected end of JSON input"), ("{", "unexpected end of JSON input"),
        ("[1,", "unexpected end of JSON input"), ("\"abc", "unexpected end of JSON input"), ("\"\\", "unexpected end of JSON input"),
        ("nul", "unexpected end of JSON input"), ("-", "unexpected end of JSON input"), ("1.", "unexpected end of JSON input"),
        ("x", "invalid character 'x' looking for beginning of value"), ("'", #"invalid character '\'' looking for beginning of value"#),
        ("{a", "invalid character 'a' looking for beginning of object key string"),
        ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
        ("[1,]", "invalid character ']' looking for beginning of value"), ("{\"a\" 1}", "invalid character '1' after object key"),
        ("{\"a\":1 \"b\"", #"invalid character '"' after object key:value pair"#), ("[1 2]", "invalid character '2' after array element"),
        ("1 2", "invalid character '2' after top-level value"), ("01", "invalid character '1' after top-level value"),
        ("nulx", "invalid character 'x' in literal null (expecting 'l')"), ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("\"\\x\"", "invalid character 'x' in string escape code"),
        ("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"),
        ("\"a\nb\"", #"invalid character '\n' in string literal"#),
        ("1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"),
    ])
    func `words errors as Go does`(text: String, message: String) {
        let error = #expect(throws: JSONParseError.self) { try JSONParser.parse(text) }
        #expect(error?.message == message)
    }

    @Test func `refuses deep nesting without overflowing the stack`() {
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: JSONParseError.self) { try JSONParser.parse(deep) }
        #expect(error?.message == "exceeded max depth")
        let allowed = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(throws: Never.self) { try JSONParser.parse(allowed) }
    }

    @Test func `replaces invalid UTF-8 byte by byte`() throws {
        #expect(try JSONParser.parse([0x22, 0x61, 0xFF, 0xFE, 0x62, 0x22]) == "a\u{FFFD}\u{FFFD}b")
        #expect(try JSONParser.parse([0x22, 0xE2, 0x82, 0x22]) == "\u{FFFD}\u{FFFD}")
    }

    @Test func `keeps the last of duplicate members and names their paths`() throws {
        let text = #"{"spec":{"replicas":1,"replicas":2,"c":[{"a":1},{"n":1,"n":2,"n":3}]},"spec":{"replicas":3}}"#
        let (value, duplicates) = try JSONParser.parseReportingDuplicates(Array(text.utf8))
        #expect(value == ["spec": ["replicas": 3]])
        #expect(duplicates == ["spec.replicas", "spec.c[1].n", "spec"])
        #expect(try JSONParser.parseReportingDuplicates(Array(#"{"a":1,"b":"\u0061"}"#.utf8)).duplicates.isEmpty)
        #expect(try JSONParser.parseReportingDuplicates(Array(#"{"a":1,"\u0061":2}"#.utf8)).duplicates == ["a"])
    }

    @Test func `sorts members by UTF-8 bytes`() throws {
        let value = try JSONParser.parse(
            #"{"é":1,"z":2,"aa":3,"a":4,"Z":5,"averylongkeynumber2":6,"averylongkeynumber1":7,"😀":8,"\uff5e":9}"#
        )
        #expect(value.object?.keys == ["Z", "a", "aa", "averylongkeynumber1", "averylongkeynumber2", "z", "é", "～", "😀"])
    }

    @Test func `tells canonically equivalent strings apart`() throws {
        let value = try JSONParser.parse(#"{"é":1,"\u0065\u0301":2}"#)
        #expect(value.object?.count == 2)
        #expect(JSONValue.string("\u{e9}") != .string("e\u{301}"))
    }
}
