import NIOCore
import NIOHPACK

/// What the peer sends. Source: RFC 9113, section 6; the bounds are ours.
extension HTTP2ServerHandler {
    /// Frames one header block may come in.
    private static let blockFrames = 96
    /// Empty DATA frames in a row.
    private static let emptyFrameLimit = 100
    /// Body bytes of requests that have not ended, over all streams of a connection.
    private static let bodyLimit = 256 * 1024 * 1024
    /// Streams reset lately that are remembered.
    private static let forgottenLimit = 64

    func received(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        if openBlock != nil, header.kind != FrameKind.continuation {
            throw ConnectionFault(.protocolError, "a frame inside a header block")
        }
        if !hasSettings, header.kind != FrameKind.settings {
            throw ConnectionFault(.protocolError, "the first frame is no SETTINGS")
        }
        switch header.kind {
        case FrameKind.data: try dataReceived(header, payload)
        case FrameKind.headers: try headersReceived(header, payload)
        case FrameKind.continuation: try continuationReceived(header, payload)
        case FrameKind.windowUpdate: try windowUpdateReceived(header, payload)
        case FrameKind.resetStream: try resetReceived(header, payload)
        case FrameKind.settings: try settingsReceived(header, payload)
        case FrameKind.ping: try pingReceived(header, payload)
        case FrameKind.goAway:
            guard header.streamID == 0, payload.readableBytes >= 8 else { throw ConnectionFault(.protocolError, "a bad GOAWAY") }
            peerLeaves()
        case FrameKind.priority:
            try countControl()
            guard header.streamID != 0 else { throw ConnectionFault(.protocolError, "PRIORITY without a stream") }
            guard header.length == 5 else { throw ConnectionFault(.frameSize, "a PRIORITY of \(header.length) bytes") }
        case FrameKind.pushPromise: throw ConnectionFault(.protocolError, "a client pushes nothing")
        default: try countControl()
        }
    }

    private func countControl() throws(ConnectionFault) {
        guard controls.permits() else { throw ConnectionFault(.enhanceYourCalm, "too many control frames") }
    }

    /// Whether a frame may name the stream, which must have been begun.
    private func checkBegun(_ header: FrameHeader, _ name: StaticString) throws(ConnectionFault) {
        guard header.streamID != 0, header.streamID <= lastStream, header.streamID & 1 == 1 else {
            throw ConnectionFault(.protocolError, "\(name) on stream \(header.streamID), which was never begun")
        }
    }

    // MARK: Requests

