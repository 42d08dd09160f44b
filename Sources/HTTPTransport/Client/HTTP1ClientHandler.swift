import NIOCore
import NIOHTTP1

/// The client side of an HTTP/1 connection: one exchange at a time.
///
/// `@unchecked Sendable`: everything mutable is touched on the channel's event loop only.
final class HTTP1ClientHandler: ChannelDuplexHandler, RemovableChannelHandler, ClientConnection, @unchecked Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPClientRequestPart

    let isMultiplexed = false
    let eventLoop: any EventLoop
    private let channel: any Channel
    private let authority: String
    private let events: ClientConnectionEvents
    private let highWater: Int
    private let encoder: HTTPRequestEncoder
    private let decoder: ByteToMessageHandler<HTTPResponseDecoder>
    private var context: ChannelHandlerContext?
    private var current: ClientExchange?
    private var switchingHead: HeaderFields?
    private var keepAlive = true
    private var exchanges = 0
    private var isReadHeld = false
    private var isGone = false

    init(
        channel: any Channel,
        authority: String,
        highWater: Int,
        encoder: HTTPRequestEncoder,
        decoder: ByteToMessageHandler<HTTPResponseDecoder>,
        events: ClientConnectionEvents
    ) {
        self.channel = channel
        eventLoop = channel.eventLoop
        self.authority = authority
        self.highWater = highWater
        self.encoder = encoder
        self.decoder = decoder
        self.events = events
    }

    // MARK: ClientConnection

    func start(_ exchange: ClientExchange) {
        guard let context, !isGone, channel.isActive else {
            exchange.failed(TransportError(.closed, "the connection is closed", isSafeToRetry: true))
            return
        }
        current = exchange
        exchanges += 1
        keepAlive = true
        exchange.abortOnWire = { [weak self] in self?.close() }
        exchange.resumeOnWire = { [weak self] in self?.resumeReading() }
        let request = exchange.request
        var headers = HTTPHeaders()
        headers.add(name: "Host", value: request.headers["host"] ?? authority)
        for (name, value) in request.wireFields() { headers.add(name: name, value: value) }
        if request.announcesLength { headers.add(name: "Content-Length", value: String(request.body.count)) }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: HTTPMethod(rawValue: request.method),
            uri: request.target,
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !request.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func close() {
        channel.close(promise: nil)
    }

    private func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    // MARK: Pipeline

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if !isReadHeld { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard let current else { return close() }
            var headers = HeaderFields()
            headers.reserve(head.headers.count)
            for (name, value) in head.headers { headers.append(name, value) }
            if head.status.code == 101, current.wantsUpgrade {
                switchingHead = headers
                return
            }
            keepAlive = head.isKeepAlive && !current.wantsUpgrade
            current.headReceived(status: Int(head.status.code), headers: headers)
        case .body(let buffer):
            if let current, !current.bodyReceived(buffer) { isReadHeld = true }
        case .end:
            if let headers = switchingHead { leaveHTTP(headers) } else { exchangeEnded() }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let wasReused = exchanges > 1
        if let exchange = current {
            current = nil
            let isSafe = wasReused && !exchange.hasHead && exchange.request.isIdempotent
            exchange.failed(TransportError(.closed, "the server closed the connection", isSafeToRetry: isSafe))
        }
        gone()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { close() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let exchange = current {
            current = nil
            let code: TransportError.Code = error is HTTPParserError ? .protocolViolation : .closed
            exchange.failed(TransportError(code, "the connection broke: \(error)"))
        }
        close()
    }

    private func exchangeEnded() {
        guard let exchange = current else { return }
        current = nil
        exchange.abortOnWire = nil
        exchange.ended()
        if isReadHeld {
            isReadHeld = false
            context?.read()
        }
        guard keepAlive else {
            gone()
            close()
            return
        }
        events.isFree(self)
    }

    private func gone() {
        guard !isGone else { return }
        isGone = true
        events.isGone(self)
    }

    /// 101: the rest of the connection is raw. The caller gets it once the codecs are out of the way.
    private func leaveHTTP(_ headers: HeaderFields) {
        guard let exchange = current else { return close() }
        current = nil
        exchange.abortOnWire = nil
        gone()
        let pipeline = channel.pipeline.syncOperations
        let stream = RawChannelStream(channel: channel, highWater: highWater)
        do {
            try pipeline.addHandler(stream, position: .after(decoder))
        } catch {
            exchange.failed(TransportError(.closed, "the connection is closed"))
            return close()
        }
        let removed = EventLoopFuture.andAllSucceed(
            [pipeline.removeHandler(encoder), pipeline.removeHandler(decoder), pipeline.removeHandler(self)],
            on: eventLoop
        )
        removed.assumeIsolated().whenComplete { _ in exchange.upgraded(headers: headers, stream: stream) }
    }
}
