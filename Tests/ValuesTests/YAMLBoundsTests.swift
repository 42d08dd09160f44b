import Testing
import Values

/// What bounds the work that a text can ask for.
@Suite struct YAMLBoundsTests {
    @Test func `keys in the worst order take no longer than others`() throws {
        var text = ""
        for index in stride(from: 400_000, to: 0, by: -1) { text += "\(1_000_000 + index): \n" }
        let clock = ContinuousClock()
        // Inserting them one by one moves half a terabyte.
        var count: Int?
        let spent = try clock.measure { count = try YAML.parse(text).object?.count }
        #expect(count == 400_000)
        #expect(spent < .seconds(60))
    }

    @Test func `a long path is not repeated for everything below it`() throws {
        let name = String(repeating: "x", count: 500_000)
        let inner = (0..<100_000).map { "\"a\($0 % 1000)\":1" }.joined(separator: ",")
        let bytes = Array("{\"\(name)\":{\(inner)}}".utf8)
        let clock = ContinuousClock()
        var found: [String] = []
        let spent = try clock.measure { found = try JSONParser.parseReportingDuplicates(bytes).duplicates }
        #expect(!found.isEmpty)
        #expect(found.count <= JSONParser.maxReportedDuplicates)
        #expect(found.reduce(0) { $0 + $1.utf8.count } < 1 << 20)
        #expect(spent < .seconds(60))
    }

    @Test func `of merged maps the first wins, and what stands beside them wins over all`() throws {
        let text = "a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc:\n  <<: [*a, *b]\n  k: 0\nd:\n  p: 9\n  <<: *a\n  <<: *b\n"
        let value = try YAML.parse(text)
        #expect(value["c"] == ["k": 0, "p": 1, "q": 1, "r": 2])
        #expect(value["d"] == ["p": 9, "q": 1, "r": 2])
    }

    @Test(arguments: [" \u{8e9}\nx", "a\n \u{301}\nb", "\u{301}\n", " \u{301}", "=\u{338}\n", "- \u{301}", "a: \u{301}\n"])
    func `accents on blanks and signs change nothing`(text: String) throws {
        #expect(try YAML.parse(YAML.encode(["k": .string(text)])) == ["k": .string(text)])
    }
}