    private func headersReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        guard header.streamID & 1 == 1 else { throw ConnectionFault(.protocolError, "HEADERS on stream \(header.streamID)") }
        var bytes = try header.unpadded(payload)
        if header.has(FrameFlag.hasPriority) {
            guard bytes.readableBytes >= 5 else { throw ConnectionFault(.frameSize, "no room for the priority") }
            bytes.moveReaderIndex(forwardBy: 5)
        }
        let endsStream = header.has(FrameFlag.endStream)
        if header.has(FrameFlag.endHeaders) { return try blockReceived(header.streamID, endsStream, bytes) }
        // A copy: the slice would hold what was read with it.
        openBlock = OpenBlock(
            streamID: header.streamID,
            endsStream: endsStream,
            bytes: ByteBuffer(bytes: bytes.readableBytesView),
            since: .now()
        )
    }

    private func continuationReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        guard var block = openBlock, block.streamID == header.streamID else {
            throw ConnectionFault(.protocolError, "CONTINUATION of nothing")
        }
        openBlock = nil
        block.frames += 1
        guard block.frames <= Self.blockFrames, block.bytes.readableBytes + header.length <= shared.limits.headerBytes else {
            throw ConnectionFault(.enhanceYourCalm, "a header block of more than \(shared.limits.headerBytes) bytes")
        }
        var payload = payload
        block.bytes.writeBuffer(&payload)
        guard header.has(FrameFlag.endHeaders) else {
            openBlock = block
            return
        }
        try blockReceived(block.streamID, block.endsStream, block.bytes)
    }

    /// A whole header block. It is decoded whatever becomes of it: the table of later blocks depends on it.
    private func blockReceived(_ id: Int32, _ endsStream: Bool, _ bytes: ByteBuffer) throws(ConnectionFault) {
        var bytes = bytes
        let fields: HPACKHeaders
        do {
            fields = try decoder.decodeHeaders(from: &bytes)
        } catch is NIOHPACKErrors.MaxHeaderListSizeViolation {
            throw ConnectionFault(.enhanceYourCalm, "header fields of more than \(shared.limits.headerBytes) bytes")
        } catch {
            throw ConnectionFault(.compression, "a header block that cannot be read: \(error)")
        }
        emptyFrames = 0
        guard id > lastStream else { return try trailersReceived(id, endsStream, fields) }
        lastStream = id
        guard let head = RequestFields(fields), endsStream ? head.length ?? 0 == 0 : true else { return try refuse(id, .protocolError) }
        let target = RequestTarget(head.target)
        guard PercentCoding.isWellFormed(target.path) else { return try refuse(id, .protocolError) }
        guard let stream = open(id) else { return try refuse(id, .refusedStream) }
        let request = HTTPRequest(
            method: head.method,
            path: target.path,
            query: target.query,
            headers: head.headers,
            peer: peer,
            version: .http2
        )
        stream.isRemoteClosed = endsStream
        guard !endsStream else { return start(stream, request) }
        stream.incoming = ServerStream.Incoming(request, length: head.length, at: .now())
        if let length = head.length, length > shared.limits.bodyBytes { dropBody(stream) }
    }

    private func trailersReceived(_ id: Int32, _ endsStream: Bool, _ fields: HPACKHeaders) throws(ConnectionFault) {
        guard let stream = streams[id] else {
            guard !forgotten.contains(id) else { return }
            return try refuse(id, .streamClosed)
        }
        guard !stream.isRemoteClosed else { return try refuse(stream, .streamClosed) }
        guard endsStream, RequestFields.areTrailers(fields) else { return try refuse(stream, .protocolError) }
        try remoteEnded(stream)
    }

    private func dataReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        try checkBegun(header, "DATA")
        // padding is under flow control too
        receiveWindow -= header.length
        guard receiveWindow >= 0 else { throw ConnectionFault(.flowControl, "more bytes than the connection's window") }
        if let more = HTTP2Window.refill(receiveWindow, target: HTTP2Window.connection) {
            receiveWindow += more
            writeWindowUpdate(0, more)
        }
        let bytes = try header.unpadded(payload)
        let endsStream = header.has(FrameFlag.endStream)
        emptyFrames = bytes.readableBytes == 0 && !endsStream ? emptyFrames + 1 : 0
        guard emptyFrames <= Self.emptyFrameLimit else { throw ConnectionFault(.enhanceYourCalm, "too many empty DATA frames") }
        guard let stream = streams[header.streamID] else {
            guard !forgotten.contains(header.streamID) else { return }
            return try refuse(header.streamID, .streamClosed)
        }
        guard !stream.isRemoteClosed else { return try refuse(stream, .streamClosed) }
        stream.receiveWindow -= header.length
        guard stream.receiveWindow >= 0 else { return try refuse(stream, .flowControl) }
        if let incoming = stream.incoming, !stream.isBodyDropped {
            guard try take(bytes, stream, incoming) else { return }
            if !endsStream, let more = HTTP2Window.refill(stream.receiveWindow, target: HTTP2Window.stream) {
                stream.receiveWindow += more
                writeWindowUpdate(stream.id, more)
            }
        }
        if endsStream { try remoteEnded(stream) }
    }

    /// Keeps part of a body; false when the stream is over.
    private func take(_ bytes: ByteBuffer, _ stream: ServerStream, _ incoming: ServerStream.Incoming) throws(ConnectionFault) -> Bool {
        let count = bytes.readableBytes
        incoming.received += count
        incoming.heardAt = .now()
        if let length = incoming.length, incoming.received > length {
            try refuse(stream, .protocolError)
            return false
        }
        guard incoming.received <= shared.limits.bodyBytes else {
            dropBody(stream)
            return streams[stream.id] != nil
        }
        guard bodyBytes + count <= Self.bodyLimit else {
            try refuse(stream, .refusedStream)
            return false
        }
        bodyBytes += count
        if incoming.request.body.isEmpty, let length = incoming.length {
            incoming.request.body.reserveCapacity(min(length, shared.limits.bodyBytes, 4 * max(count, FrameLimits.received)))
        }
        bytes.append(to: &incoming.request.body)
        return true
    }

    /// The peer has sent its whole request.
    private func remoteEnded(_ stream: ServerStream) throws(ConnectionFault) {
        stream.isRemoteClosed = true
        guard let incoming = stream.incoming else { return }
        if let length = incoming.length, incoming.received != length { return try refuse(stream, .protocolError) }
        bodyBytes -= incoming.request.body.count
        stream.incoming = nil
        start(stream, incoming.request)
    }

    /// The body is too large: the handler says so, and nothing more of it is kept.
    private func dropBody(_ stream: ServerStream) {
        guard let incoming = stream.incoming else { return }
        bodyBytes -= incoming.request.body.count
        incoming.request.body = []
        incoming.request.isBodyTooLarge = true
        stream.incoming = nil
        stream.isBodyDropped = true
        start(stream, incoming.request)
    }

    private func start(_ stream: ServerStream, _ request: HTTPRequest) {
        guard let context else { return }
        let line = ServerExchange.RequestLine(isHead: request.method == "HEAD", version: .http2)
        let exchange = ServerExchange(eventLoop: context.eventLoop, connection: self, stream: stream, request: line)
        stream.exchange = exchange
        exchange.start(request, handler: shared.handler, executor: executor)
    }

    // MARK: Breaches of one stream

    /// Answers a breach on a stream that exists, and counts it.
    private func refuse(_ stream: ServerStream, _ code: FaultCode) throws(ConnectionFault) {
        reset(stream, code)
        try countFault()
    }

    /// Answers a frame whose stream does not exist.
    private func refuse(_ id: Int32, _ code: FaultCode) throws(ConnectionFault) {
        remember(id)
        writeReset(id, code)
        scheduleFlush()
        if code == .refusedStream, isDraining { return }
        try countFault()
    }

    private func countFault() throws(ConnectionFault) {
        guard streamFaults.permits() else { throw ConnectionFault(.enhanceYourCalm, "too many faulty streams") }
    }

    /// Ends a stream from our side.
    func reset(_ stream: ServerStream, _ code: FaultCode) {
        remember(stream.id)
        writeReset(stream.id, code)
        scheduleFlush()
        forget(stream, isWhole: false)
    }

    func remember(_ id: Int32) {
        if forgotten.count == Self.forgottenLimit { forgotten.removeFirst() }
        forgotten.append(id)
    }

    // MARK: The connection's own frames

    private func windowUpdateReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        guard header.length == 4, let word = payload.getInteger(at: payload.readerIndex, as: UInt32.self) else {
            throw ConnectionFault(.frameSize, "a WINDOW_UPDATE of \(header.length) bytes")
        }
        let more = Int(word & 0x7fff_ffff)
        guard header.streamID != 0 else {
            guard more > 0 else { throw ConnectionFault(.protocolError, "a WINDOW_UPDATE of nothing") }
            guard sendWindow + more <= FrameLimits.maxWindow else { throw ConnectionFault(.flowControl, "a window too large") }
            sendWindow += more
            if !line.isEmpty { scheduleFlush() }
            return
        }
        try checkBegun(header, "WINDOW_UPDATE")
        guard let stream = streams[header.streamID] else { return }
        guard more > 0 else { return try refuse(stream, .protocolError) }
        guard stream.sendWindow + more <= FrameLimits.maxWindow else { return try refuse(stream, .flowControl) }
        stream.sendWindow += more
        standInLine(stream)
    }

    private func resetReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        guard header.length == 4 else { throw ConnectionFault(.frameSize, "an RST_STREAM of \(header.length) bytes") }
        try checkBegun(header, "RST_STREAM")
        guard resets.permits() else { throw ConnectionFault(.enhanceYourCalm, "too many resets") }
        if let stream = streams[header.streamID] { forget(stream, isWhole: false) }
    }

    private func pingReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        guard header.streamID == 0 else { throw ConnectionFault(.protocolError, "PING on a stream") }
        guard header.length == 8 else { throw ConnectionFault(.frameSize, "a PING of \(header.length) bytes") }
        try countControl()
        guard !header.has(FrameFlag.acknowledges) else { return }
        try countUnread()
        writePong(payload)
        scheduleFlush()
    }

    private func settingsReceived(_ header: FrameHeader, _ payload: ByteBuffer) throws(ConnectionFault) {
        guard header.streamID == 0 else { throw ConnectionFault(.protocolError, "SETTINGS on a stream") }
        try countControl()
        if header.has(FrameFlag.acknowledges) {
            guard header.length == 0, hasSettings else { throw ConnectionFault(.frameSize, "a bad acknowledgement of SETTINGS") }
            return
        }
        guard header.length % 6 == 0 else { throw ConnectionFault(.frameSize, "SETTINGS of \(header.length) bytes") }
        hasSettings = true
        var payload = payload
        var window = initialWindow
        while let name: UInt16 = payload.readInteger(), let value: UInt32 = payload.readInteger() {
            switch name {
            case SettingName.initialWindowSize:
                guard value <= FrameLimits.maxWindow else { throw ConnectionFault(.flowControl, "an initial window of \(value)") }
                window = Int(value)
            case SettingName.maxFrameSize:
                guard FrameLimits.announced.contains(Int(value)) else { throw ConnectionFault(.protocolError, "a frame size of \(value)") }
            case SettingName.enablePush:
                guard value <= 1 else { throw ConnectionFault(.protocolError, "ENABLE_PUSH \(value)") }
            // Our blocks use no table, and we open no streams.
            default: break
            }
        }
        try widen(to: window)
        try countUnread()
        writeSettingsAcknowledged()
        scheduleFlush()
    }

    /// Takes a new initial window, once a frame however often the frame names it: every stream's changes with it.
    private func widen(to window: Int) throws(ConnectionFault) {
        let change = window - initialWindow
        guard change != 0 else { return }
        initialWindow = window
        for stream in streams.values {
            guard stream.sendWindow + change <= FrameLimits.maxWindow else { throw ConnectionFault(.flowControl, "a window too large") }
            stream.sendWindow += change
            standInLine(stream)
        }
    }

    /// Answers to a peer that does not read them pile up: only so many.
    private func countUnread() throws(ConnectionFault) {
        guard !isWritable else { return }
        unreadControls += 1
        guard unreadControls <= FloodGuard.frames else { throw ConnectionFault(.enhanceYourCalm, "answers are not read") }
    }
}
