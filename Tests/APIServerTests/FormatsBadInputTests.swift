import HTTPTransport
import Schema
import Testing
import Values

@testable import APIServer

/// Bodies that mean harm get an error at once and nothing else.
@Suite struct FormatsBadInputTests {
    /// What a client may send, and a word of the answer.
    static let bodies: [(type: String, body: String, words: String)] = [
        ("application/json", String(repeating: "[", count: 100_000), "depth"),
        ("application/json", String(repeating: "{\"a\":", count: 100_000), "depth"),
        ("application/json", "{\"a\": 1e999}", "1e999"),
        ("application/json", "{\"a\": \"\u{1}\"}", "invalid character"),
        ("application/json", "", "unexpected end of JSON input"),
        ("application/yaml", bomb, "excessive aliasing"),
        ("application/yaml", String(repeating: "[", count: 100_000), "depth"),
        ("application/yaml", String(repeating: "- ", count: 100_000), "depth"),
        ("application/yaml", "a: *nothing", "unknown anchor"),
        ("application/yaml", "\u{0}", "control characters"),
        ("application/cbor", String(repeating: "\u{1}", count: 3), "extraneous"),
    ]

    /// Nine levels of nine aliases each: 387 million strings if taken at its word.
    static let bomb: String = {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        return text
    }()

    @Test(arguments: bodies.indices)
    func `a malicious body is refused`(index: Int) async throws {
        let (type, body, words) = Self.bodies[index]
        try await withCluster { cluster in
            let answer = try await cluster.send("POST", FormatsTests.maps, Array(body.utf8), type: type)
            #expect(answer.status == 400)
            #expect(answer.message.contains(words), "\(answer.message)")
        }
    }

    @Test func `nested CBOR is refused before it costs`() async throws {
        try await withCluster { cluster in
            for body in [[UInt8](repeating: 0x81, count: 1 << 20), [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
                let answer = try await cluster.send("POST", FormatsTests.maps, body, type: "application/cbor")
                #expect(answer.status == 400)
            }
        }
    }
}
