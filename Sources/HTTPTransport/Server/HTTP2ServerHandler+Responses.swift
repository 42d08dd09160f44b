import NIOCore

/// What is sent: responses by the peer's windows, streams in turns, and the connection's own frames.
extension HTTP2ServerHandler: ServerConnection {
    /// Body bytes of all streams that may wait; a stream without any waiting may always add its next piece.
    private static let queueLimit = 8 * 1024 * 1024
    /// A header block is kept to be written again up to this size.
    private static let keptBlock = 4 * 1024

    var queuesArrays: Bool { true }

    func sendHead(_ exchange: ServerExchange, _ response: HTTPResponse, inline: [[UInt8]]?) {
        guard let stream = exchange.stream else { return }
        let length = inline.map { $0.reduce(0) { $0 + $1.count } } ?? 0
        let hasBody = !exchange.request.isHead && response.status != 204 && response.status != 304
        let endsHere = !hasBody || (inline != nil && length == 0)
        encodeHead(response, saysLength: hasBody || exchange.request.isHead)
        writeBlock(stream.id, endsStream: endsHere)
        if endsHere {
            ended(stream)
        } else if let inline {
            for chunk in inline where !chunk.isEmpty { stream.queue.append(chunk) }
            stream.endsAfterQueue = true
            sendQueued(stream, length)
        }
        scheduleFlush()
    }

    private func encodeHead(_ response: HTTPResponse, saysLength: Bool) {
        block.clear()
        if !hasSentBlock {
            hasSentBlock = true
            block.writeInteger(HeaderBlockWriter.noTable)
        }
        HeaderBlockWriter.write(status: response.status, into: &block)
        var hasDate = false
        var hasLength = false
        for field in response.headers {
            guard let name = field.frameName else { continue }
            if name == "date" { hasDate = true }
            if name == "content-length" { hasLength = true }
            HeaderBlockWriter.write(name, field.value, into: &block)
        }
        if !hasDate { HeaderBlockWriter.write("date", shared.date.text(), into: &block) }
        if saysLength, !hasLength, let known = response.knownLength {
            HeaderBlockWriter.write("content-length", String(known), into: &block)
        }
    }

