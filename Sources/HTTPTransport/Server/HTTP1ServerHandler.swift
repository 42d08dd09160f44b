import DequeModule
import NIOCore
import NIOHTTP1

/// One HTTP/1 connection: a request at a time, pipelined ones wait in a bounded queue. Owned by the event loop.
final class HTTP1ServerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Pipelined parts held while a request is answered; above it the socket is not read.
    private static let queuedParts = 128
    /// Input read and dropped after an early answer, so that the answer is not lost to a reset.
    private static let lingerBytes = 16 * 1024 * 1024

    private enum State {
        /// Between requests. Exits: `reading`, `closed`.
        case idle
        /// A head is there, the body is arriving. Exits: `responding`, `closed`.
        case reading(HTTPRequest, keepAlive: Bool)
        /// The handler has the request. Exits: `idle`, `lingering`, `upgraded`, `closed`.
        case responding(ServerExchange, keepAlive: Bool, bodyUnread: Bool)
        /// The last answer is out; input is dropped until the peer closes or the deadline. Exits: `closed`.
        case lingering(dropped: Int)
        /// Raw bytes now. Terminal here.
        case upgraded
        /// Terminal.
        case closed
    }

    private let shared: ServerContext
    private let peer: Peer
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let executor: EventLoopTaskExecutor?
    let inbox: FeedInbox
    private var state = State.idle
    private var queue: Deque<HTTPServerRequestPart> = []
    private var context: ChannelHandlerContext?
    private var since = NIODeadline.now()
    private var hasServed = false
    private var isDraining = false
    private var mustClose = false
    private var isReadHeld = false
    private var isFlushScheduled = false
    private var unflushedBytes = 0
    private var sweep: RepeatedTask?
    private var exchangeFraming = HTTP1ResponseHead.Framing.none
    private var bytesOwed = 0

    init(
        shared: ServerContext,
        peer: Peer,
        decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        eventLoop: any EventLoop
    ) {
        self.shared = shared
        self.peer = peer
        self.decoder = decoder
        executor = shared.runsOnEventLoops ? EventLoopTaskExecutor(eventLoop) : nil
        inbox = shared.inbox(eventLoop)
    }

    // MARK: Pipeline

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let interval = shared.sweepInterval
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        sweep = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.checkDeadlines()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        sweep?.cancel()
        sweep = nil
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch state {
        case .idle, .reading: received(part)
        case .responding(let exchange, let keepAlive, true):
            if case .end = part {
                state = .responding(exchange, keepAlive: keepAlive, bodyUnread: false)
            }
        case .responding:
            queue.append(part)
            if queue.count >= Self.queuedParts { isReadHeld = true }
        case .lingering(let dropped):
            guard case .body(let buffer) = part, dropped + buffer.readableBytes < Self.lingerBytes else {
                close()
                return
            }
            state = .lingering(dropped: dropped + buffer.readableBytes)
        case .upgraded, .closed: break
        }
    }

    func read(context: ChannelHandlerContext) {
        if !isReadHeld { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .responding(let exchange, _, _) = state {
            if context.channel.isWritable { exchange.tookBytes(exchange.pendingBytes) }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        peerClosed()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerDrainEvent {
            beginDrain()
        } else if let event = event as? ChannelEvent, event == .inputClosed {
            close()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else {
            close()
            return
        }
        switch state {
        case .idle, .reading:
            let status = (error as? HTTPParserError) == .headerOverflow ? 431 : 400
            refuse(status)
        case .responding:
            mustClose = true
            isReadHeld = true
        case .lingering, .upgraded, .closed: close()
        }
    }

    // MARK: Requests

    private func received(_ part: HTTPServerRequestPart) {
        switch (part, state) {
        case (.head(let head), .idle): headReceived(head)
        case (.body(let buffer), .reading(var request, let keepAlive)):
            since = .now()
            state = .idle
            guard request.body.count + buffer.readableBytes <= shared.limits.bodyBytes else {
                refuseBody(request)
                return
            }
            buffer.append(to: &request.body)
            state = .reading(request, keepAlive: keepAlive)
        case (.end, .reading(let request, let keepAlive)):
            dispatch(request, keepAlive: keepAlive && !isDraining, bodyUnread: false)
        default: break
        }
    }

    private func headReceived(_ head: HTTPRequestHead) {
        since = .now()
        hasServed = true
        let target = RequestTarget(head.uri)
        var headers = HeaderFields()
        headers.reserve(head.headers.count)
        var hosts = 0
        for (name, value) in head.headers {
            headers.append(name, value)
            if name.utf8.count == 4, HeaderFields.same(name, "host") { hosts += 1 }
        }
        if let status = Self.refusal(of: headers, hosts: hosts) { return refuse(status) }
        guard PercentCoding.isWellFormed(target.path) else { return refuse(400) }
        if let host = headers["host"], !Self.isHost(host) { return refuse(400, because: "malformed Host header") }
        let request = HTTPRequest(
            method: head.method.rawValue,
            path: target.path,
            query: target.query,
            headers: headers,
            peer: peer,
            version: head.version.minor == 0 ? .http10 : .http11
        )
        if let length = headers["content-length"].flatMap({ Int($0) }), length > shared.limits.bodyBytes {
            refuseBody(request)
            return
        }
        if HeaderFields.same(headers["expect"] ?? "", "100-continue"), let context {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        state = .reading(request, keepAlive: head.isKeepAlive && !request.isUpgrade)
    }

    /// The status for heads that two servers in a row could read in two ways, as Go answers them; nil when there is one way.
    private static func refusal(of headers: HeaderFields, hosts: Int) -> Int? {
        if hosts > 1 { return 400 }
        guard let coding = headers["transfer-encoding"] else { return nil }
        return HeaderFields.same(coding, "chunked") && headers.all("transfer-encoding").count == 1 ? nil : 501
    }

    /// Whether all characters may stand in a Host header, as Go takes them.
    static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: ";"):
                true
            case UInt8(ascii: "$")...UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "="), UInt8(ascii: "["), UInt8(ascii: "]"),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }

    private func refuseBody(_ request: HTTPRequest) {
        var request = request
        request.body = []
        request.isBodyTooLarge = true
        dispatch(request, keepAlive: false, bodyUnread: true)
    }

    private func dispatch(_ request: HTTPRequest, keepAlive: Bool, bodyUnread: Bool) {
        guard let context else { return }
        let line = ServerExchange.RequestLine(isHead: request.method == "HEAD", version: request.version)
        let exchange = ServerExchange(eventLoop: context.eventLoop, connection: self, stream: nil, request: line)
        state = .responding(exchange, keepAlive: keepAlive, bodyUnread: bodyUnread)
        exchange.start(request, handler: shared.handler, executor: executor)
    }

    /// Answers what never became a request.
    private func refuse(_ status: Int, because reason: String = "") {
        guard let context else { return }
        let text = "\(status) \(HTTP1ResponseHead.reason(status))" + (reason.isEmpty ? "" : ": " + reason)
        let response = HTTPResponse(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
        var buffer = context.channel.allocator.buffer(capacity: 256)
        HTTP1ResponseHead.write(
            response,
            status: status,
            framing: .length(text.utf8.count),
            keepAlive: false,
            date: shared.date.text(),
            into: &buffer
        )
        buffer.writeString(text)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        linger()
    }

    private func linger() {
        since = .now()
        state = .lingering(dropped: 0)
        context?.close(mode: .output, promise: nil)
    }

    // MARK: Deadlines and the end

    private func checkDeadlines() {
        let waited = Duration.nanoseconds((NIODeadline.now() - since).nanoseconds)
        switch state {
        case .idle:
            if waited > (hasServed ? shared.limits.idle : shared.limits.requestHead) { close() }
        case .reading:
            if waited > shared.limits.requestBody { refuse(408) }
        case .responding(let exchange, _, _):
            let stalled = Duration.nanoseconds((NIODeadline.now() - exchange.progressAt).nanoseconds)
            if !exchange.isStreaming, exchange.pendingBytes > 0, stalled > shared.limits.stalledWrite { close() }
        case .lingering:
            if waited > .seconds(2) { close() }
        case .upgraded, .closed: break
        }
    }

    private func beginDrain() {
        isDraining = true
        switch state {
        case .idle: close()
        case .responding(let exchange, _, let bodyUnread):
            state = .responding(exchange, keepAlive: false, bodyUnread: bodyUnread)
            exchange.shutDown()
        case .reading, .lingering, .upgraded, .closed: break
        }
    }

    private func close() {
        peerClosed()
        context?.close(promise: nil)
    }

    private func peerClosed() {
        let before = state
        if case .upgraded = before { return }
        state = .closed
        queue.removeAll()
        sweep?.cancel()
        sweep = nil
        if case .responding(let exchange, _, _) = before { exchange.peerGone() }
    }

    private func exchangeDone(keepAlive: Bool, bodyUnread: Bool) {
        guard keepAlive, !mustClose, !isDraining else {
            flushNow()
            if bodyUnread || mustClose { linger() } else { closeAfterFlush() }
            return
        }
        state = .idle
        since = .now()
        scheduleFlush()
        while let part = queue.popFirst() {
            received(part)
            if case .responding = state { break }
        }
        if isReadHeld, queue.count < Self.queuedParts / 2 {
            isReadHeld = false
            context?.read()
        }
    }

    private func closeAfterFlush() {
        peerClosed()
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { [weak self] _ in
            self?.context?.close(promise: nil)
        }
    }
}

// MARK: ServerConnection

extension HTTP1ServerHandler: ServerConnection {
    func sendHead(_ exchange: ServerExchange, _ response: HTTPResponse, inline: [[UInt8]]?) {
        guard case .responding(let current, var keepAlive, let bodyUnread) = state, current === exchange, let context
        else { return }
        let framing = HTTP1ResponseHead.framing(of: response, request: exchange.request)
        if framing == .untilClose { keepAlive = false }
        state = .responding(exchange, keepAlive: keepAlive, bodyUnread: bodyUnread)
        exchangeFraming = framing
        bytesOwed = framing == .handlers ? response.headers["content-length"].flatMap { Int($0) } ?? 0 : 0
        let bodyBytes = inline.map { $0.reduce(0) { $0 + $1.count } } ?? 0
        var buffer = context.channel.allocator.buffer(capacity: 512 + bodyBytes)
        HTTP1ResponseHead.write(
            response,
            status: response.status,
            framing: framing,
            keepAlive: keepAlive,
            date: shared.date.text(),
            into: &buffer
        )
        if let inline, !exchange.request.isHead, framing != .none {
            for chunk in inline { buffer.writeBytes(chunk) }
        }
        write(buffer)
        if inline != nil { exchangeDone(keepAlive: keepAlive, bodyUnread: bodyUnread) } else { scheduleFlush() }
    }

    func sendBody(_ exchange: ServerExchange, _ buffer: ByteBuffer) {
        write(buffer)
        exchange.pendingBytes += buffer.readableBytes
        scheduleFlush()
    }

    func sendChunk(_ exchange: ServerExchange, _ bytes: [UInt8]) {
        guard exchangeFraming != .none, let context else { return }
        bytesOwed -= bytes.count
        guard exchangeFraming == .chunked else {
            sendBody(exchange, ByteBuffer(bytes: bytes))
            return
        }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count + 16)
        buffer.writeString(String(bytes.count, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(bytes)
        buffer.writeStaticString("\r\n")
        sendBody(exchange, buffer)
    }

    func sendEnd(_ exchange: ServerExchange) {
        guard case .responding(let current, let keepAlive, let bodyUnread) = state, current === exchange else { return }
        if exchangeFraming == .chunked, !exchange.request.isHead {
            write(ByteBuffer(staticString: "0\r\n\r\n"))
        }
        if exchangeFraming == .handlers, !exchange.request.isHead, bytesOwed != 0 { mustClose = true }
        exchangeDone(keepAlive: keepAlive, bodyUnread: bodyUnread)
    }

    func abort(_ exchange: ServerExchange) {
        guard case .responding(let current, _, _) = state, current === exchange else { return }
        flushNow()
        close()
    }

    var queuesArrays: Bool { false }

    func hasRoom(_ exchange: ServerExchange) -> Bool {
        guard let context else { return false }
        if unflushedBytes >= ServerExchange.pieceBytes { flushNow() }
        return context.channel.isWritable
    }

    func flushNow() {
        guard let context, unflushedBytes > 0 else { return }
        unflushedBytes = 0
        context.flush()
        guard context.channel.isWritable, case .responding(let exchange, _, _) = state else { return }
        exchange.pendingBytes = 0
        exchange.progressAt = .now()
    }

    func leaveHTTP(_ exchange: ServerExchange, _ response: HTTPResponse) -> RawChannelStream? {
        guard case .responding(let current, _, false) = state, current === exchange, let context else { return nil }
        let pipeline = context.pipeline.syncOperations
        let stream = RawChannelStream(channel: context.channel, highWater: shared.limits.responseHighWater)
        var head = context.channel.allocator.buffer(capacity: 256)
        var response = response
        if !response.headers.contains("connection") { response.headers.append("Connection", "Upgrade") }
        HTTP1ResponseHead.write(
            response,
            status: 101,
            framing: .none,
            keepAlive: true,
            date: shared.date.text(),
            into: &head
        )
        context.writeAndFlush(wrapOutboundOut(head), promise: nil)
        state = .upgraded
        sweep?.cancel()
        do {
            try pipeline.addHandler(stream, position: .after(decoder))
        } catch {
            close()
            return nil
        }
        pipeline.removeHandler(decoder, promise: nil)
        pipeline.removeHandler(self, promise: nil)
        context.channel.read()
        return stream
    }

    private func write(_ buffer: ByteBuffer) {
        unflushedBytes += buffer.readableBytes
        context?.write(wrapOutboundOut(buffer), promise: nil)
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
