import Values

/// Translates exec and attach between a WebSocket client and a SPDY server such as containerd's.
public struct RemoteCommandBridge: Sendable {
    /// Bytes of an outcome.
    private static let statusLimit = 1024 * 1024

    private let socket: RemoteCommandSocket
    private let options: RemoteCommandOptions

    /// A bridge to the WebSocket client of `socket`.
    public init(_ socket: RemoteCommandSocket, options: RemoteCommandOptions) {
        self.socket = socket
        self.options = options
    }

    private struct Streams: Sendable {
        var error: SPDYStream
        var stdin: SPDYStream?
        var stdout: SPDYStream?
        var stderr: SPDYStream?
        var resize: SPDYStream?
    }

    /// Moves bytes until the command has ended and its outcome is told, or either side goes away.
    public func run(_ backend: any DuplexByteStream) async {
        let session = SPDYSession(backend, role: .client)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await session.run() }
            do {
                let streams = try await open(session)
                await move(streams)
            } catch {
                await report(error)
            }
            await session.close()
            group.cancelAll()
        }
        await socket.connection.close(WebSocketCloseCode.normal)
    }

    /// Tells the client why the command never ran.
    public func report(_ failure: any Error) async {
        let status: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "code": 500,
            "reason": "InternalError", "message": .string("error executing command: \(failure)"),
        ]
        await tell(status.encoded())
    }

    /// Tells the client how the command ended. The oldest clients read words, and nothing where all went well.
    private func tell(_ status: [UInt8]) async {
        guard socket.version == .v1 || socket.version == .v1Base64, let value = try? JSONParser.parse(status) else {
            try? await socket.send(.error, status)
            return
        }
        if value["status"]?.string == "Success" { return }
        try? await socket.send(.error, Array((value["message"]?.string ?? "").utf8))
    }

    /// The server waits for every stream the options announce before it starts.
    private func open(_ session: SPDYSession) async throws -> Streams {
        func stream(_ type: String) async throws -> SPDYStream {
            let stream = try await session.open(["streamtype": type])
            try await stream.waitForReply()
            return stream
        }
        var streams = Streams(error: try await stream("error"))
        if options.stdin { streams.stdin = try await stream("stdin") }
        if options.stdout { streams.stdout = try await stream("stdout") }
        if options.stderr { streams.stderr = try await stream("stderr") }
        if options.tty { streams.resize = try await stream("resize") }
        return streams
    }

    private func move(_ streams: Streams) async {
        // clients take an empty message as the sign that the command has begun
        let first: RemoteCommandChannel = options.stdout ? .stdout : options.stderr ? .stderr : .error
        try? await socket.send(first, [])
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await input(streams) }
            group.addTask {
                await withDiscardingTaskGroup { outputs in
                    if let stdout = streams.stdout { outputs.addTask { await output(stdout, .stdout) } }
                    if let stderr = streams.stderr { outputs.addTask { await output(stderr, .stderr) } }
                }
                // the outcome comes last, so that the client has all output when it stops
                await outcome(streams.error)
                return true
            }
            _ = await group.next()
            group.cancelAll()
        }
    }

    /// From the client, until it goes away.
    private func input(_ streams: Streams) async -> Bool {
        do {
            while let (channel, bytes) = try await socket.receive() {
                switch RemoteCommandChannel(rawValue: channel) {
                case .stdin: if !bytes.isEmpty { try await streams.stdin?.write(bytes) }
                case .resize: try await streams.resize?.write(bytes)
                case .close: if bytes.first == RemoteCommandChannel.stdin.rawValue { await streams.stdin?.closeWrite() }
                default: break
                }
            }
        } catch let error as TransportError where error.code == .closed && socket.connection.peerClose == nil {
            // the command no longer reads: its output and outcome are still to come
            await drainClient()
        } catch {}
        return false
    }

    private func drainClient() async {
        while let message = try? await socket.receive() { _ = message }
    }

    private func output(_ stream: SPDYStream, _ channel: RemoteCommandChannel) async {
        do {
            while let bytes = try await stream.read() { try await socket.send(channel, bytes) }
        } catch {
            await stream.close()
        }
    }

    private func outcome(_ stream: SPDYStream) async {
        var status: [UInt8] = []
        while let bytes = try? await stream.read(), status.count < Self.statusLimit { status += bytes }
        if !status.isEmpty { await tell(status) }
    }
}