    private func writeBlock(_ id: Int32, endsStream: Bool) {
        var kind = FrameKind.headers
        repeat {
            let count = min(block.readableBytes, FrameLimits.sent)
            let isLast = count == block.readableBytes
            let flags = (isLast ? FrameFlag.endHeaders : 0) | (kind == FrameKind.headers && endsStream ? FrameFlag.endStream : 0)
            write(kind, flags, id, count) { bytes in
                block.withUnsafeReadableBytes { bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
            block.moveReaderIndex(forwardBy: count)
            kind = FrameKind.continuation
        } while block.readableBytes > 0
        if block.capacity > Self.keptBlock { block = ByteBuffer() }
    }

    /// A piece of a body that came as a buffer of its own.
    func sendBody(_ exchange: ServerExchange, _ buffer: ByteBuffer) {
        sendChunk(exchange, buffer.bytesArray())
    }

    func sendChunk(_ exchange: ServerExchange, _ bytes: [UInt8]) {
        guard let stream = exchange.stream, !stream.endsAfterQueue, !bytes.isEmpty, !exchange.request.isHead else { return }
        if stream.queue.isEmpty, bytes.count <= min(FrameLimits.sent, sendWindow, stream.sendWindow), isWritable {
            // Most events of a watch: never queued, never counted.
            writeData(stream, bytes, 0, bytes.count, ends: false)
        } else {
            stream.queue.append(bytes)
            sendQueued(stream, bytes.count)
        }
        scheduleFlush()
    }

    func sendEnd(_ exchange: ServerExchange) {
        guard let stream = exchange.stream, !exchange.request.isHead else { return }
        stream.endsAfterQueue = true
        if stream.queue.isEmpty {
            write(FrameKind.data, FrameFlag.endStream, stream.id, 0) { _ in }
            ended(stream)
        }
        scheduleFlush()
    }

    func abort(_ exchange: ServerExchange) {
        guard let stream = exchange.stream else { return }
        reset(stream, .internalError)
    }

    func hasRoom(_ exchange: ServerExchange) -> Bool {
        let pending = exchange.pendingBytes
        return pending == 0 || (pending < shared.limits.responseHighWater && queuedBytes < Self.queueLimit)
    }

    func flushNow() {
        sendLine()
        if let context, !output.isEmpty { output.flush(context) }
    }

    func leaveHTTP(_ exchange: ServerExchange, _ response: HTTPResponse) -> RawChannelStream? { nil }

    // MARK: Flow control

    /// Accounts for bytes that were queued and sends what the windows let go, as long as no other stream waits for its turn.
    private func sendQueued(_ stream: ServerStream, _ count: Int) {
        queuedBytes += count
        stream.exchange?.pendingBytes += count
        standInLine(stream)
        if line.count == 1 { sendLine() }
    }

    func standInLine(_ stream: ServerStream) {
        guard !stream.isInLine, !stream.queue.isEmpty, stream.sendWindow > 0 else { return }
        stream.isInLine = true
        line.append(stream)
        scheduleFlush()
    }

    /// Sends a frame of each waiting stream in turn until a window, the socket or the line is at its end.
    private func sendLine() {
        while isWritable, sendWindow > 0, context != nil, let stream = line.popFirst() {
            stream.isInLine = false
            // It may have gone, or its window shrunk, since it stood in line.
            guard let first = stream.queue.first, stream.sendWindow > 0 else { continue }
            let count = min(first.count - stream.offset, FrameLimits.sent, sendWindow, stream.sendWindow)
            let isPieceDone = stream.offset + count == first.count
            let isLast = isPieceDone && stream.queue.count == 1
            let offset = stream.offset
            let exchange = stream.exchange
            queuedBytes -= count
            if isPieceDone {
                stream.queue.removeFirst()
                stream.offset = 0
                if isLast { stream.queue = [] }
            } else {
                stream.offset += count
            }
            writeData(stream, first, offset, count, ends: isLast && stream.endsAfterQueue)
            if !isLast { standInLine(stream) }
            // Last: it may write more.
            exchange?.tookBytes(count)
        }
    }

    private func writeData(_ stream: ServerStream, _ bytes: [UInt8], _ offset: Int, _ count: Int, ends: Bool) {
        sendWindow -= count
        stream.sendWindow -= count
        write(FrameKind.data, ends ? FrameFlag.endStream : 0, stream.id, count) { target in
            bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
        }
        if ends { ended(stream) }
    }

    /// Our side of the stream is over. A peer that is still sending a body is told to stop.
    private func ended(_ stream: ServerStream) {
        if !stream.isRemoteClosed {
            remember(stream.id)
            writeReset(stream.id, .noError)
        }
        forget(stream, isWhole: true)
    }

    func dropQueue(_ stream: ServerStream) {
        guard !stream.queue.isEmpty else { return }
        queuedBytes -= stream.queue.reduce(0) { $0 + $1.count } - stream.offset
        stream.queue = []
        stream.offset = 0
    }

    // MARK: The connection's own frames

    func writeSettings() {
        let settings: [(UInt16, Int)] = [
            (SettingName.maxConcurrentStreams, shared.limits.concurrentStreams),
            (SettingName.initialWindowSize, HTTP2Window.stream),
            (SettingName.maxFrameSize, FrameLimits.received),
            (SettingName.maxHeaderListSize, shared.limits.headerBytes),
        ]
        write(FrameKind.settings, 0, 0, settings.count * 6) { bytes in
            for (index, setting) in settings.enumerated() {
                bytes.storeBytes(of: setting.0.bigEndian, toByteOffset: index * 6, as: UInt16.self)
                bytes.storeBytes(of: UInt32(clamping: setting.1).bigEndian, toByteOffset: index * 6 + 2, as: UInt32.self)
            }
        }
    }

    func writeSettingsAcknowledged() {
        write(FrameKind.settings, FrameFlag.acknowledges, 0, 0) { _ in }
    }

    func writeWindowUpdate(_ id: Int32, _ more: Int) {
        writeWord(FrameKind.windowUpdate, id, UInt32(more))
        scheduleFlush()
    }

    func writeReset(_ id: Int32, _ code: FaultCode) {
        writeWord(FrameKind.resetStream, id, code.rawValue)
    }

    func writeGoAway(_ code: FaultCode) {
        let last = lastStream
        write(FrameKind.goAway, 0, 0, 8) { bytes in
            bytes.storeBytes(of: last.bigEndian, as: Int32.self)
            bytes.storeBytes(of: code.rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
        }
    }

    func writePing() {
        write(FrameKind.ping, 0, 0, 8) { $0.storeBytes(of: UInt64(1).bigEndian, as: UInt64.self) }
    }

    func writePong(_ payload: ByteBuffer) {
        write(FrameKind.ping, FrameFlag.acknowledges, 0, payload.readableBytes) { bytes in
            payload.withUnsafeReadableBytes { bytes.copyMemory(from: $0) }
        }
    }

    private func writeWord(_ kind: UInt8, _ id: Int32, _ word: UInt32) {
        write(kind, 0, id, 4) { $0.storeBytes(of: word.bigEndian, as: UInt32.self) }
    }

    private func write(_ kind: UInt8, _ flags: UInt8, _ id: Int32, _ count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard let context else { return }
        output.write(kind, flags, id, count, context, fill: fill)
    }
}
