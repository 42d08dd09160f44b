import NIOCore
import NIOHPACK
import NIOHTTP2

/// The client side of an HTTP/2 connection, without a channel for every stream.
///
/// `@unchecked Sendable`: everything mutable is touched on the channel's event loop only.
final class HTTP2ClientHandler: ChannelInboundHandler, ClientConnection, @unchecked Sendable {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private struct Stream {
        let exchange: ClientExchange
        /// What the peer may still send, as last reported.
        var window = HTTP2Window.stream
        var isPaused = false
    }

    let isMultiplexed = true
    let eventLoop: any EventLoop
    private let channel: any Channel
    private let authority: String
    private let events: ClientConnectionEvents
    private let limits: HTTPClientConfiguration.Limits
    private var context: ChannelHandlerContext?
    private var streams: [HTTP2StreamID: Stream] = [:]
    private var nextID = 1
    private var isGone = false
    private var isGoodbye = false
    private var isFlushScheduled = false
    private var lastHeard = NIODeadline.now()
    private var probe: NIODeadline?
    private var sweep: RepeatedTask?

    init(channel: any Channel, authority: String, limits: HTTPClientConfiguration.Limits, events: ClientConnectionEvents) {
        self.channel = channel
        eventLoop = channel.eventLoop
        self.authority = authority
        self.limits = limits
        self.events = events
    }

