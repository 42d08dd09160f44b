import Testing
import Values

@testable import HTTPTransport

/// Exec and port-forward from a client through our server and bridge to a SPDY streaming server.
@Suite struct StreamingTests {
    /// A streaming server as containerd's: SPDY in, one command that says what it hears.
    @Sendable static func streamingServer(_ request: HTTPRequest) async -> HTTPResponse {
        guard request.isUpgrade, request.method == "POST", request.query.first("token") == "t" else {
            return HTTPResponse(status: 400, body: .bytes(Array("bad token".utf8)))
        }
        let version = request.headers["x-stream-protocol-version"] ?? ""
        return HTTPResponse(
            status: 101,
            headers: ["Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": version],
            body: .upgrade { connection in
                let session = SPDYSession(connection, role: .server)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { try? await session.run() }
                    group.addTask {
                        if version == "portforward.k8s.io" { await echoPorts(session) } else { await command(session) }
                        await session.close()
                    }
                    await group.waitForAll()
                }
            }
        )
    }

    static func command(_ session: SPDYSession) async {
        var streams: [String: SPDYStream] = [:]
        while streams.count < 4, let stream = try? await session.accept() {
            streams[stream.headers["streamtype"] ?? ""] = stream
        }
        var heard = 0
        while let bytes = try? await streams["stdin"]?.read() {
            heard += bytes.count
            try? await streams["stdout"]?.write(bytes)
        }
        try? await streams["stderr"]?.write(Array("heard \(heard)".utf8))
        await streams["stdout"]?.closeWrite()
        await streams["stderr"]?.closeWrite()
        try? await streams["error"]?.write(Array(#"{"status":"Success"}"#.utf8))
        await streams["error"]?.closeWrite()
    }

    static func echoPorts(_ session: SPDYSession) async {
        await withDiscardingTaskGroup { group in
            while let stream = try? await session.accept() {
                guard stream.headers["streamtype"] == "data" else { continue }
                group.addTask {
                    while let bytes = try? await stream.read() {
                        try? await stream.write(Array("\(stream.headers["port"] ?? ""):".utf8) + bytes)
                    }
                    await stream.closeWrite()
                }
            }
        }
    }

    /// Runs a front server whose handler answers with the bridge.
    static func withFront(
        _ kind: StreamingBackend.Kind,
        path: String = "/exec/x?token=t",
        _ body: @escaping @Sendable (HTTPClient) async throws -> Void
    ) async throws {
        try await withServer(handler: streamingServer) { _, backendPort in
            let backend = try StreamingBackend(url: "http://127.0.0.1:\(backendPort)\(path)")
            try await withServer(handler: { await backend.respond(to: $0, kind: kind) }) { _, port in
                let client = try HTTPClient(configuration: .loopback(port))
                try await body(client)
                await client.shutDown()
            }
        }
    }

    static let allStreams = RemoteCommandOptions(stdin: true, stdout: true, stderr: true, tty: false)

    @Test func `v5 over a websocket reaches the spdy command and stdin can end`() async throws {
        try await Self.withFront(.remoteCommand(Self.allStreams)) { client in
            let (connection, name) = try await WebSocketHandshake.connect(
                client,
                HTTPRequest(path: "/exec"),
                subprotocols: ["v5.channel.k8s.io"]
            )
            let socket = RemoteCommandSocket(connection, subprotocol: name)
            #expect(socket.version == .v5)
            for _ in 0..<20 { try await socket.send(.stdin, [UInt8](repeating: 1, count: 32_768)) }
            try await socket.closeStdin()
            var outputs: [UInt8: [UInt8]] = [:]
            var order: [UInt8] = []
            while let (channel, bytes) = try await socket.receive() {
                outputs[channel, default: []] += bytes
                order.append(channel)
            }
            #expect(outputs[1]?.count == 20 * 32_768)
            #expect(text(outputs[2] ?? []) == "heard 655360")
            #expect(text(outputs[3] ?? []) == #"{"status":"Success"}"#)
            #expect(order.first == 1)
            #expect(order.last == 3)
        }
    }

    @Test func `v4 base64 frames are text`() throws {
        let version = RemoteCommandProtocol.v4Base64
        #expect(version.encode(1, Array("hi".utf8)) == .text(Array("1aGk=".utf8)))
        let decoded = try #require(version.decode(.text(Array("0aGk=".utf8))))
        #expect(decoded.channel == 0 && text(decoded.bytes) == "hi")
        #expect(version.decode(.text(Array("x".utf8))) == nil)
        #expect(RemoteCommandProtocol.v5.decode(.binary([])) == nil)
    }

    @Test func `spdy clients are passed through as they are`() async throws {
        try await Self.withFront(.remoteCommand(Self.allStreams)) { client in
            let headers: HeaderFields = [
                "Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io",
            ]
            let (response, stream) = try await client.upgrade(HTTPRequest(method: "POST", path: "/exec", headers: headers))
            #expect(response.status == 101)
            #expect(response.headers["x-stream-protocol-version"] == "v4.channel.k8s.io")
            let session = SPDYSession(stream, role: .client)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try? await session.run() }
                let error = try await session.open(["streamType": "error"])
                let stdin = try await session.open(["streamType": "stdin"])
                let stdout = try await session.open(["streamType": "stdout"])
                _ = try await session.open(["streamType": "stderr"])
                try await stdin.write(Array("hello".utf8))
                await stdin.closeWrite()
                var all: [UInt8] = []
                while let bytes = try await stdout.read() { all += bytes }
                #expect(text(all) == "hello")
                #expect(try await error.read() != nil)
                await session.close()
                try await group.waitForAll()
            }
        }
    }

    @Test func `port-forward tunnels spdy through websocket messages`() async throws {
        try await Self.withFront(.portForward(ports: [])) { client in
            let (connection, name) = try await WebSocketHandshake.connect(
                client,
                HTTPRequest(path: "/pf"),
                subprotocols: [StreamingBackend.tunnelProtocol]
            )
            #expect(name == StreamingBackend.tunnelProtocol)
            let session = SPDYSession(WebSocketByteStream(connection), role: .client)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try? await session.run() }
                let headers: HeaderFields = ["streamType": "data", "port": "8080", "requestID": "0"]
                let data = try await session.open(headers)
                try await data.write(Array("x".utf8))
                #expect(try await data.read() == Array("8080:x".utf8))
                await session.close()
                group.cancelAll()
            }
        }
    }

    @Test func `port-forward of the old framing names its ports and carries data`() async throws {
        try await Self.withFront(.portForward(ports: [80, 8443])) { client in
            let (connection, name) = try await WebSocketHandshake.connect(
                client,
                HTTPRequest(path: "/pf"),
                subprotocols: ["v4.channel.k8s.io"]
            )
            let socket = RemoteCommandSocket(connection, subprotocol: name)
            var names: [UInt8: [UInt8]] = [:]
            while names.count < 4, let (channel, bytes) = try await socket.receive() { names[channel] = bytes }
            #expect(names == [0: [80, 0], 1: [80, 0], 2: [0xfb, 0x20], 3: [0xfb, 0x20]])
            try await socket.send(2, Array("q".utf8))
            let answer = try #require(try await socket.receive())
            #expect(answer.channel == 2 && text(answer.bytes) == "8443:q")
            await connection.close()
        }
    }

    @Test func `a backend that refuses is told to the client`() async throws {
        try await Self.withFront(.remoteCommand(Self.allStreams), path: "/exec/x?token=wrong") { client in
            let (connection, name) = try await WebSocketHandshake.connect(
                client,
                HTTPRequest(path: "/exec"),
                subprotocols: ["v4.channel.k8s.io"]
            )
            let answer = try #require(try await RemoteCommandSocket(connection, subprotocol: name).receive())
            #expect(answer.channel == 3)
            let status = try JSONParser.parse(answer.bytes)
            #expect(status["status"]?.string == "Failure")
            #expect(status["message"]?.string?.contains("bad token") == true)
            let plain = try await client.send(HTTPRequest(method: "POST", path: "/exec"))
            #expect(plain.status == 400)
        }
    }

    @Test func `ports of a query are read or refused whole`() {
        #expect(PortForwardBridge.ports(["ports": "80,81", "ports": "82"]) == [80, 81, 82])
        #expect(PortForwardBridge.ports(["ports": "80,x"]) == nil)
        #expect(PortForwardBridge.ports(["ports": "0"]) == nil)
        #expect(PortForwardBridge.ports([:]) == nil)
    }
}
