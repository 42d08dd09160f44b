import HTTPTransport
import Negotiation
import Synchronization

/// A watch over a WebSocket: every event is one message, text in JSON and binary in the other syntaxes.
///
/// Written to by one task at a time. Source: k8s.io/apiserver/pkg/endpoints/handlers/watch.go.
final class WatchSocket: ResponseStream {
    /// A client has nothing to say; what it sends nevertheless may be so long and is dropped.
    private static let receivedBytes = 64 << 10
    /// The length in front of a protobuf event, which a message does not need.
    private static let lengthBytes = 4

    private let connection: WebSocketConnection
    private let syntax: ResponseForm.Syntax
    private let closed = Atomic<Bool>(false)
    private let feed = Mutex<(any ResponseFeed)?>(nil)

    private init(_ connection: WebSocketConnection, _ syntax: ResponseForm.Syntax) {
        self.connection = connection
        self.syntax = syntax
    }

    /// Answers 101, then sends what `produce` writes. A subprotocol is repeated to the client and means nothing.
    static func response(
        to request: HTTPRequest,
        syntax: ResponseForm.Syntax,
        _ produce: @escaping @Sendable (WatchSocket) async throws -> Void
    ) -> HTTPResponse {
        let offered = request.headers.elements("sec-websocket-protocol")
        // With several there is nothing to choose by.
        guard offered.count < 2 else { return Responses.text("missing or bad WebSocket-Protocol", status: 400) }
        var limits = WebSocketConnection.Limits()
        limits.messageBytes = receivedBytes
        return WebSocketHandshake.response(to: request, supported: offered, limits: limits) { connection, _ in
            await WatchSocket(connection, syntax).serve(produce)
        }
    }

    /// Ends when the watch is over or the client has closed, whichever comes first.
    private func serve(_ produce: @escaping @Sendable (WatchSocket) async throws -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.send(produce) }
            group.addTask { await self.dropReceived() }
            await group.next()
            group.cancelAll()
            // Says goodbye, and frees whichever task still waits for the client.
            await connection.close()
        }
    }

    private func send(_ produce: @Sendable (WatchSocket) async throws -> Void) async {
        do {
            try await produce(self)
            guard let feed = feed.withLock({ $0 }) else { return }
            defer { feed.cancel() }
            try await drain(feed)
        } catch {
            closed.store(true, ordering: .releasing)
        }
    }

    private func dropReceived() async {
        do {
            while try await connection.receive() != nil {}
        } catch {
            // It broke the protocol or is gone: the end as well.
        }
        closed.store(true, ordering: .releasing)
    }

    // MARK: ResponseStream

    /// Sends one event.
    func write(_ bytes: [UInt8]) async throws {
        switch syntax {
        case .json, .yaml: try await connection.send(text: String(decoding: bytes, as: UTF8.self))
        case .cbor: try await connection.send(bytes)
        case .protobuf: try await connection.send(Array(bytes.dropFirst(Self.lengthBytes)))
        }
    }

    /// Nothing is kept back.
    func flush() {}

    func handOver(_ feed: any ResponseFeed) {
        self.feed.withLock { $0 = feed }
    }

    var isClosed: Bool { closed.load(ordering: .acquiring) }
}