    static let settings: HTTP2Settings = [
        HTTP2Setting(parameter: .enablePush, value: 0),
        HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Window.stream),
        HTTP2Setting(parameter: .maxHeaderListSize, value: 1024 * 1024),
    ]

    // MARK: ClientConnection

    func start(_ exchange: ClientExchange) {
        guard context != nil, !isGone, channel.isActive, nextID < Int(Int32.max) - 2 else {
            exchange.failed(TransportError(.closed, "the connection is closed", isSafeToRetry: true))
            return
        }
        let id = HTTP2StreamID(nextID)
        nextID += 2
        streams[id] = Stream(exchange: exchange)
        exchange.abortOnWire = { [weak self] in self?.reset(id) }
        exchange.resumeOnWire = { [weak self] in self?.resume(id) }
        let request = exchange.request
        var headers = HPACKHeaders()
        headers.add(name: ":method", value: request.method)
        headers.add(name: ":scheme", value: "https")
        headers.add(name: ":path", value: request.target)
        headers.add(name: ":authority", value: request.headers["host"] ?? authority)
        headers.add(request.headers)
        if request.announcesLength, !request.headers.contains("content-length") {
            headers.add(name: "content-length", value: String(request.body.count))
        }
        write(id, .headers(.init(headers: headers, endStream: request.body.isEmpty)))
        if !request.body.isEmpty {
            write(id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: request.body)), endStream: true)))
        }
        scheduleFlush()
    }

    func close() {
        channel.close(promise: nil)
    }

    private func reset(_ id: HTTP2StreamID) {
        guard streams.removeValue(forKey: id) != nil else { return }
        write(id, .rstStream(.cancel))
        scheduleFlush()
        freed()
    }

    private func resume(_ id: HTTP2StreamID) {
        guard streams[id]?.isPaused == true, let window = streams[id]?.window else { return }
        streams[id]?.isPaused = false
        refill(id, window)
    }

    // MARK: Pipeline

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let more = HTTP2Window.connection - HTTP2Window.initialConnection
        context.eventLoop.execute {
            self.write(.rootStream, .windowUpdate(windowSizeIncrement: more))
            self.scheduleFlush()
        }
        let interval = TimeAmount(min(limits.probeAfter, limits.probeTimeout) / 3)
        sweep = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] _ in
            self?.probePeer()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        sweep?.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        lastHeard = .now()
        probe = nil
        switch frame.payload {
        case .headers(let payload): headersReceived(frame.streamID, payload)
        case .data(let payload):
            guard case .byteBuffer(let buffer) = payload.data, let stream = streams[frame.streamID] else { return }
            if !stream.exchange.bodyReceived(buffer) { streams[frame.streamID]?.isPaused = true }
            if payload.endStream { ended(frame.streamID) }
        case .rstStream(let code): streamReset(frame.streamID, code)
        case .goAway(let last, _, _): goodbye(last)
        default: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as StreamClosedEvent:
            if let stream = streams.removeValue(forKey: event.streamID) {
                stream.exchange.abortOnWire = nil
                stream.exchange.failed(TransportError(.closed, "the server reset the stream"))
                freed()
            }
        case let event as NIOHTTP2WindowUpdatedEvent:
            guard let size = event.inboundWindowSize else { return }
            if event.streamID == .rootStream {
                refill(.rootStream, size)
            } else if let stream = streams[event.streamID] {
                streams[event.streamID]?.window = size
                if !stream.isPaused { refill(event.streamID, size) }
            }
        case let event as ChannelEvent where event == .inputClosed: close()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        sweep?.cancel()
        fail(TransportError(.closed, "the server closed the connection"))
        gone()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOHTTP2Errors.StreamError { return }
        fail(TransportError(.closed, "the connection broke: \(error)"))
        close()
    }

    // MARK: Responses

    private func headersReceived(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload.Headers) {
        guard let stream = streams[id] else { return }
        var status = 0
        var headers = HeaderFields()
        headers.reserve(payload.headers.count)
        for (name, value, _) in payload.headers {
            if name == ":status" { status = Int(value) ?? 0 } else { headers.append(name, value) }
        }
        if !stream.exchange.hasHead, status >= 200 {
            stream.exchange.headReceived(status: status, headers: headers)
        }
        if payload.endStream { ended(id) }
    }

    private func ended(_ id: HTTP2StreamID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.exchange.abortOnWire = nil
        stream.exchange.ended()
        freed()
    }

    private func streamReset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.exchange.abortOnWire = nil
        let isSafe = code == .refusedStream
        stream.exchange.failed(TransportError(.closed, "the server reset the stream: \(code)", isSafeToRetry: isSafe))
        freed()
    }

    private func goodbye(_ last: HTTP2StreamID) {
        isGoodbye = true
        for (id, stream) in streams where id > last {
            streams[id] = nil
            stream.exchange.abortOnWire = nil
            stream.exchange.failed(TransportError(.closed, "the server is shutting down", isSafeToRetry: true))
        }
        gone()
        if streams.isEmpty { close() }
    }

    private func freed() {
        if isGoodbye {
            if streams.isEmpty { close() }
        } else {
            events.isFree(self)
        }
    }

    private func fail(_ failure: TransportError) {
        let open = streams
        streams = [:]
        for stream in open.values {
            stream.exchange.abortOnWire = nil
            stream.exchange.failed(failure)
        }
    }

    private func gone() {
        guard !isGone else { return }
        isGone = true
        events.isGone(self)
    }

    /// A peer that is silent while it owes us something is probed; one that does not answer is given up.
    private func probePeer() {
        guard !streams.isEmpty else { return }
        let now = NIODeadline.now()
        if let asked = probe {
            guard Duration.nanoseconds((now - asked).nanoseconds) >= limits.probeTimeout else { return }
            fail(TransportError(.timedOut, "the server does not answer probes"))
            close()
        } else if Duration.nanoseconds((now - lastHeard).nanoseconds) >= limits.probeAfter {
            probe = now
            write(.rootStream, .ping(HTTP2PingData(withInteger: 1), ack: false))
            scheduleFlush()
        }
    }

    private func refill(_ id: HTTP2StreamID, _ size: Int) {
        let target = id == .rootStream ? HTTP2Window.connection : HTTP2Window.stream
        guard let more = HTTP2Window.refill(size, target: target) else { return }
        write(id, .windowUpdate(windowSizeIncrement: more))
        scheduleFlush()
    }

    private func write(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    private func scheduleFlush() {
        guard !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        context.eventLoop.execute {
            self.isFlushScheduled = false
            self.context?.flush()
        }
    }
}
