import NIOCore
import Synchronization

/// What a connection does for the exchanges on it. Called on the event loop only.
protocol ServerConnection: AnyObject {
    /// Sends the head, and the body when it is small and known.
    func sendHead(_ exchange: ServerExchange, _ response: HTTPResponse, inline: [[UInt8]]?)
    /// Sends part of a body of known length.
    func sendBody(_ exchange: ServerExchange, _ buffer: ByteBuffer)
    /// Sends part of a body whose length is not known.
    func sendChunk(_ exchange: ServerExchange, _ bytes: [UInt8])
    /// Ends the response.
    func sendEnd(_ exchange: ServerExchange)
    /// Breaks the response off, so that the peer sees that it is not whole.
    func abort(_ exchange: ServerExchange)
    /// Sends what is written.
    func flushNow()
    /// Whether the exchange may write more without waiting, after a flush.
    func hasRoom(_ exchange: ServerExchange) -> Bool
    /// Where feeds of this connection's event loop announce themselves.
    var inbox: FeedInbox { get }
    /// Whether pieces of a body wait as the arrays they came as, of any size; otherwise they are copied in pieces.
    var queuesArrays: Bool { get }
    /// Leaves HTTP; nil when the connection cannot.
    func leaveHTTP(_ exchange: ServerExchange, _ response: HTTPResponse) -> RawChannelStream?
}

/// One request and its response.
///
/// `@unchecked Sendable`: everything mutable is touched on `eventLoop` only; `closed` is atomic.
final class ServerExchange: ResponseStream, @unchecked Sendable {
    /// Bodies up to this size leave together with the head.
    static let inlineBytes = 64 * 1024
    /// Larger bodies are copied into the connection in pieces of this size.
    static let pieceBytes = 64 * 1024

    let eventLoop: any EventLoop
    let request: RequestLine
    /// HTTP/2's stream while it is open; nil in HTTP/1.
    var stream: ServerStream?
    /// Body bytes handed to the connection and not yet on their way.
    var pendingBytes = 0
    /// When the peer last took bytes, or the exchange began.
    var progressAt: NIODeadline
    /// A body of unknown length is being produced: no stall limit, ended at shutdown.
    private(set) var isStreaming = false
    private(set) var isFinished = false
    private let connection: any ServerConnection
    private var waiter: CheckedContinuation<Void, any Error>?
    private var task: Task<Void, Never>?
    private var isShuttingDown = false
    private let closed = Atomic<Bool>(false)
    private var isCancelled = false
    private var feeding: Feeding?
    /// Set and taken by the producing task.
    private var handedOver: (any ResponseFeed)?

    /// A feed that is being sent.
    private struct Feeding {
        let feed: any ResponseFeed
        /// Who waits for its end; nil when the response ends with it.
        let continuation: CheckedContinuation<Void, any Error>?
        /// The peer has to take bytes before the feed is asked again.
        var isHeldBack = false
    }

    /// What of the request decides how the response is framed.
    struct RequestLine {
        var isHead: Bool
        var version: HTTPRequest.Version
    }

    init(eventLoop: any EventLoop, connection: any ServerConnection, stream: ServerStream?, request: RequestLine) {
        self.eventLoop = eventLoop
        self.connection = connection
        self.stream = stream
        self.request = request
        progressAt = .now()
    }

    /// Whether the peer is gone.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    // MARK: Connection side, on the event loop

    /// Starts the handler's task.
    func start(_ request: HTTPRequest, handler: any HTTPHandler, executor: EventLoopTaskExecutor?) {
        var request = request
        request.executor = executor
        // unstructured: one task a request, owned by this exchange, cancelled when the peer goes away
        task = Task(executorPreference: executor) { [request] in await self.serve(request, handler) }
    }

    /// The peer went away or reset the exchange.
    func peerGone() {
        closed.store(true, ordering: .releasing)
        task?.cancel()
        release(TransportError(.closed, "the client is gone"))
        endFeed(TransportError(.closed, "the client is gone"))
    }

    /// The server shuts down: a stream ends, an ordinary response goes on.
    func shutDown() {
        isShuttingDown = true
        if isStreaming { task?.cancel() }
        feeding?.feed.cancel()
    }

