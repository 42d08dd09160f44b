import APITypes
import Channels
import Glibc
import Testing
import Units

@testable import ClusterDNS

/// Nobody to ask.
private let nobody = Forwarder(servers: [])

private let loopback = IPAddress(127, 0, 0, 1)

@Suite struct DNSServerTests {
    /// Runs a body beside a running server.
    private func withServer(_ engine: QueryEngine, _ body: (Int) async throws -> Void) async throws {
        let server = DNSServer(engine: engine, addresses: [loopback])
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            try await body(port)
            group.cancelAll()
        }
    }

    private func question(_ text: String, _ type: UInt16 = RecordType.a) throws -> DNSQuestion {
        DNSQuestion(try #require(DNSName(text)), type)
    }

    /// Sends bytes over a socket of the system and returns the reply, nil when none comes.
    private func exchange(_ bytes: [UInt8], port: Int, stream: Bool = false, seconds: Int = 5) async throws -> [UInt8]? {
        try await onDedicatedThread {
            let descriptor = socket(AF_INET, Int32(stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue), 0)
            defer { close(descriptor) }
            var limit = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = UInt16(port).bigEndian
            inet_pton(AF_INET, "127.0.0.1", &place.sin_addr)
            let connected = withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
            guard connected == 0 else { return nil }
            let out = stream ? [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes : bytes
            guard send(descriptor, out, out.count, Int32(MSG_NOSIGNAL)) == out.count else { return nil }
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_537)
            repeat {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return nil }
                received += buffer[..<count]
            } while stream && (received.count < 2 || received.count < 2 + (Int(received[0]) << 8) + Int(received[1]))
            return stream ? Array(received.dropFirst(2)) : received
        }
    }

    private func ask(_ query: DNSMessage, port: Int, stream: Bool = false) async throws -> DNSMessage {
        try DNSMessage(decoding: try #require(try await exchange(query.encoded(), port: port, stream: stream)))
    }

    @Test func `answers over UDP and TCP`() async throws {
        let engine = QueryEngine(zone: try makeZone(), upstream: nobody)
        try await withServer(engine) { (port: Int) async throws in
            for stream in [false, true] {
                let found = try await ask(
                    DNSMessage(id: 7, question: try question("web.default.svc.cluster.local")),
                    port: port,
                    stream: stream
                )
                #expect(found.id == 7 && found.isResponse && found.isAuthoritative && found.offersRecursion && found.code == 0)
                #expect(found.answers.map(\.content) == [.address(IPAddress(10, 96, 0, 20))])
                let missing = try await ask(
                    DNSMessage(id: 8, question: try question("none.default.svc.cluster.local")),
                    port: port,
                    stream: stream
                )
                #expect(missing.code == 3 && missing.authorities.first?.type == RecordType.soa)
                let located = try await ask(
                    DNSMessage(id: 9, question: try question("_sql._tcp.db.default.svc.cluster.local", RecordType.srv)),
                    port: port,
                    stream: stream
                )
                #expect(located.answers.count == 2 && located.additionals.count == 2)
            }
        }
        #expect(engine.metrics.requests == 6 && engine.metrics.responses[3] == 2)
    }

    @Test func `forwards, follows aliases and caches`() async throws {
        let upstreamEngine = QueryEngine(zone: try makeOutside(), upstream: nobody)
        try await withServer(upstreamEngine) { (upstreamPort: Int) async throws in
            let engine = QueryEngine(zone: try makeZone(), upstream: Forwarder(servers: [.init(loopback, port: upstreamPort)]))
            try await withServer(engine) { (port: Int) async throws in
                let query = DNSMessage(id: 7, question: try question("web.default.svc.outside.test"))
                for _ in 0..<3 {
                    let found = try await ask(query, port: port)
                    #expect(
                        found.code == 0 && !found.isAuthoritative && found.answers.map(\.content) == [.address(IPAddress(192, 0, 2, 80))]
                    )
                }
                #expect(engine.metrics.forwards == 1 && engine.metrics.cacheHits == 2)
                let absent = try await ask(DNSMessage(id: 7, question: try question("no.default.svc.outside.test")), port: port)
                #expect(absent.code == 3)
                let alias = try await ask(DNSMessage(id: 7, question: try question("away.default.svc.cluster.local")), port: port)
                #expect(alias.answers.map(\.type) == [RecordType.cname, RecordType.a])
                let loop = try await ask(DNSMessage(id: 7, question: try question("loop.default.svc.cluster.local")), port: port)
                #expect(loop.answers.map(\.type) == [RecordType.cname, RecordType.a])
                let large = try await ask(
                    DNSMessage(id: 7, question: try question("many.default.svc.outside.test")),
                    port: port,
                    stream: true
                )
                #expect(large.answers.count == 200, "the forwarder asks again over TCP")
            }
        }
    }

    private func makeOutside() throws -> DNSZone {
        var zone = DNSZone(domain: try #require(DNSName("outside.test")))
        for (name, count) in [("web", 1), ("many", 200)] {
            var records = try #require(ServiceRecords(makeService(name)))
            records.addresses = (0..<count).map { IPAddress(192, 0, 2, UInt8((80 + $0) % 256)) }
            zone.set(service: records, key: "default/\(name)")
        }
        return zone
    }

    private func makeService(_ name: String) -> Service {
        var service = Service(name: name, namespace: "default")
        service.spec.clusterIP = "192.0.2.1"
        return service
    }

    @Test func `says so when nobody knows`() async throws {
        let engine = QueryEngine(zone: try makeZone(), upstream: nobody)
        try await withServer(engine) { (port: Int) async throws in
            #expect(try await ask(DNSMessage(id: 7, question: try question("example.com")), port: port).code == 2)
        }
    }

    @Test func `bad queries get what they deserve`() async throws {
        let engine = QueryEngine(zone: try makeZone(), upstream: nobody)
        let good = DNSMessage(id: 7, question: try question("web.default.svc.cluster.local"))
        func code(_ change: (inout DNSMessage) -> Void) -> UInt8? {
            var query = good
            change(&query)
            guard case .reply(let reply) = engine.receive(query.encoded()) else { return nil }
            return reply.code
        }
        #expect(code { $0.opcode = 5 } == 4)
        #expect(code { $0.questions = [] } == 1)
        #expect(code { $0.questions.append($0.questions[0]) } == 1)
        #expect(code { $0.questions[0].recordClass = 3 } == 5)
        #expect(code { $0.questions[0].type = RecordType.axfr } == 5)
        #expect(code { $0.isResponse = true } == nil)
        #expect(
            code {
                $0.edns = .init(datagramSize: 512); $0.edns?.version = 9
            } == 0
        )
        if case .reply(let reply) = engine.receive(Array(good.encoded().dropLast(3))) {
            #expect(reply.code == 1 && reply.id == 7)
        } else {
            Issue.record("no reply")
        }
        if case .ignore = engine.receive([1, 2, 3]) {} else { Issue.record("a reply to noise") }
        try await withServer(engine) { (port: Int) async throws in
            #expect(try await exchange([1, 2, 3], port: port, seconds: 1) == nil)
            #expect(try await exchange([1, 2, 3], port: port, stream: true) == nil)
            #expect(try await ask(good, port: port).answers.count == 1)
        }
        #expect(engine.metrics.malformed >= 3)
    }

    @Test func `a port in use is no obstacle when any will do`() async throws {
        let engine = QueryEngine(zone: try makeZone(), upstream: nobody)
        try await withServer(engine) { (port: Int) async throws in
            let strict = DNSServer(engine: engine, addresses: [loopback], port: port)
            await #expect(throws: (any Error).self) { try await strict.run() }
            let second = DNSServer(engine: engine, addresses: [loopback], port: port, orAnyPort: true)
            try await withThrowingTaskGroup { group in
                group.addTask { try await second.run() }
                let other = try await second.listeningPort()
                #expect(other != port)
                group.cancelAll()
            }
        }
    }

    @Test func `large answers are cut for datagrams`() async throws {
        let engine = QueryEngine(zone: try makeOutside(), upstream: nobody)
        try await withServer(engine) { (port: Int) async throws in
            var query = DNSMessage(id: 7, question: try question("many.default.svc.outside.test"))
            let small = try #require(try await exchange(query.encoded(), port: port))
            #expect(small.count <= 512)
            #expect(try DNSMessage(decoding: small).isTruncated)
            query.edns = .init(datagramSize: 4096)
            let larger = try #require(try await exchange(query.encoded(), port: port))
            #expect(larger.count > 512 && larger.count <= 1232)
            #expect(try DNSMessage(decoding: larger).edns != nil)
        }
    }
}
