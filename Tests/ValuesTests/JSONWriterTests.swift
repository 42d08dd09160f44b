import Testing
import Values

@Suite struct JSONWriterTests {
    @Test(
        arguments: [
            (JSONValue.null, "null"), (true, "true"), (0, "0"), (.integer(.min), "-9223372036854775808"), (1.5, "1.5"), (1.0, "1"),
            (.number(1e21), "1e+21"), (.number(1e20), "100000000000000000000"), (.number(1e-7), "1e-7"), (.number(0.000001), "0.000001"),
            (.number(-1.25e-9), "-1.25e-9"), (.number(123456.789), "123456.789"), ("a\"\\\n\u{1}", #""a\"\\\n\u0001""#),
            ("<a>&", #""\u003ca\u003e\u0026""#), ("\u{2028}\u{2029}☃", "\"\\u2028\\u2029☃\""), ("\u{8}\u{c}", #""\b\f""#), ([], "[]"),
            ([:], "{}"),
            (["b": [1, "x"], "a": .null], #"{"a":null,"b":[1,"x"]}"#),
        ] as [(JSONValue, String)]
    )
    func `encodes as Go does`(value: JSONValue, text: String) {
        #expect(String(decoding: value.encoded(), as: UTF8.self) == text)
        var buffer: [UInt8] = [1]
        value.encode(into: &buffer)
        #expect(buffer == [1] + Array(text.utf8))
    }

    @Test func `indents with four spaces`() {
        let value: JSONValue = ["a": [1, ["b": [:]]], "c": []]
        let text = "{\n    \"a\": [\n        1,\n        {\n            \"b\": {}\n        }\n    ],\n    \"c\": []\n}"
        #expect(String(decoding: value.encodedPretty(), as: UTF8.self) == text)
    }

    @Test func `keeps every value through a round trip of random trees`() throws {
        var random = Generator(seed: 7)
        for _ in 0..<2000 {
            let value = random.value(depth: 5)
            let bytes = value.encoded()
            let again = try JSONParser.parse(bytes)
            #expect(again.encoded() == bytes)
            #expect(again == value)
        }
    }

    @Test func `survives mutated texts`() {
        var random = Generator(seed: 11)
        for _ in 0..<20_000 {
            var bytes = random.value(depth: 4).encoded()
            for _ in 0...random.below(4) where !bytes.isEmpty {
                let position = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[position] = UInt8(random.below(256))
                case 1: bytes.remove(at: position)
                case 2: bytes.insert(Array("{}[],:\"\\eE.-0u".utf8)[random.below(14)], at: position)
                default: bytes.removeLast(random.below(bytes.count))
                }
            }
            guard let (value, _) = try? JSONParser.parseReportingDuplicates(bytes) else { continue }
            let encoded = value.encoded()
            #expect((try? JSONParser.parse(encoded))?.encoded() == encoded)
        }
    }
}

/// A small deterministic source of JSON trees.
struct Generator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func text() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABC0123-./ \"\\\n\u{1}<&é€😀\u{2028}")
        return String((0..<below(24)).map { _ in alphabet[below(alphabet.count)] })
    }

    mutating func value(depth: Int) -> JSONValue {
        switch below(depth > 0 ? 8 : 5) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .integer(Int64(bitPattern: next()) >> Int64(below(64)))
        case 3: return .number(Double(Int64(bitPattern: next()) >> 20) / 1024 + 0.5 / 1024)
        case 4: return .string(text())
        case 5: return .array((0..<below(6)).map { _ in value(depth: depth - 1) })
        default: return .object(JSONObject((0..<below(8)).map { _ in (text(), value(depth: depth - 1)) }))
        }
    }
}