    /// Bytes left for the peer.
    func tookBytes(_ count: Int, at time: NIODeadline = .now()) {
        pendingBytes -= count
        progressAt = time
        roomMayHaveCome()
    }

    /// The connection can take more.
    func roomMayHaveCome() {
        if feeding?.isHeldBack == true { pull() }
        if waiter != nil, connection.hasRoom(self) { release(nil) }
    }

    private func release(_ failure: (any Error)?) {
        guard let waiting = waiter else { return }
        waiter = nil
        if let failure { waiting.resume(throwing: failure) } else { waiting.resume() }
    }

    // MARK: Handler side

    private func serve(_ request: HTTPRequest, _ handler: any HTTPHandler) async {
        let response = await handler.respond(to: request)
        do {
            switch response.body {
            case .empty: try await sendWhole(response, [])
            case .bytes(let bytes): try await sendWhole(response, bytes.isEmpty ? [] : [bytes])
            case .chunks(let chunks): try await sendWhole(response, chunks)
            case .stream(let produce): try await sendStream(response, produce)
            case .upgrade(let run): try await leaveHTTP(response, run)
            }
        } catch {
            try? await onLoop { if !self.isFinished { self.finish { self.connection.abort(self) } } }
        }
    }

    private func sendWhole(_ response: HTTPResponse, _ chunks: [[UInt8]]) async throws {
        let total = chunks.reduce(0) { $0 + $1.count }
        if total <= ServerExchange.inlineBytes {
            try await onLoop {
                self.connection.sendHead(self, response, inline: chunks)
                self.finish {}
            }
            return
        }
        try await onLoop { self.connection.sendHead(self, response, inline: nil) }
        if request.isHead {
            // only its length is told
        } else if connection.queuesArrays {
            for chunk in chunks { try await write(chunk) }
        } else {
            for piece in BodyPieces(chunks: chunks, limit: ServerExchange.pieceBytes) { try await write(piece) }
        }
        try await onLoop { self.finish { self.connection.sendEnd(self) } }
    }

    private func sendStream(
        _ response: HTTPResponse,
        _ produce: @Sendable (any ResponseStream) async throws -> Void
    ) async throws {
        try await onLoop {
            self.isStreaming = true
            if self.isShuttingDown { self.task?.cancel() }
            self.connection.sendHead(self, response, inline: nil)
        }
        if !request.isHead {
            do {
                try await produce(self)
            } catch {
                let endsWell = try await onLoop { self.isShuttingDown && !self.isClosed }
                guard endsWell else { throw error }
            }
        }
        if let feed = handedOver {
            handedOver = nil
            return try await follow(feed)
        }
        try await onLoop { self.finish { self.connection.sendEnd(self) } }
    }

    private func leaveHTTP(
        _ response: HTTPResponse,
        _ run: @Sendable (any DuplexByteStream) async throws -> Void
    ) async throws {
        let stream = try await onLoop {
            self.isStreaming = true
            return self.connection.leaveHTTP(self, response)
        }
        guard let stream else { throw TransportError(.protocolViolation, "the connection cannot leave HTTP") }
        try? await run(stream)
        if !stream.isFollowed { await stream.close() }
        try? await onLoop { self.isFinished = true }
    }

