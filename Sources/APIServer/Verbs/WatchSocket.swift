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

    /// Answers 101, then sends what `produce` writes. A subprotocol is repeated to the client and means nothing. A client must
    /// say where it comes from, as browsers do; any origin will do.
    static func response(
        to request: HTTPRequest,
        syntax: ResponseForm.Syntax,
        _ produce: @escaping @Sendable (WatchSocket) async throws -> Void
    ) -> HTTPResponse {
        let offered = request.headers.elements("sec-websocket-protocol")
        var limits = WebSocketConnection.Limits()
        limits.messageBytes = receivedBytes
        let response = WebSocketHandshake.response(to: request, supported: offered, limits: limits) { connection, _ in
            await WatchSocket(connection, syntax).serve(produce)
        }
        guard response.status == 101 else { return response }
        guard isOrigin(request.headers["origin"] ?? "") else { return HTTPResponse(status: 403) }
        // With several there is nothing to choose by.
        return offered.count < 2 ? response : HTTPResponse(status: 400)
    }

    /// Whether a text is an absolute path or URI, as Go's `url.ParseRequestURI` reads it; `null` is neither.
    private static func isOrigin(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return false }
        if text.utf8.first == UInt8(ascii: "/") { return true }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let first = text.utf8.first, isLetter(first) else { return false }
        let scheme = text.utf8[..<colon]
        return scheme.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2b || $0 == 0x2d || $0 == 0x2e }
            && text.utf8[colon...].dropFirst().first == UInt8(ascii: "/")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }

    /// Ends when the watch is over or the client has closed, whichever comes first. Where the connection can, it goes on alone
    /// once the first events are sent.
    private func serve(_ produce: @escaping @Sendable (WatchSocket) async throws -> Void) async {
        await listening { await self.begin(produce) }
        guard let feed = feed.withLock({ $0 }) else { return await connection.close() }
        let syntax = syntax
        if !isClosed, await connection.handOver(feed, as: { Self.message($0, syntax) }) { return }
        if !isClosed { await listening { try? await self.drain(feed) } }
        feed.cancel()
        await connection.close()
    }

    /// Runs `work` until it is done or the client has closed.
    private func listening(_ work: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await work() }
            group.addTask { await self.dropReceived() }
            await group.next()
            group.cancelAll()
            // Frees the work if it waits for a client that has gone.
            if isClosed { await connection.close() }
        }
    }

    private func begin(_ produce: @Sendable (WatchSocket) async throws -> Void) async {
        do { try await produce(self) } catch { closed.store(true, ordering: .releasing) }
    }

    private func dropReceived() async {
        do {
            while try await connection.receive() != nil {}
        } catch is CancellationError {
            // The work is done; the client is still there.
            return
        } catch {
            // It broke the protocol or is gone: the end as well.
        }
        closed.store(true, ordering: .releasing)
    }

    // MARK: ResponseStream

    /// Sends one event.
    func write(_ bytes: [UInt8]) async throws {
        switch Self.message(bytes, syntax) {
        case .text(let text): try await connection.send(text: String(decoding: text, as: UTF8.self))
        case .binary(let bytes): try await connection.send(bytes)
        }
    }

    private static func message(_ bytes: [UInt8], _ syntax: ResponseForm.Syntax) -> WebSocketConnection.Message {
        switch syntax {
        case .json, .yaml: .text(bytes)
        case .cbor: .binary(bytes)
        case .protobuf: .binary(Array(bytes.dropFirst(lengthBytes)))
        }
    }

    /// Nothing is kept back.
    func flush() {}

    func handOver(_ feed: any ResponseFeed) {
        self.feed.withLock { $0 = feed }
    }

    var isClosed: Bool { closed.load(ordering: .acquiring) }
}
