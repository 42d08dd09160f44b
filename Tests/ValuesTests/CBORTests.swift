import Testing
import Values

@Suite struct CBORTests {
    private func hex(_ text: String) -> [UInt8] { Hex.decode(text.filter { $0 != " " }) ?? [] }

    /// Examples of RFC 8949, appendix A, and of Kubernetes' own form of strings.
    @Test(
        arguments: [
            ("00", "0"), ("17", "23"), ("1818", "24"), ("1903e8", "1000"), ("1a000f4240", "1000000"),
            ("1b000000e8d4a51000", "1000000000000"), ("20", "-1"), ("3903e7", "-1000"), ("3b7fffffffffffffff", "-9223372036854775808"),
            ("f90000", "0.0"), ("f93c00", "1.0"), ("fb3ff199999999999a", "1.1"), ("f93e00", "1.5"), ("f97bff", "65504.0"),
            ("fa47c35000", "100000.0"), ("f90001", "5.960464477539063e-08"), ("f90400", "6.103515625e-05"), ("f9c400", "-4.0"),
            ("f4", "false"), ("f5", "true"), ("f6", "null"), ("40", "\"\""), ("4161", "\"a\""), ("80", "[]"),
            ("83010203", "[1,2,3]"), ("a0", "{}"), ("a24161014162820203", #"{"a":1,"b":[2,3]}"#),
        ] as [(String, String)]
    )
    func `documents are what RFC 8949 says`(bytes: String, json: String) throws {
        let value = try JSONParser.parse(json)
        #expect(try CBOR.decode(hex(bytes)) == value)
        #expect(CBOR.encode(value) == CBOR.selfDescribed + hex(bytes))
    }

    @Test(
        arguments: [
            ("d9d9f7 6161", "\"a\""), ("62c3bc", "\"ü\""), ("5f 4161 4162 ff", "\"ab\""), ("7f 6161 6162 ff", "\"ab\""),
            ("9f 01 02 ff", "[1,2]"), ("bf 6161 01 ff", #"{"a":1}"#), ("d6 43010203", "\"AQID\""), ("d7 43010203", "\"010203\""),
            ("d5 42fbff", "\"-_8\""), ("c0 74323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\""),
            ("c1 1a514b67b0", "\"2013-03-21T20:04:00Z\""), ("c1 fb41d452d9ec200000", "\"2013-03-21T20:04:00.5Z\""),
            ("d90539 01", "1"), ("a1 41ff 00", "{\"\u{fffd}\":0}"),
        ] as [(String, String)]
    )
    func `other writers' forms are understood`(bytes: String, json: String) throws {
        #expect(try CBOR.decode(hex(bytes)) == JSONParser.parse(json))
    }

    @Test(arguments: [
        "", "18", "5b7fffffffffffffff00", "9b7fffffffffffffff", "bb7fffffffffffffff", "1c", "ff", "f7", "f818", "e0", "f97e00", "f97c00",
        "1bffffffffffffffff", "3bffffffffffffffff", "c249010000000000000000", "a2 6161 01 4161 02", "a1 01 02", "61ff", "00 00",
        "5f 6161 ff", "9f", "c1 60", "c1 fbffefffffffffffff", "d9d9f7",
    ])
    func `what JSON has no form of, and what is damaged, is refused`(bytes: String) {
        #expect(throws: CBORError.self) { try CBOR.decode(hex(bytes)) }
    }

    @Test func `keys stand in the order of their lengths`() {
        let value: JSONValue = ["apiVersion": "v1", "kind": "K", "b": 1, "a": 2, "metadata": [:]]
        let text = "a5 4161 02 4162 01 446b696e64 414b 486d65746164617461 a0 4a61706956657273696f6e 427631"
        #expect(CBOR.encode(value) == CBOR.selfDescribed + hex(text))
    }

    @Test func `nesting is bounded, in lists, maps and tags`() {
        for byte in [0x81, 0x9f, 0xd6, 0xc0] as [UInt8] {
            #expect(throws: CBORError.self) { try CBOR.decode([UInt8](repeating: byte, count: 1 << 20)) }
        }
        let deep = [UInt8](repeating: 0x81, count: 10) + [0xf6]
        #expect(throws: CBORError("cbor: exceeded max nested level 5")) { try CBOR.decode(deep, maxDepth: 5) }
    }
}
