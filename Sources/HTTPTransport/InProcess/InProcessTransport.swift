import Channels
import Synchronization

/// Calls a handler in the same process: no sockets, no framing, no copies of bodies.
public final class InProcessTransport: APITransport {
    private let handler: any HTTPHandler
    private let peer: Peer

    /// Requests reach `handler` as sent by `user`.
    public init(handler: any HTTPHandler, user: InProcessUser) {
        self.handler = handler
        peer = Peer(inProcessUser: user, isSecure: true)
    }

    /// Requests reach `handler` as sent by `peer`.
    public init(handler: any HTTPHandler, peer: Peer) {
        self.handler = handler
        self.peer = peer
    }

    /// Calls the handler; a streamed body is produced while it is read.
    public func send(_ request: HTTPRequest) async throws -> ClientResponse {
        let response = try await respond(request)
        switch response.body {
        case .empty: return ClientResponse(status: response.status, headers: response.headers, body: ResponseBody())
        case .bytes(let bytes):
            return ClientResponse(status: response.status, headers: response.headers, body: ResponseBody(bytes))
        case .chunks(let chunks):
            return ClientResponse(status: response.status, headers: response.headers, body: ResponseBody(chunks: chunks))
        case .stream(let produce):
            return ClientResponse(
                status: response.status,
                headers: response.headers,
                body: InProcessStream.start(produce)
            )
        case .upgrade:
            throw TransportError(.protocolViolation, "the handler switched protocols on a request that did not ask for it")
        }
    }

    /// Calls the handler and joins both ends in memory.
    public func upgrade(_ request: HTTPRequest) async throws -> (ClientResponse, any DuplexByteStream) {
        let response = try await respond(request)
        guard case .upgrade(let run) = response.body else {
            var body = ResponseBody()
            switch response.body {
            case .bytes(let bytes): body = ResponseBody(bytes)
            case .chunks(let chunks): body = ResponseBody(chunks: chunks)
            case .stream(let produce): body = InProcessStream.start(produce)
            case .empty, .upgrade: break
            }
            return (ClientResponse(status: response.status, headers: response.headers, body: body), ClosedByteStream())
        }
        let (near, far) = InMemoryDuplex.pair()
        // unstructured: the handler's side lives as long as the stream the caller holds; closing that ends it
        Task {
            try? await run(far)
            await far.close()
        }
        return (ClientResponse(status: 101, headers: response.headers, body: ResponseBody()), near)
    }

    private func respond(_ request: HTTPRequest) async throws -> HTTPResponse {
        var request = request
        request.peer = peer
        guard let timeout = request.timeout else { return await handler.respond(to: request) }
        let bound = request
        let handler = handler
        do {
            return try await withDeadline(timeout) { await handler.respond(to: bound) }
        } catch is DeadlineExceeded {
            throw TransportError(.timedOut, "no response within \(timeout)")
        }
    }
}

/// A streamed body whose producer runs while the consumer reads.
final class InProcessStream: ResponseStream {
    private let channel: ByteChannel
    private let feed = Mutex<(any ResponseFeed)?>(nil)

    private init(_ channel: ByteChannel) {
        self.channel = channel
    }

    var isClosed: Bool { channel.isClosed }

    func write(_ bytes: [UInt8]) async throws {
        try await channel.send(bytes)
    }

    func flush() {}

    func handOver(_ feed: any ResponseFeed) {
        self.feed.withLock { $0 = feed }
    }

    static func start(_ produce: @escaping @Sendable (any ResponseStream) async throws -> Void) -> ResponseBody {
        let producer = ProducerTask()
        let channel = ByteChannel(onCancel: { producer.cancel() })
        let stream = InProcessStream(channel)
        // unstructured: produces as long as somebody reads; dropping the body cancels it
        let task = Task {
            do {
                try await produce(stream)
                if let feed = stream.feed.withLock({ $0 }) {
                    defer { feed.cancel() }
                    try await stream.drain(feed)
                }
                channel.finish()
            } catch {
                channel.finish(throwing: error)
            }
        }
        producer.started(task)
        return ResponseBody(channel: channel)
    }
}
