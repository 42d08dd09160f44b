/// Answers exec, attach and port-forward requests with a SPDY streaming server, such as the URL containerd gives for
/// one: old clients' SPDY is passed through as it is, WebSockets are translated.
public struct StreamingBackend: Sendable {
    /// What is streamed.
    public enum Kind: Sendable, Hashable {
        /// Exec or attach.
        case remoteCommand(RemoteCommandOptions)
        /// Port-forward; the ports matter to WebSockets of the old framing only.
        case portForward(ports: [UInt16])
    }

    /// The subprotocol whose messages carry SPDY.
    public static let tunnelProtocol = "SPDY/3.1+portforward.k8s.io"
    private static let versionField = "X-Stream-Protocol-Version"
    private static let portForwardVersion = "portforward.k8s.io"
    private static let commandVersion = "v4.channel.k8s.io"

    private let url: ServerURL
    private let query: String
    private let transport: any APITransport

    /// A streaming server by its URL. `eventLoops` are shared with the client that connects.
    public init(url: String, eventLoops: EventLoopThreads? = nil) throws {
        let parts = url.split(separator: "?", maxSplits: 1)
        self.url = try ServerURL(String(parts.first ?? ""))
        query = parts.count > 1 ? String(parts[1]) : ""
        let address = HTTPClientConfiguration.Address.tcp(host: self.url.host, port: self.url.port)
        var configuration = HTTPClientConfiguration(address: address, eventLoops: eventLoops)
        if self.url.scheme == .https { configuration.tls = TLSClient(isInsecure: true) }
        transport = try HTTPClient(configuration: configuration)
    }

    /// A streaming server reached by a transport of the caller's.
    public init(transport: any APITransport, path: String) throws {
        url = try ServerURL("http://localhost\(path)")
        query = ""
        self.transport = transport
    }

    /// The response to a client's request.
    public func respond(to request: HTTPRequest, kind: Kind) async -> HTTPResponse {
        if WebSocketHandshake.isRequested(request) { return webSocket(request, kind) }
        guard request.isUpgrade, request.headers.hasToken("SPDY/3.1", in: "upgrade") else {
            return Self.refusal(400, "you must specify a supported upgrade: SPDY/3.1 or websocket")
        }
        return await passThrough(request)
    }

    // MARK: SPDY

    private func passThrough(_ request: HTTPRequest) async -> HTTPResponse {
        let wanted = request.headers.all(Self.versionField)
        do {
            let (response, backend) = try await upgrade(wanted)
            guard response.status == 101 else {
                let body = try await response.body.collect(upTo: 64 * 1024)
                return HTTPResponse(status: response.status, headers: response.headers, body: .bytes(body))
            }
            var headers: HeaderFields = ["Connection": "Upgrade", "Upgrade": "SPDY/3.1"]
            if let version = response.headers[Self.versionField] { headers.append(Self.versionField, version) }
            return HTTPResponse(status: 101, headers: headers, body: .upgrade { await DuplexRelay.run($0, backend) })
        } catch {
            return Self.refusal(500, "the streaming server cannot be reached: \(error)")
        }
    }

    /// Opens a SPDY connection with one of the stream protocols.
    private func upgrade(_ versions: [String]) async throws -> (ClientResponse, any DuplexByteStream) {
        var headers: HeaderFields = ["Connection": "Upgrade", "Upgrade": "SPDY/3.1"]
        for version in versions { headers.append(Self.versionField, version) }
        let items = QueryItems(parsing: query)
        return try await transport.upgrade(HTTPRequest(method: "POST", path: url.path, query: items, headers: headers))
    }

    private func connect(_ version: String) async throws -> any DuplexByteStream {
        let (response, stream) = try await upgrade([version])
        guard response.status == 101 else {
            let text = String(decoding: (try? await response.body.collect(upTo: 64 * 1024)) ?? [], as: UTF8.self)
            throw TransportError(.upgradeRefused, "the streaming server answered \(response.status): \(text)")
        }
        return stream
    }

    // MARK: WebSocket

    private func webSocket(_ request: HTTPRequest, _ kind: Kind) -> HTTPResponse {
        let backend = self
        switch kind {
        case .remoteCommand(let options):
            return WebSocketHandshake.response(to: request, supported: RemoteCommandProtocol.names) { connection, name in
                let bridge = RemoteCommandBridge(
                    RemoteCommandSocket(connection, subprotocol: name),
                    options: options
                )
                do {
                    await bridge.run(try await backend.connect(Self.commandVersion))
                } catch {
                    await bridge.report(error)
                }
            }
        case .portForward(let ports):
            let supported = [Self.tunnelProtocol] + PortForwardBridge.subprotocols
            return WebSocketHandshake.response(to: request, supported: supported) { connection, name in
                let stream = try await backend.connect(Self.portForwardVersion)
                if name == Self.tunnelProtocol {
                    await DuplexRelay.run(WebSocketByteStream(connection), stream)
                } else {
                    let socket = RemoteCommandSocket(connection, subprotocol: name)
                    await PortForwardBridge(socket, ports: ports).run(stream)
                }
            }
        }
    }

    private static func refusal(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(Array(text.utf8))
        )
    }
}