    /// Sends bytes; suspends while the peer does not keep up.
    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        if eventLoop.inEventLoop {
            try writeOnLoop(bytes)
        } else {
            try await onLoop { try self.writeOnLoop(bytes) }
        }
        try await waitForRoom()
    }

    private func write(_ piece: ByteBuffer) async throws {
        try await onLoop {
            if self.pendingBytes == 0 { self.progressAt = .now() }
            self.connection.sendBody(self, piece)
        }
        try await waitForRoom()
    }

    /// Sends what was written at once.
    func flush() {
        if eventLoop.inEventLoop {
            connection.flushNow()
        } else {
            eventLoop.execute { if !self.isClosed { self.connection.flushNow() } }
        }
    }

    /// Sends what the feed has until it ends: asked on the event loop, without a task in between.
    func drain(_ feed: any ResponseFeed) async throws {
        let inbox = connection.inbox
        // Not weakly: every use of an exchange would then be slow. The end of the feed lets go of both.
        feed.onReady { inbox.add(self) }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if eventLoop.inEventLoop {
                    begin(feed, continuation)
                } else {
                    eventLoop.execute { self.begin(feed, continuation) }
                }
            }
        } onCancel: {
            feed.cancel()
        }
    }

    func handOver(_ feed: any ResponseFeed) {
        handedOver = feed
    }

    /// Lets the response go on and end with the feed; the task that produced its beginning is over.
    private func follow(_ feed: any ResponseFeed) async throws {
        let inbox = connection.inbox
        feed.onReady { inbox.add(self) }
        do {
            try await onLoop {
                self.task = nil
                if self.isShuttingDown { feed.cancel() }
                self.begin(feed, nil)
            }
        } catch {
            feed.cancel()
            throw error
        }
    }

    private func begin(_ feed: any ResponseFeed, _ continuation: CheckedContinuation<Void, any Error>?) {
        feeding = Feeding(feed: feed, continuation: continuation)
        pull()
    }

    /// Asks the feed as long as it has something and the peer takes it. On the event loop.
    func pull() {
        guard let feed = feeding?.feed else { return }
        feeding?.isHeldBack = false
        while true {
            if !isClosed, !connection.hasRoom(self) {
                connection.flushNow()
                guard connection.hasRoom(self) else {
                    feeding?.isHeldBack = true
                    return
                }
            }
            switch feed.next() {
            case .wait: return
            case .end: return endFeed(nil)
            case .lastBytes(let bytes):
                _ = send(bytes)
                return
            case .bytes(let bytes):
                guard send(bytes) else { return }
            }
        }
    }

    /// Sends a piece of the feed; answers false, and the feed has ended, when it cannot.
    private func send(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty else { return true }
        do {
            try writeOnLoop(bytes)
            return true
        } catch {
            endFeed(error)
            return false
        }
    }

    private func endFeed(_ failure: (any Error)?) {
        guard let ended = feeding else { return }
        feeding = nil
        if let continuation = ended.continuation {
            if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
            return
        }
        ended.feed.cancel()
        finish { if failure == nil { connection.sendEnd(self) } else { connection.abort(self) } }
    }

    private func writeOnLoop(_ bytes: [UInt8]) throws {
        guard !isClosed, !isFinished else { throw TransportError(.closed, "the client is gone") }
        // Of a stream nobody asks when it last went on.
        if pendingBytes == 0, !isStreaming { progressAt = .now() }
        connection.sendChunk(self, bytes)
    }

    private func waitForRoom() async throws {
        if eventLoop.inEventLoop, connection.hasRoom(self) { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if eventLoop.inEventLoop {
                    if Task.isCancelled { isCancelled = true }
                    park(continuation)
                } else {
                    eventLoop.execute { self.park(continuation) }
                }
            }
        } onCancel: {
            eventLoop.execute {
                self.isCancelled = true
                self.release(CancellationError())
            }
        }
    }

    private func park(_ continuation: CheckedContinuation<Void, any Error>) {
        if isClosed {
            continuation.resume(throwing: TransportError(.closed, "the client is gone"))
            return
        }
        if !connection.hasRoom(self) { connection.flushNow() }
        if connection.hasRoom(self) {
            continuation.resume()
        } else if isCancelled {
            continuation.resume(throwing: CancellationError())
        } else {
            waiter = continuation
        }
    }

    private func finish(_ last: () -> Void) {
        guard !isFinished else { return }
        isFinished = true
        isStreaming = false
        progressAt = .now()
        if !isClosed { last() }
        task = nil
    }

    /// Runs `body` on the event loop: at once when the task is there already.
    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        if eventLoop.inEventLoop {
            if isClosed { throw TransportError(.closed, "the client is gone") }
            return try body()
        }
        return try await withCheckedThrowingContinuation { continuation in
            eventLoop.execute {
                if self.isClosed {
                    continuation.resume(throwing: TransportError(.closed, "the client is gone"))
                } else {
                    continuation.resume(with: Swift.Result { try body() })
                }
            }
        }
    }
}
