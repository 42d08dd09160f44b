import DequeModule
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One HTTP/2 connection: turns frames into requests and responses into frames, without a channel for every stream.
/// Owned by the event loop.
final class HTTP2ServerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// Room that is kept for the next flush.
    private static let keptRoom = 256

    private struct Stream {
        /// Set while the request's body is arriving.
        var request: HTTPRequest?
        /// Set once the handler has the request.
        var exchange: ServerExchange?
        var isBodyDropped = false
    }

    private let shared: ServerContext
    private let peer: Peer
    private let executor: EventLoopTaskExecutor?
    let inbox: FeedInbox
    private var streams: [HTTP2StreamID: Stream] = [:]
    private var context: ChannelHandlerContext?
    private var idleSince = NIODeadline.now()
    private var hasServed = false
    private var isDraining = false
    private var isFlushScheduled = false
    private var sweep: RepeatedTask?
    private var lastStream = HTTP2StreamID.rootStream
    private var lastChunk = SharedChunk()
    /// Whose body bytes were written since the last flush, in order: frames leave in nearly that order.
    private var leaving: Deque<ServerExchange> = []
    /// The time of the flush that is going on.
    private var flushedAt: NIODeadline?
    private let tally: HTTP2Tally
    /// A frame came since the last sweep.
    private var wasHeard = false
    private var lastHeard = NIODeadline.now()
    /// When the peer was probed, while the answer is due.
    private var probedAt: NIODeadline?

    init(shared: ServerContext, peer: Peer, tally: HTTP2Tally, eventLoop: any EventLoop) {
        self.shared = shared
        self.peer = peer
        executor = shared.runsOnEventLoops ? EventLoopTaskExecutor(eventLoop) : nil
        inbox = shared.inbox(eventLoop)
        self.tally = tally
        tally.handler = self
    }

    static func settings(_ limits: HTTPServerConfiguration.Limits) -> HTTP2Settings {
        [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.concurrentStreams),
            HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Window.stream),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerBytes),
            HTTP2Setting(parameter: .maxFrameSize, value: 64 * 1024),
        ]
    }

    // MARK: Pipeline

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = shared.sweepInterval
        sweep = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.checkDeadlines()
        }
        let more = HTTP2Window.connection - HTTP2Window.initialConnection
        context.eventLoop.execute {
            bound.value.write(.rootStream, .windowUpdate(windowSizeIncrement: more))
            bound.value.scheduleFlush()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        wasHeard = true
        switch frame.payload {
        case .headers(let headers): headersReceived(frame.streamID, headers)
        case .data(let data): dataReceived(frame.streamID, data)
        case .rstStream: streamEnded(frame.streamID)
        default: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        // the most frequent first: one comes with every frame sent
        case let event as NIOHTTP2WindowUpdatedEvent: windowChanged(event)
        case let event as StreamClosedEvent: streamEnded(event.streamID)
        case is ServerDrainEvent: beginDrain()
        case let event as ChannelEvent where event == .inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // a stream's error was already answered with a reset; only the connection's own errors end it
        if error is NIOHTTP2Errors.StreamError { return }
        context.close(promise: nil)
    }

    // MARK: Requests

    private func headersReceived(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload.Headers) {
        if streams[id]?.request != nil {
            // trailers: nothing of ours reads them
            if payload.endStream { dispatch(id) }
            return
        }
        guard streams[id] == nil else { return }
        hasServed = true
        lastStream = max(lastStream, id)
        guard let request = makeRequest(payload.headers) else {
            write(id, .rstStream(.protocolError))
            scheduleFlush()
            return
        }
        streams[id] = Stream(request: request)
        if payload.endStream {
            dispatch(id)
        } else if let length = request.headers["content-length"].flatMap({ Int($0) }), length > shared.limits.bodyBytes {
            refuseBody(id)
        }
    }

    private func makeRequest(_ fields: HPACKHeaders) -> HTTPRequest? {
        var method: String?
        var target: String?
        var headers = HeaderFields()
        headers.reserve(fields.count)
        for (name, value, _) in fields {
            guard name.utf8.first == UInt8(ascii: ":") else {
                headers.append(name, value)
                continue
            }
            switch name {
            case ":method": method = value
            case ":path": target = value
            case ":authority": headers.append("host", value)
            default: break
            }
        }
        guard let method, let target, !target.isEmpty else { return nil }
        let parts = RequestTarget(target)
        return HTTPRequest(
            method: method,
            path: parts.path,
            query: parts.query,
            headers: headers,
            peer: peer,
            version: .http2
        )
    }

    private func dataReceived(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload.Data) {
        guard case .byteBuffer(let buffer) = payload.data, let index = streams.index(forKey: id) else { return }
        guard streams.values[index].request != nil, !streams.values[index].isBodyDropped else { return }
        let count = streams.values[index].request?.body.count ?? 0
        guard count + buffer.readableBytes <= shared.limits.bodyBytes else {
            refuseBody(id)
            return
        }
        if var request = streams.values[index].request {
            streams.values[index].request = nil
            buffer.append(to: &request.body)
            streams.values[index].request = request
        }
        if payload.endStream { dispatch(id) }
    }

    private func refuseBody(_ id: HTTP2StreamID) {
        streams[id]?.request?.body = []
        streams[id]?.request?.isBodyTooLarge = true
        streams[id]?.isBodyDropped = true
        dispatch(id)
    }

    private func dispatch(_ id: HTTP2StreamID) {
        guard let context, let request = streams[id]?.request else { return }
        let line = ServerExchange.RequestLine(isHead: request.method == "HEAD", version: .http2)
        let exchange = ServerExchange(
            eventLoop: context.eventLoop,
            connection: self,
            streamID: Int32(id),
            request: line
        )
        streams[id]?.request = nil
        streams[id]?.exchange = exchange
        exchange.start(request, handler: shared.handler, executor: executor)
    }

    private func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
        guard let size = event.inboundWindowSize else { return }
        let target = event.streamID == .rootStream ? HTTP2Window.connection : HTTP2Window.stream
        guard let more = HTTP2Window.refill(size, target: target) else { return }
        if event.streamID != .rootStream, streams[event.streamID]?.request == nil { return }
        write(event.streamID, .windowUpdate(windowSizeIncrement: more))
        scheduleFlush()
    }

    private func streamEnded(_ id: HTTP2StreamID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if let exchange = stream.exchange, !exchange.isFinished { exchange.peerGone() }
        if streams.isEmpty {
            idleSince = .now()
            if isDraining { closeSoon() }
        }
    }

    // MARK: Deadlines and the end

    private func checkDeadlines() {
        let now = NIODeadline.now()
        if wasHeard {
            wasHeard = false
            lastHeard = now
            probedAt = nil
        }
        if streams.isEmpty {
            let idle = Duration.nanoseconds((now - idleSince).nanoseconds)
            let limit = hasServed ? shared.limits.idle : max(shared.limits.requestHead, shared.limits.idle)
            if idle > limit { beginDrain() }
            return
        }
        guard peerAnswers(now) else { return }
        for (id, stream) in streams {
            guard let exchange = stream.exchange, !exchange.isStreaming, exchange.pendingBytes > 0 else { continue }
            guard Duration.nanoseconds((now - exchange.progressAt).nanoseconds) > shared.limits.stalledWrite else { continue }
            write(id, .rstStream(.cancel))
            scheduleFlush()
        }
    }

    /// Probes a silent peer; closes the connection and answers false when a probe stays without answer.
    private func peerAnswers(_ now: NIODeadline) -> Bool {
        if let probedAt {
            guard Duration.nanoseconds((now - probedAt).nanoseconds) >= shared.limits.probeTimeout else { return true }
            shared.log.debug("peer does not answer probes", metadata: ["peer": "\(peer.remoteAddress)"])
            // The requests end now: over TLS the close itself waits a while for the peer's own.
            end()
            context?.close(promise: nil)
            return false
        }
        if Duration.nanoseconds((now - lastHeard).nanoseconds) >= shared.limits.probeAfter {
            probedAt = now
            write(.rootStream, .ping(HTTP2PingData(withInteger: 1), ack: false))
            scheduleFlush()
        }
        return true
    }

    private func beginDrain() {
        guard !isDraining else { return }
        isDraining = true
        write(.rootStream, .goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil))
        flushNow()
        if streams.isEmpty {
            closeSoon()
            return
        }
        for stream in streams.values { stream.exchange?.shutDown() }
    }

    private func closeSoon() {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.flushNow()
            bound.value.context?.close(promise: nil)
        }
    }

    private func end() {
        tally.handler = nil
        leaving = []
        sweep?.cancel()
        sweep = nil
        let open = streams
        streams = [:]
        for stream in open.values {
            if let exchange = stream.exchange, !exchange.isFinished { exchange.peerGone() }
        }
    }

    private func write(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    private func scheduleFlush() {
        guard !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.isFlushScheduled = false
            bound.value.flushNow()
        }
    }
}

