import Testing

@testable import HTTPTransport

@Suite struct WebSocketTests {
    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
    func `a frame survives the wire whatever the cut`(_ size: Int) throws {
        for mask: UInt32? in [nil, 0xa1b2_c3d4] {
            let frame = WebSocketFrame(.binary, (0..<size).map { UInt8($0 % 256) })
            let wire = frame.encoded(mask: mask)
            var decoder = WebSocketDecoder(expectsMask: mask != nil, frameLimit: 1 << 20)
            for piece in stride(from: 0, to: wire.count, by: 977) {
                #expect(try decoder.next() == nil)
                decoder.append(Array(wire[piece..<min(piece + 977, wire.count)]))
            }
            #expect(try decoder.next() == frame)
            #expect(try decoder.next() == nil)
        }
    }

    @Test(arguments: [
        ([0xc1, 0x80, 0, 0, 0, 0] as [UInt8], WebSocketCloseCode.protocolError),
        ([0x83, 0x80, 0, 0, 0, 0], WebSocketCloseCode.protocolError),
        ([0x82, 0x01, 0], WebSocketCloseCode.protocolError),
        ([0x09, 0x80, 0, 0, 0, 0], WebSocketCloseCode.protocolError),
        ([0x89, 0xfe, 0, 126], WebSocketCloseCode.protocolError),
        ([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0], WebSocketCloseCode.tooBig),
        ([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], WebSocketCloseCode.tooBig),
    ])
    func `a broken frame is refused with its code`(_ wire: [UInt8], _ code: UInt16) throws {
        var decoder = WebSocketDecoder(expectsMask: true, frameLimit: 1 << 20)
        decoder.append(wire)
        #expect { try decoder.next() } throws: { ($0 as? WebSocketError)?.code == code }
    }

    @Test func `random bytes never crash the decoder`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var decoder = WebSocketDecoder(expectsMask: Bool.random(), frameLimit: 4096)
            do {
                for _ in 0..<20 {
                    decoder.append((0..<Int.random(in: 0...64)).map { _ in UInt8.random(in: 0...255, using: &random) })
                    while try decoder.next() != nil {}
                }
            } catch {}
        }
    }

    @Test func `the accept key is that of the standard`() {
        #expect(WebSocketHandshake.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func `messages, fragments, pings and the close cross a pair`() async throws {
        let (near, far) = InMemoryDuplex.pair()
        let client = WebSocketConnection(stream: near, role: .client)
        let server = WebSocketConnection(stream: far, role: .server)
        try await client.send([1, 2, 3])
        try await client.send(text: "hi")
        try await client.ping([9])
        let mask: UInt32 = 7
        try await near.write(WebSocketFrame(.binary, [4], isFinal: false).encoded(mask: mask))
        try await near.write(WebSocketFrame(.ping, []).encoded(mask: mask))
        try await near.write(WebSocketFrame(.continuation, [5], isFinal: true).encoded(mask: mask))
        #expect(try await server.receive() == .binary([1, 2, 3]))
        #expect(try await server.receive() == .text(Array("hi".utf8)))
        #expect(try await server.receive() == .binary([4, 5]))
        await server.close(WebSocketCloseCode.goingAway, "bye")
        #expect(try await client.receive() == nil)
        #expect(client.peerClose?.code == WebSocketCloseCode.goingAway)
        #expect(client.peerClose?.reason == "bye")
    }

    @Test func `a feed has a websocket to itself, pings are answered and its client's end is its own`() async throws {
        let feed = FeedTests.TestFeed()
        let late = FeedTests.TestFeed()
        let server = try HTTPServer(
            configuration: HTTPServerConfiguration(),
            handler: ClosureHandler { request in
                WebSocketHandshake.response(to: request, supported: []) { connection, _ in
                    try await connection.send(text: "begun")
                    #expect(await connection.handOver(request.path == "/late" ? late : feed) { .text($0) })
                }
            }
        )
        // unstructured: the test cancels the server alone
        let running = Task { try await server.run() }
        let client = try HTTPClient(configuration: .loopback(try await server.listeningPort()))
        let (socket, _) = try await WebSocketHandshake.connect(client, HTTPRequest(path: "/"), subprotocols: [])
        #expect(try await socket.receive() == .text(Array("begun".utf8)))
        try await socket.send(text: "nobody listens")
        try await socket.ping([1])
        for word in ["one", "two"] {
            feed.push(word)
            #expect(try await socket.receive() == .text(Array(word.utf8)))
        }
        #expect(!feed.isCancelled)
        await socket.close()
        try await eventually { feed.isCancelled }
        let (other, _) = try await WebSocketHandshake.connect(client, HTTPRequest(path: "/late"), subprotocols: [])
        #expect(try await other.receive() == .text(Array("begun".utf8)))
        // A server that shuts down ends the feed, and says goodbye.
        running.cancel()
        #expect(try await other.receive() == nil)
        #expect(other.peerClose?.code == WebSocketCloseCode.normal)
        try await running.value
        await client.shutDown()
    }

    @Test func `a server chooses its best protocol, over a real socket`() async throws {
        try await withServer(
            handler: { request in
                WebSocketHandshake.response(to: request, supported: ["b", "a"]) { connection, name in
                    #expect(name == "b")
                    while let message = try await connection.receive() {
                        if case .binary(let bytes) = message { try await connection.send(bytes + [0]) }
                    }
                }
            }
        ) { _, port in
            let client = try HTTPClient(configuration: .loopback(port))
            let (socket, name) = try await WebSocketHandshake.connect(
                client,
                HTTPRequest(path: "/ws"),
                subprotocols: ["a", "b"]
            )
            #expect(name == "b")
            let large = [UInt8](repeating: 3, count: 300_000)
            try await socket.send(large)
            #expect(try await socket.receive() == .binary(large + [0]))
            await socket.close()
            await #expect(throws: TransportError.self) {
                try await WebSocketHandshake.connect(client, HTTPRequest(path: "/ws"), subprotocols: ["zzz"])
            }
            await client.shutDown()
        }
    }

    @Test func `a websocket crosses tls although the server prefers h2`() async throws {
        let (tls, clientTLS, _) = try ServerTests.tls(["h2", "http/1.1"])
        try await withServer(
            HTTPServerConfiguration(tls: tls),
            handler: { request in
                WebSocketHandshake.response(to: request, supported: ["a"]) { connection, _ in
                    while let message = try await connection.receive() {
                        if case .binary(let bytes) = message { try await connection.send(bytes) }
                    }
                }
            }
        ) { server, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let (socket, _) = try await WebSocketHandshake.connect(client, HTTPRequest(path: "/"), subprotocols: ["a"])
            let large = [UInt8](repeating: 3, count: 1_000_000)
            async let sending: Void = socket.send(large)
            #expect(try await socket.receive() == .binary(large))
            try await sending
            await socket.close()
            try await eventually { server.connectionCount == 0 }
            await client.shutDown()
        }
    }
}
