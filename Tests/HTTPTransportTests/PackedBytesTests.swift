import HTTPTransport
import Testing

@Suite struct PackedBytesTests {
    @Test func `what is packed comes back whole`() {
        let text = Array(String(repeating: "{\"description\":\"one of many\"},", count: 2_000).utf8)
        let packed = PackedBytes.pack(text)
        #expect(PackedBytes.isPacked(packed))
        #expect(packed.count < text.count / 10)
        #expect(PackedBytes.unpack(packed) == text)
    }

    @Test func `what does not get smaller stays as it is`() {
        let bytes = (0..<64).map { UInt8($0 * 37 % 251) }
        #expect(PackedBytes.pack(bytes) == bytes)
        #expect(PackedBytes.unpack(bytes) == bytes)
    }

    @Test func `damaged bytes yield nothing and do no harm`() {
        let packed = PackedBytes.pack(Array(String(repeating: "ab", count: 4_000).utf8))
        for length in 3..<packed.count { #expect(PackedBytes.unpack(Array(packed[..<length])).isEmpty) }
        var huge = packed
        huge[6] = 0xff
        #expect(PackedBytes.unpack(huge).isEmpty)
    }
}
