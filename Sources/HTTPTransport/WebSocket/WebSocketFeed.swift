import NIOCore

/// Sends a feed's pieces as messages and drops what the client says, without a task for either.
///
/// `@unchecked Sendable`: everything mutable is touched on the channel's event loop only.
final class WebSocketFeed: ChannelFollower, @unchecked Sendable {
    private let stream: RawChannelStream
    private let feed: any ResponseFeed
    private let frame: @Sendable ([UInt8]) -> WebSocketFrame
    private var decoder: WebSocketDecoder
    private var isOver = false

    init(
        _ stream: RawChannelStream,
        _ feed: any ResponseFeed,
        decoder: WebSocketDecoder,
        frame: @escaping @Sendable ([UInt8]) -> WebSocketFrame
    ) {
        self.stream = stream
        self.feed = feed
        self.decoder = decoder
        self.frame = frame
        let eventLoop = stream.eventLoop
        feed.onReady { [weak self] in
            guard let self else { return }
            eventLoop.execute { self.pull() }
        }
    }

    func received(_ bytes: [UInt8]) {
        guard !isOver else { return }
        decoder.append(bytes)
        do throws(WebSocketError) {
            while !isOver, let frame = try decoder.next() { heard(frame) }
        } catch {
            finish(error.code, error.message)
        }
    }

    func roomCame() { pull() }

    func serverDrains() { feed.cancel() }

    func gone() {
        isOver = true
        feed.cancel()
    }

    private func heard(_ frame: WebSocketFrame) {
        switch frame.opcode {
        // A peer that asks and does not read gets no answers piled up.
        case .ping where stream.isWritable:
            stream.writeNow(WebSocketFrame(.pong, frame.payload).encoded(mask: nil))
            stream.flushNow()
        case .close: finish(WebSocketCloseCode.normal, "")
        default: break
        }
    }

    /// Asks the feed as long as it has something and the client takes it.
    private func pull() {
        var hasWritten = false
        while !isOver, stream.isWritable {
            switch feed.next() {
            case .bytes(let bytes), .lastBytes(let bytes):
                stream.writeNow(frame(bytes).encoded(mask: nil))
                hasWritten = true
            case .wait:
                if hasWritten { stream.flushNow() }
                return
            case .end: return finish(WebSocketCloseCode.normal, "")
            }
        }
        if hasWritten { stream.flushNow() }
    }

    private func finish(_ code: UInt16, _ reason: String) {
        guard !isOver else { return }
        isOver = true
        stream.writeNow(WebSocketFrame.closing(code, reason).encoded(mask: nil))
        stream.closeNow()
    }
}
