import Testing

@testable import CEL

@Suite struct RegexTests {
    private static func find(_ pattern: String, _ text: String) throws(CELError) -> String? {
        var matcher = RegexMatcher(try RegularExpression(pattern), text, nil)
        return try matcher.first(from: 0).map { matcher.string($0) }
    }

    @Test(
        arguments: [
            ("a+", "baac", "aa"), ("a+?", "baac", "a"), ("a*", "baac", ""), ("(a|ab)(c|bcd)", "abcd", "abcd"), ("a|ab", "ab", "a"),
            ("ab|a", "ab", "ab"),
            ("[^a-c]+", "abcxyz", "xyz"), (#"\d{2,3}"#, "1 12345", "123"), (#"\d{2,3}?"#, "12345", "12"), ("(?i)ABC", "xabcx", "abc"),
            ("(?i:a)B", "aB", "aB"),
            ("^b", "a\nb", nil), ("(?m)^b", "a\nb", "b"), ("a.b", "a\nb", nil), ("(?s)a.b", "a\nb", "a\nb"),
            (#"\bfoo\b"#, "a foo b", "foo"), (#"\Boo"#, "foo", "oo"),
            ("é.", "caféx", "éx"), (#"\p{Greek}+"#, "abγδ", "γδ"), (#"\pL+"#, "12éa3", "éa"), (#"\PN+"#, "12ab", "ab"),
            ("[[:alpha:]]+", "12ab3", "ab"), ("[[:^digit:]]+", "12ab", "ab"),
            (#"\x41\x{42}\103"#, "ABC", "ABC"), (#"\Qa.b\E+"#, "a.bb", "a.bb"), ("(?P<name>x)y", "xy", "xy"), ("(?<name>x)y", "xy", "xy"),
            ("x{0}y", "xy", "y"), ("x{2}", "xxx", "xx"),
            ("(a*)*", "aaa", "aaa"), ("(a*)+b", "aaab", "aaab"), ("(|a)+", "aaa", ""), ("a{,2}", "a{,2}", "a{,2}"), ("(?U)a+", "aaa", "a"),
            ("[a-]+", "a-b", "a-"), ("[]a]+", "]a", "]a"),
            (#"[\d\-x]+"#, "1-xy", "1-x"), (#"\z"#, "ab", ""), ("$", "a\n", ""), ("(?i)ſ", "S", "S"),
        ] as [(String, String, String?)]
    ) func `finds what RE2 finds`(pattern: String, text: String, expected: String?) throws {
        #expect(try Self.find(pattern, text) == expected)
    }

    @Test(arguments: [
        ("(", "missing closing ): `(`"), (")", "unexpected ): `)`"), ("[a", "missing closing ]: `[a`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a**", "invalid nested repetition operator: `**`"), ("a{1001}", "invalid repeat count: `{1001}`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        (#"\"#, "trailing backslash at end of expression: ``"), (#"\y"#, #"invalid escape sequence: `\y`"#),
        (#"(a)\1"#, #"invalid escape sequence: `\1`"#),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"), ("(?<=a)", "invalid or unsupported Perl syntax: `(?<`"),
        (#"\p{Nope}"#, #"invalid character class range: `\p{Nope}`"#),
        ("(a{500}){500}", "invalid repeat count: `{500}`"),
    ]) func `refuses what RE2 refuses`(pattern: String, message: String) {
        #expect(throws: CELError("error parsing regexp: \(message)")) { try RegularExpression(pattern) }
    }

    @Test func `all matches, also empty ones`() throws {
        var matcher = RegexMatcher(try RegularExpression("a*"), "baab", nil)
        #expect(try matcher.all(limit: 10) == ["", "aa", ""])
        matcher = RegexMatcher(try RegularExpression("é|b"), "ébxb", nil)
        #expect(try matcher.all(limit: 2) == ["é", "b"])
    }

    @Test func `patterns that make backtracking engines hang take linear time`() throws {
        let text = String(repeating: "a", count: 20_000)
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try Self.find("(a+)+$", text + "b") == nil)
        #expect(try Self.find("(a|aa)+b", text) == nil)
        #expect(try Self.find("(x+x+)+y", text) == nil)
        let elapsed = clock.now - start
        #expect(elapsed < .seconds(60))
    }

    @Test func `deep and huge patterns are refused`() {
        #expect(throws: CELError.self) { try RegularExpression(String(repeating: "(", count: 100_000)) }
        #expect(throws: CELError.self) { try RegularExpression(String(repeating: "a{1000}", count: 1000)) }
    }
}
