import HTTPTransport
import Values

/// A container's log over a WebSocket: every piece is one message, as it is or in base64. An empty message comes first, so
/// that the client knows the log has begun.
///
/// Source: k8s.io/streaming/pkg/httpstream/wsstream/stream.go.
struct LogSocket: Sendable {
    private static let binary = "binary.k8s.io"
    private static let base64 = "base64.binary.k8s.io"
    /// Bytes of one message at most.
    private static let messageBytes = 2 << 10
    /// A client has nothing to say; what it sends nevertheless may be so long and is dropped.
    private static let receivedBytes = 64 << 10

    /// The request to the kubelet, which serves logs over plain HTTP only.
    static func plain(_ request: HTTPRequest) -> HTTPRequest {
        var plain = request
        for name in ["connection", "upgrade"] { plain.headers.remove(name) }
        let handshake = request.headers.filter { HeaderFields.same($0.name.prefix(14), "sec-websocket-") }
        for field in handshake { plain.headers.remove(field.name) }
        return plain
    }

    /// Answers a client's handshake and then sends `log`'s body; an answer that is no log is passed on as it is.
    static func response(to request: HTTPRequest, log: HTTPResponse) -> HTTPResponse {
        guard log.status == 200 else { return log }
        // The client's best protocol counts, not ours.
        let offered = request.headers.elements("sec-websocket-protocol").filter { $0 == binary || $0 == base64 }
        var limits = WebSocketConnection.Limits()
        limits.messageBytes = receivedBytes
        return WebSocketHandshake.response(to: request, supported: offered, limits: limits) { connection, subprotocol in
            await serve(log.body, connection, isText: subprotocol == base64)
        }
    }

    /// Ends when the log is over or the client has closed, whichever comes first.
    private static func serve(_ body: HTTPResponse.Body, _ connection: WebSocketConnection, isText: Bool) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // The client is gone, or the kubelet: either way it is over.
                try? await send(body, Sender(connection: connection, isText: isText))
            }
            group.addTask {
                // The client closes, breaks the protocol or goes away: the end as well.
                while (try? await connection.receive()) != nil {}
            }
            await group.next()
            group.cancelAll()
            await connection.close()
        }
    }

    private static func send(_ body: HTTPResponse.Body, _ sender: Sender) async throws {
        try await sender.message([])
        switch body {
        case .empty, .upgrade: return
        case .bytes(let bytes): try await sender.write(bytes)
        case .chunks(let chunks): for chunk in chunks { try await sender.write(chunk) }
        case .stream(let produce): try await produce(sender)
        }
    }

    /// Sends what a body writes. Written to by one task.
    private struct Sender: ResponseStream {
        let connection: WebSocketConnection
        let isText: Bool

        func message(_ bytes: some Collection<UInt8>) async throws {
            if isText {
                try await connection.send(text: Base64.encode(Array(bytes)))
            } else {
                try await connection.send(Array(bytes))
            }
        }

        func write(_ bytes: [UInt8]) async throws {
            var rest = bytes[...]
            while !rest.isEmpty {
                try await message(rest.prefix(LogSocket.messageBytes))
                rest = rest.dropFirst(LogSocket.messageBytes)
            }
        }

        /// Nothing is kept back.
        func flush() {}

        func handOver(_ feed: any ResponseFeed) { feed.cancel() }

        var isClosed: Bool { connection.peerClose != nil }
    }
}
