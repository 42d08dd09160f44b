import NIOCore
import NIOPosix
import Testing

@testable import HTTPTransport

/// Speaks to a server byte by byte.
@Suite struct RawSocketTests {
    /// Sends `text` and returns what comes back until the server closes, or until `enough` holds.
    static func talk(
        _ port: Int,
        _ text: String,
        until enough: @Sendable (String) -> Bool = { _ in false }
    ) async throws -> String {
        let socket = try await open(port)
        try await socket.write(Array(text.utf8))
        var all: [UInt8] = []
        while let bytes = try await socket.read() {
            all += bytes
            if enough(String(decoding: all, as: UTF8.self)) { break }
        }
        await socket.close()
        return String(decoding: all, as: UTF8.self)
    }

    static func open(_ port: Int) async throws -> RawChannelStream {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let stream = RawChannelStream(channel: channel, highWater: 64 * 1024)
                    try channel.pipeline.syncOperations.addHandler(stream)
                    return stream
                }
            }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(
                port,
                "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                    + "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            let order = ["GET /1", "POST /2", "body 3", "GET /3"].map { answer.firstRange(of: $0)?.lowerBound }
            #expect(!order.contains(nil))
            #expect(order.compactMap { $0 } == order.compactMap { $0 }.sorted())
        }
    }

    @Test func `chunked uploads and expect 100-continue work`() async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(
                port,
                "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n"
                    + "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("body 5"))
        }
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{1} HTTP/1.1\r\nHost x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `malformed requests get 400 and the connection closes`(_ request: String) async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, request)
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
        }
    }

    @Test(arguments: ["a b", "a/b", "a@b", "\u{e4}", "a\"b", "a\\b"])
    func `a Host that cannot be one is refused`(host: String) async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.hasSuffix("400 Bad Request: malformed Host header"), "\(answer)")
        }
    }

    @Test(arguments: ["[::1]:6443", "a.b-c:80", "", "10.0.0.1", "%zz", "a_b~!$&'()*+,;="])
    func `other Hosts are taken`(host: String) async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
        }
    }

    @Test(arguments: [("/%zz", 400), ("/a%", 400), ("/a%4", 400), ("/%41%2f?b=%zz", 200), ("/a?%", 200)])
    func `a path with a broken escape is refused`(path: String, status: Int) async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501 Not Implemented"),
    ])
    func `a head that can be read in two ways is refused`(request: String, status: String) async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, request)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(answer)")
        }
    }

    @Test func `headers beyond the limit get 431`() async throws {
        var configuration = HTTPServerConfiguration()
        configuration.limits.headerBytes = 4096
        try await withServer(configuration, handler: echo) { _, port in
            let filler = (0..<100).map { "X-Filler-\($0): \(String(repeating: "a", count: 64))\r\n" }.joined()
            let answer = try await Self.talk(port, "GET / HTTP/1.1\r\n\(filler)\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
        }
    }

    @Test func `a long field and a thousand fields are taken, as Go takes them`() async throws {
        try await withServer(handler: echo) { _, port in
            let field = "X-Long: \(String(repeating: "a", count: 900 << 10))\r\n"
            let long = try await Self.talk(port, "GET / HTTP/1.1\r\nConnection: close\r\n\(field)\r\n")
            #expect(long.hasPrefix("HTTP/1.1 200 "), "\(long.prefix(200))")
            let groups = (0..<2_000).map { "X-Remote-Group: g\($0)\r\n" }.joined()
            let many = try await Self.talk(port, "GET / HTTP/1.1\r\nConnection: close\r\n\(groups)\r\n")
            #expect(many.hasPrefix("HTTP/1.1 200 "), "\(many.prefix(200))")
        }
    }

    @Test func `http 1 0 is answered and closed`() async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, "GET /old HTTP/1.0\r\n\r\n")
            #expect(answer.contains("HTTP/1.0\n"))
            #expect(answer.contains("Connection: close\r\n"))
        }
    }

    @Test func `head has the length and no body`() async throws {
        try await withServer(handler: echo) { _, port in
            let answer = try await Self.talk(port, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(answer.contains("Content-Length: "))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    /// One short limit at a time: beside other tests a step between two of the client's own actions may take long too.
    private static func limited(_ set: (inout HTTPServerConfiguration.Limits) -> Void) -> HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration()
        set(&configuration.limits)
        return configuration
    }

    @Test func `a peer that stalls in the head is let go without an answer`() async throws {
        try await withServer(Self.limited { $0.requestHead = .milliseconds(200) }, handler: echo) { server, port in
            let answer = try await Self.talk(port, "GET / HT")
            #expect(answer == "")
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test func `a peer that stalls in the body gets 408`() async throws {
        try await withServer(Self.limited { $0.requestBody = .milliseconds(200) }, handler: echo) { server, port in
            let answer = try await Self.talk(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test func `a peer that stays silent between requests is let go`() async throws {
        try await withServer(Self.limited { $0.idle = .milliseconds(200) }, handler: echo) { server, port in
            let answer = try await Self.talk(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"), "\(answer)")
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test func `a handshake that never ends is cut`() async throws {
        let (tls, _, _) = try ServerTests.tls(["h2"])
        var configuration = HTTPServerConfiguration(tls: tls)
        configuration.limits.handshake = .milliseconds(200)
        try await withServer(configuration, handler: echo) { server, port in
            #expect(try await Self.talk(port, "\u{16}\u{3}\u{1}") == "")
            let plain = try await Self.talk(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!plain.contains("200 OK"))
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test func `connections beyond the limit are refused`() async throws {
        var configuration = HTTPServerConfiguration()
        configuration.limits.connections = 1
        try await withServer(configuration, handler: echo) { server, port in
            let first = try await Self.open(port)
            try await first.write(Array("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            #expect(try await first.read() != nil)
            let second = (try? await Self.talk(port, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")) ?? ""
            #expect(second == "")
            await first.close()
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test func `a peer that goes away cancels its handler`() async throws {
        let ended = Counter()
        let began = Counter()
        try await withServer(
            handler: { _ in
                began.add()
                try? await Task.sleep(for: .seconds(60))
                ended.add()
                return HTTPResponse(status: 200)
            }
        ) { _, port in
            let socket = try await Self.open(port)
            try await socket.write(Array("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            try await eventually { began.value == 1 }
            await socket.close()
            try await eventually { ended.value == 1 }
        }
    }

    @Test func `an upgrade keeps the bytes that came with the request`() async throws {
        try await withServer(
            handler: { request in
                guard request.isUpgrade else { return HTTPResponse(status: 400) }
                return HTTPResponse(
                    status: 101,
                    headers: ["Upgrade": "test", "Connection": "Upgrade"],
                    body: .upgrade { stream in
                        while let bytes = try await stream.read() { try await stream.write(bytes.reversed()) }
                    }
                )
            }
        ) { _, port in
            let answer = try await Self.talk(
                port,
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nabc",
                until: { $0.hasSuffix("cba") }
            )
            #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(answer.hasSuffix("\r\n\r\ncba"))
        }
    }
}
