import Crypto
import Values

/// The opening handshake of RFC 6455.
public enum WebSocketHandshake {
    private static let magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// Whether a request asks for a WebSocket.
    public static func isRequested(_ request: HTTPRequest) -> Bool {
        request.isUpgrade && request.headers.hasToken("websocket", in: "upgrade")
    }

    /// The subprotocol a server takes: the first of its own that the client offers, or nil.
    public static func choose(_ request: HTTPRequest, from supported: [String]) -> String? {
        let offered = request.headers.elements("sec-websocket-protocol")
        return supported.first { offered.contains($0) }
    }

    /// The answer a client's key demands.
    public static func accept(_ key: String) -> String {
        Base64.encode(Array(Insecure.SHA1.hash(data: Array((key + magic).utf8))))
    }

    /// The response that opens a WebSocket: 101, then `run` has the connection. With offered protocols none of which
    /// is `supported`, 403 as upstream's library answers; without any offer the connection has no subprotocol.
    public static func response(
        to request: HTTPRequest,
        supported: [String],
        limits: WebSocketConnection.Limits = WebSocketConnection.Limits(),
        run: @escaping @Sendable (WebSocketConnection, _ subprotocol: String) async throws -> Void
    ) -> HTTPResponse {
        guard isRequested(request), request.method == "GET", let key = request.headers["sec-websocket-key"],
            Base64.decode(key)?.count == 16
        else { return refusal(400, "bad WebSocket handshake") }
        guard request.headers["sec-websocket-version"] == "13" else {
            var response = refusal(400, "unsupported WebSocket version")
            response.headers.append("Sec-WebSocket-Version", "13")
            return response
        }
        let offered = request.headers.elements("sec-websocket-protocol")
        let chosen = choose(request, from: supported)
        guard chosen != nil || offered.isEmpty else {
            return refusal(403, "none of the WebSocket subprotocols \(offered) is supported, only \(supported)")
        }
        var headers: HeaderFields = [
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept(key),
        ]
        if let chosen { headers.append("Sec-WebSocket-Protocol", chosen) }
        return HTTPResponse(
            status: 101,
            headers: headers,
            body: .upgrade { stream in
                let connection = WebSocketConnection(stream: stream, role: .server, limits: limits)
                try await run(connection, chosen ?? "")
                await connection.close(WebSocketCloseCode.normal)
            }
        )
    }

    /// Opens a WebSocket as a client. Throws `upgradeRefused` with what the server answered.
    public static func connect(
        _ transport: any APITransport,
        _ request: HTTPRequest,
        subprotocols: [String],
        limits: WebSocketConnection.Limits = WebSocketConnection.Limits()
    ) async throws -> (connection: WebSocketConnection, subprotocol: String) {
        var random = SystemRandomNumberGenerator()
        let key = Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
        var request = request
        request.method = "GET"
        request.headers["Connection"] = "Upgrade"
        request.headers["Upgrade"] = "websocket"
        request.headers["Sec-WebSocket-Version"] = "13"
        request.headers["Sec-WebSocket-Key"] = key
        if !subprotocols.isEmpty { request.headers["Sec-WebSocket-Protocol"] = subprotocols.joined(separator: ", ") }
        let (response, stream) = try await transport.upgrade(request)
        guard response.status == 101 else {
            let text = String(decoding: (try? await response.body.collect(upTo: 64 * 1024)) ?? [], as: UTF8.self)
            throw TransportError(.upgradeRefused, "no WebSocket: the server answered \(response.status) \(text)")
        }
        guard response.headers["sec-websocket-accept"] == accept(key) else {
            await stream.close()
            throw TransportError(.protocolViolation, "no WebSocket: the server's accept key is wrong")
        }
        let chosen = response.headers["sec-websocket-protocol"] ?? ""
        guard chosen.isEmpty || subprotocols.contains(chosen) else {
            await stream.close()
            throw TransportError(.protocolViolation, "no WebSocket: the server chose \(chosen), which was not offered")
        }
        return (WebSocketConnection(stream: stream, role: .client, limits: limits), chosen)
    }

    private static func refusal(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(Array(text.utf8))
        )
    }
}
