import Testing
import Units

@testable import ClusterDNS

@Suite struct DNSMessageTests {
    private func name(_ text: String) throws -> DNSName { try #require(DNSName(text)) }

    private func everything() throws -> DNSMessage {
        let owner = try name("web.default.svc.cluster.local")
        var message = DNSMessage(id: 0xBEEF, question: DNSQuestion(owner, RecordType.any)).reply()
        message.isAuthoritative = true
        message.securityBits = 3
        message.answers = [
            DNSRecord(owner, ttl: 5, .address(IPAddress(10, 96, 0, 20))),
            DNSRecord(owner, ttl: 5, .address(try #require(IPAddress("fd00::1")))),
            DNSRecord(owner, ttl: 5, .name(RecordType.cname, try name("example.com"))),
            DNSRecord(owner, ttl: 5, .service(priority: 0, weight: 50, port: 80, target: owner)),
            DNSRecord(owner, ttl: 0x7FFF_FFFF, .text([Array("1.1.0".utf8), []])),
            DNSRecord(owner, ttl: 5, .other(257, [0, 5, 1, 2])),
        ]
        message.authorities = [
            DNSRecord(
                try name("cluster.local"),
                ttl: 5,
                .authority(
                    server: try name("ns.dns.cluster.local"),
                    mailbox: try name("hostmaster.cluster.local"),
                    serial: 1,
                    refresh: 2,
                    retry: 3,
                    expire: 4,
                    minimum: 5
                )
            )
        ]
        message.additionals = [DNSRecord(try name("1.0.0.10.in-addr.arpa"), ttl: 1, .name(RecordType.ptr, owner))]
        message.edns = DNSMessage.Extension(datagramSize: 1232)
        message.edns?.wantsSignatures = true
        return message
    }

    @Test func `reads back what it writes, with names compressed`() throws {
        let message = try everything()
        let bytes = message.encoded()
        #expect(try DNSMessage(decoding: bytes) == message)
        let owner = Array("web".utf8)
        #expect(bytes.indices.filter { bytes[$0...].starts(with: owner) }.count == 2, "the SRV target is not compressed, all others are")
    }

    @Test func `reads a query as dig sends it`() throws {
        let bytes: [UInt8] =
            [0x12, 0x34, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 1, 3, 0x57, 0x77, 0x57, 7] + Array("example".utf8) + [3] + Array("com".utf8)
            + [0, 0, 1, 0, 1, 0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]
        let query = try DNSMessage(decoding: bytes)
        #expect(query.id == 0x1234 && query.wantsRecursion && !query.isResponse && query.securityBits == 2)
        #expect(query.questions == [DNSQuestion(try name("www.example.com"), RecordType.a)])
        #expect(query.edns?.datagramSize == 4096 && query.edns?.wantsSignatures == true)
        #expect(query.questions[0].name.description == "WwW.example.com.")
    }

    @Test(
        arguments: [
            [], [0, 1], [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1],
            [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0xC0, 12, 0, 1, 0, 1], [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 1, 0, 1],
            [0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3, 1, 2, 3],
        ] as [[UInt8]]
    )
    func `refuses what makes no sense`(bytes: [UInt8]) {
        #expect(throws: DNSFormatError.self) { try DNSMessage(decoding: bytes) }
    }

    @Test func `marks what does not fit`() throws {
        var message = try everything()
        message.answers = (0..<200).map { DNSRecord(message.questions[0].name, ttl: 5, .address(IPAddress(10, 0, 0, UInt8($0)))) }
        for limit in [512, 1232] {
            let bytes = message.encoded(limit: limit)
            let short = try DNSMessage(decoding: bytes)
            #expect(bytes.count <= limit && short.isTruncated && short.edns != nil && short.questions == message.questions)
        }
        #expect(try DNSMessage(decoding: message.encoded()).answers.count == 200)
    }

    @Test func `survives mutated messages`() throws {
        let original = try everything().encoded()
        var state: UInt64 = 99
        func next(_ bound: Int) -> Int {
            state = state &* 6364136223846793005 &+ 1442695040888963407
            return Int(state >> 33) % bound
        }
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0...next(6) {
                switch next(3) {
                case 0: bytes[next(bytes.count)] = UInt8(next(256))
                case 1: bytes.removeLast(next(bytes.count / 2))
                default: bytes.insert(UInt8(next(256)), at: next(bytes.count))
                }
            }
            guard let message = try? DNSMessage(decoding: bytes) else { continue }
            let again = message.encoded()
            if again.count <= DNSMessage.longestMessage { #expect(try DNSMessage(decoding: again) == message) }
        }
    }

    @Test func `names are bounded and compared without case`() throws {
        #expect(DNSName(String(repeating: "a", count: 64)) == nil)
        #expect(DNSName(Array(repeating: String(repeating: "a", count: 60), count: 5).joined(separator: ".")) == nil)
        #expect(DNSName("a..b") == nil)
        #expect(try name("A.b.") == name("a.B"))
        #expect(try name("").description == "." && name(".").labels.isEmpty)
    }

    @Test func `reads resolv.conf`() {
        let found = ResolverConfiguration(
            parsing: """
                # comment
                nameserver 192.0.2.1
                nameserver	2001:db8::1
                nameserver fe80::1%eth0
                nameserver
                nameserver nonsense
                search a.example b.example
                options ndots:2 timeout:1
                bogus
                nameserver 192.0.2.2
                nameserver 192.0.2.3
                """
        )
        #expect(found.servers.map(\.description) == ["192.0.2.1", "2001:db8::1", "192.0.2.2"])
        #expect(found.search == ["a.example", "b.example"] && found.options == ["ndots:2", "timeout:1"])
    }

    @Test func `keeps answers for a while and forgets the oldest`() throws {
        func answer(_ ttl: UInt32) throws -> DNSMessage {
            var message = DNSMessage()
            message.answers = [DNSRecord(try name("x.example"), ttl: ttl, .address(IPAddress(192, 0, 2, 1)))]
            return message
        }
        func key(_ text: String) throws -> DNSCache.Key { DNSCache.Key(DNSQuestion(try name(text), RecordType.a), wantsSignatures: false) }
        var cache = DNSCache(capacity: 3)
        cache.put(try key("a.example"), try answer(20), at: .seconds(100))
        #expect(cache.get(try key("A.EXAMPLE"), at: .seconds(105))?.answers[0].ttl == 15)
        #expect(cache.get(try key("a.example"), at: .seconds(120)) == nil)
        cache.put(try key("b.example"), try answer(86_400), at: .seconds(0))
        #expect(cache.get(try key("b.example"), at: .seconds(29))?.answers[0].ttl == 1)
        #expect(cache.get(try key("b.example"), at: .seconds(30)) == nil)
        for number in 0..<10 { cache.put(try key("n\(number).example"), try answer(20), at: .zero) }
        #expect(cache.count == 3)
        #expect(cache.get(try key("n9.example"), at: .zero) != nil)
        #expect(cache.get(try key("n0.example"), at: .zero) == nil)
        var failure = try answer(20)
        failure.code = 2
        cache.put(try key("f.example"), failure, at: .zero)
        #expect(cache.get(try key("f.example"), at: .zero) == nil)
    }
}
