import DequeModule
import NIOCore
import NIOHPACK

/// One HTTP/2 connection of a server: frames in, frames out, without a channel or a pipeline for a stream. Owned by the event
/// loop. What comes in is read in `+Frames`, what goes out written in `+Responses`.
final class HTTP2ServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let shared: ServerContext
    let peer: Peer
    let executor: EventLoopTaskExecutor?
    let inbox: FeedInbox
    var context: ChannelHandlerContext?
    var streams: [Int32: ServerStream] = [:]
    /// The highest stream the peer has begun.
    var lastStream: Int32 = 0
    var isDraining = false
    /// A GOAWAY for a breach has been sent; nothing is read any more.
    var hasFailed = false

    // What comes in.
    var cutter = FrameCutter()
    var decoder: HPACKDecoder
    /// A header block whose end has not come; only its continuation may follow.
    var openBlock: OpenBlock?
    var hasSettings = false
    var receiveWindow = HTTP2Window.connection
    /// Body bytes of requests that are not whole yet.
    var bodyBytes = 0
    var emptyFrames = 0
    var resets = FloodGuard(limit: FloodGuard.frames)
    var controls = FloodGuard(limit: FloodGuard.frames)
    var streamFaults = FloodGuard(limit: FloodGuard.streamFaults)
    /// Streams we have reset lately: what was under way to them is no breach.
    var forgotten: Deque<Int32> = []
    private var idleSince = NIODeadline.now()
    private var hasServed = false
    private var isPeerLeaving = false
    /// A frame came since the last sweep.
    private var wasHeard = false
    private var lastHeard = NIODeadline.now()
    /// When the peer was probed, while the answer is due.
    private var probedAt: NIODeadline?

    // What goes out.
    let output = FrameOutput()
    var block = ByteBuffer()
    var hasSentBlock = false
    var sendWindow = FrameLimits.initialWindow
    var initialWindow = FrameLimits.initialWindow
    /// Streams that have something to send and room in their own window, in turns.
    var line: Deque<ServerStream> = []
    /// Body bytes of all streams that wait.
    var queuedBytes = 0
    var isWritable = true
    /// Control frames written while the peer reads nothing.
    var unreadControls = 0
    private var isFlushScheduled = false
    private var sweep: RepeatedTask?

    /// A header block that is arriving in several frames.
    struct OpenBlock {
        var streamID: Int32
        var endsStream: Bool
        var bytes: ByteBuffer
        var frames = 1
        var since: NIODeadline
    }

    init(shared: ServerContext, peer: Peer, eventLoop: any EventLoop) {
        self.shared = shared
        self.peer = peer
        executor = shared.runsOnEventLoops ? EventLoopTaskExecutor(eventLoop) : nil
        inbox = shared.inbox(eventLoop)
        decoder = HPACKDecoder(
            allocator: ByteBufferAllocator(),
            maxDynamicTableSize: HPACKDecoder.maxDynamicTableSize,
            maxHeaderListSize: max(1, shared.limits.headerBytes)
        )
    }

    // MARK: Pipeline

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let interval = shared.sweepInterval
        sweep = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.checkDeadlines()
        }
        writeSettings()
        writeWindowUpdate(0, HTTP2Window.connection - FrameLimits.initialWindow)
        scheduleFlush()
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
        guard !hasFailed else { return }
        wasHeard = true
        cutter.append(unwrapInboundIn(data))
        do throws(ConnectionFault) {
            while !hasFailed, let (header, payload) = try cutter.next() { try received(header, payload) }
            cutter.trim()
        } catch {
            fail(error)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable {
            unreadControls = 0
            // Never at once: this is called in the middle of a write.
            if !line.isEmpty { scheduleFlush() }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ServerDrainEvent: beginDrain()
        case let event as ChannelEvent where event == .inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: Streams

    /// A new stream; nil when there are too many or the connection is about to end.
    func open(_ id: Int32) -> ServerStream? {
        hasServed = true
        guard !isDraining, streams.count < shared.limits.concurrentStreams else { return nil }
        let stream = ServerStream(id: id, sendWindow: initialWindow)
        streams[id] = stream
        return stream
    }

    /// The stream is over on both sides.
    func forget(_ stream: ServerStream, isWhole: Bool) {
        guard streams.removeValue(forKey: stream.id) != nil else { return }
        if let incoming = stream.incoming { bodyBytes -= incoming.request.body.count }
        stream.incoming = nil
        dropQueue(stream)
        let exchange = stream.exchange
        stream.exchange = nil
        exchange?.stream = nil
        if !isWhole, let exchange, !exchange.isFinished { exchange.peerGone() }
        guard streams.isEmpty else { return }
        idleSince = .now()
        if isDraining || isPeerLeaving { closeSoon() }
    }

    /// The peer begins no more streams.
    func peerLeaves() {
        isPeerLeaving = true
        if streams.isEmpty { closeSoon() }
    }

    // MARK: Deadlines and the end

    private func checkDeadlines() {
        let now = NIODeadline.now()
        if wasHeard {
            wasHeard = false
            lastHeard = now
            probedAt = nil
        }
        if let block = openBlock, now - block.since > TimeAmount(shared.limits.requestHead) {
            fail(ConnectionFault(.enhanceYourCalm, "a header block that does not end"))
            return
        }
        if streams.isEmpty {
            let idle = Duration.nanoseconds((now - idleSince).nanoseconds)
            let limit = hasServed ? shared.limits.idle : max(shared.limits.requestHead, shared.limits.idle)
            if idle > limit { beginDrain() }
            return
        }
        guard peerAnswers(now) else { return }
        for stream in Array(streams.values) where isStalled(stream, now) { reset(stream, .cancel) }
    }

    private func isStalled(_ stream: ServerStream, _ now: NIODeadline) -> Bool {
        if let incoming = stream.incoming { return now - incoming.heardAt > TimeAmount(shared.limits.requestBody) }
        guard let exchange = stream.exchange, !exchange.isStreaming, exchange.pendingBytes > 0 else { return false }
        return now - exchange.progressAt > TimeAmount(shared.limits.stalledWrite)
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
            writePing()
            scheduleFlush()
        }
        return true
    }

    private func beginDrain() {
        guard !isDraining else { return }
        isDraining = true
        writeGoAway(.noError)
        flushNow()
        if streams.isEmpty {
            closeSoon()
            return
        }
        for stream in Array(streams.values) { stream.exchange?.shutDown() }
    }

    private func closeSoon() {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.flushNow()
            bound.value.context?.close(promise: nil)
        }
    }

    /// The peer broke the protocol: it is told how, and the connection ends.
    func fail(_ fault: ConnectionFault) {
        guard !hasFailed else { return }
        hasFailed = true
        shared.log.debug("HTTP/2 error", metadata: ["peer": "\(peer.remoteAddress)", "error": "\(fault.reason)"])
        writeGoAway(fault.code)
        if let context { output.flush(context) }
        end()
        context?.close(promise: nil)
    }

    private func end() {
        sweep?.cancel()
        sweep = nil
        hasFailed = true
        openBlock = nil
        cutter = FrameCutter()
        let open = streams
        streams = [:]
        line = []
        queuedBytes = 0
        for stream in open.values {
            let exchange = stream.exchange
            stream.exchange = nil
            stream.queue = []
            exchange?.stream = nil
            if let exchange, !exchange.isFinished { exchange.peerGone() }
        }
        output.clear()
    }

    /// Flushes at the end of the loop's turn.
    func scheduleFlush() {
        guard !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            bound.value.isFlushScheduled = false
            bound.value.flushNow()
        }
    }
}