// MARK: ServerConnection

extension HTTP2ServerHandler: ServerConnection {
    func sendHead(_ exchange: ServerExchange, _ response: HTTPResponse, inline: [[UInt8]]?) {
        let id = HTTP2StreamID(Int(exchange.streamID))
        let length = inline.map { $0.reduce(0) { $0 + $1.count } } ?? 0
        let hasBody = !exchange.request.isHead && response.status != 204 && response.status != 304
        var headers = HPACKHeaders()
        headers.reserveCapacity(response.headers.count + 3)
        headers.add(name: ":status", value: String(response.status))
        headers.add(response.headers)
        if !response.headers.contains("date") { headers.add(name: "date", value: shared.date.text()) }
        if let known = response.knownLength, hasBody || exchange.request.isHead,
            !response.headers.contains("content-length")
        {
            headers.add(name: "content-length", value: String(known))
        }
        let endsHere = inline != nil && (!hasBody || length == 0) || !hasBody
        write(id, .headers(.init(headers: headers, endStream: endsHere)))
        if let inline, !endsHere, let context {
            var buffer = context.channel.allocator.buffer(capacity: length)
            for chunk in inline { buffer.writeBytes(chunk) }
            exchange.pendingBytes += length
            leaving.append(exchange)
            write(id, .data(.init(data: .byteBuffer(buffer), endStream: true)))
        }
        if endsHere || inline != nil { stopBody(id) }
        scheduleFlush()
    }

