/// Translates port-forward between a WebSocket client of the old framing and a SPDY server such as containerd's.
///
/// Each port has two channels: data (even) and error (odd). Both begin with the port as two bytes, low byte first.
public struct PortForwardBridge: Sendable {
    /// Ports of one connection.
    public static let portLimit = 128
    /// The subprotocols of this framing.
    public static let subprotocols = [RemoteCommandProtocol.v4.rawValue, RemoteCommandProtocol.v4Base64.rawValue]

    private let socket: RemoteCommandSocket
    private let ports: [UInt16]

    /// A bridge to the WebSocket client of `socket`, which asked for `ports`.
    public init(_ socket: RemoteCommandSocket, ports: [UInt16]) {
        self.socket = socket
        self.ports = Array(ports.prefix(PortForwardBridge.portLimit))
    }

    /// The ports in a request's query: `ports` or `port`, repeated or separated by commas. Nil when there are none or
    /// one is no port.
    public static func ports(_ query: QueryItems) -> [UInt16]? {
        let texts = (query.all("ports") + query.all("port")).flatMap { $0.split(separator: ",") }
        let ports = texts.compactMap { UInt16($0) }.filter { $0 > 0 }
        return ports.isEmpty || ports.count != texts.count || ports.count > portLimit ? nil : ports
    }

    /// Moves bytes until the client goes away or every port is done.
    public func run(_ backend: any DuplexByteStream) async {
        let session = SPDYSession(backend, role: .client)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await session.run() }
            if let pairs = try? await open(session) { await move(pairs) }
            await session.close()
            group.cancelAll()
        }
        await socket.connection.close(WebSocketCloseCode.normal)
    }

    private struct Pair: Sendable {
        var data: SPDYStream
        var error: SPDYStream
    }

    private func open(_ session: SPDYSession) async throws -> [Pair] {
        var pairs: [Pair] = []
        for (index, port) in ports.enumerated() {
            var headers: HeaderFields = ["streamtype": "error", "port": "\(port)", "requestid": "\(index)"]
            let error = try await session.open(headers)
            try await error.waitForReply()
            await error.closeWrite()
            headers["streamtype"] = "data"
            let data = try await session.open(headers)
            try await data.waitForReply()
            pairs.append(Pair(data: data, error: error))
            let name = [UInt8(port & 0xff), UInt8(port >> 8)]
            try await socket.send(UInt8(2 * index), name)
            try await socket.send(UInt8(2 * index + 1), name)
        }
        return pairs
    }

    private func move(_ pairs: [Pair]) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await input(pairs) }
            group.addTask {
                await withDiscardingTaskGroup { outputs in
                    for (index, pair) in pairs.enumerated() {
                        outputs.addTask { await output(pair.data, UInt8(2 * index)) }
                        outputs.addTask { await output(pair.error, UInt8(2 * index + 1)) }
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func input(_ pairs: [Pair]) async {
        while let (channel, bytes) = try? await socket.receive() {
            let index = Int(channel) / 2
            guard channel & 1 == 0, index < pairs.count, !bytes.isEmpty else { continue }
            try? await pairs[index].data.write(bytes)
        }
    }

    private func output(_ stream: SPDYStream, _ channel: UInt8) async {
        while let bytes = try? await stream.read() {
            do { try await socket.send(channel, bytes) } catch { return await stream.close() }
        }
    }
}