    /// After the whole answer to a request whose body was refused, the peer is told to stop sending it.
    private func stopBody(_ id: HTTP2StreamID) {
        guard streams[id]?.isBodyDropped == true else { return }
        // a reset drops what has not left yet
        flushNow()
        write(id, .rstStream(.noError))
    }

    func sendBody(_ exchange: ServerExchange, _ buffer: ByteBuffer) {
        exchange.pendingBytes += buffer.readableBytes
        leaving.append(exchange)
        write(HTTP2StreamID(Int(exchange.streamID)), .data(.init(data: .byteBuffer(buffer))))
        scheduleFlush()
    }

    func sendChunk(_ exchange: ServerExchange, _ bytes: [UInt8]) {
        sendBody(exchange, lastChunk.buffer(bytes))
    }

    func sendEnd(_ exchange: ServerExchange) {
        guard !exchange.request.isHead else { return }
        let id = HTTP2StreamID(Int(exchange.streamID))
        write(id, .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
        stopBody(id)
        scheduleFlush()
    }

    func abort(_ exchange: ServerExchange) {
        write(HTTP2StreamID(Int(exchange.streamID)), .rstStream(.internalError))
        scheduleFlush()
    }

    func hasRoom(_ exchange: ServerExchange) -> Bool {
        exchange.pendingBytes < shared.limits.responseHighWater
    }

    func flushNow() {
        lastChunk.forget()
        flushedAt = .now()
        context?.flush()
        flushedAt = nil
        leaving.removeAll(keepingCapacity: leaving.count <= Self.keptRoom)
    }

    /// Body bytes of a stream were let go by flow control.
    func dataLeft(_ id: HTTP2StreamID, _ count: Int) {
        while let next = leaving.first {
            if next.streamID == Int32(id) { return next.tookBytes(count, at: flushedAt ?? .now()) }
            leaving.removeFirst()
        }
        streams[id]?.exchange?.tookBytes(count, at: flushedAt ?? .now())
    }

    func leaveHTTP(_ exchange: ServerExchange, _ response: HTTPResponse) -> RawChannelStream? {
        nil
    }
}
