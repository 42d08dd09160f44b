import NIOCore

/// Joins the small writes between two flushes (HTTP/2 writes a frame's header and its payload apart), so that TLS
/// makes few records of them. Owned by the event loop.
final class WriteCoalescer: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A TLS record holds this much.
    private static let recordBytes = 16 * 1024

    private var pending: ByteBuffer?
    private var promises: [EventLoopPromise<Void>] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = unwrapOutboundIn(data)
        guard buffer.readableBytes < Self.recordBytes else {
            passOn(context)
            context.write(wrapOutboundOut(buffer), promise: promise)
            return
        }
        if pending == nil { pending = context.channel.allocator.buffer(capacity: 2 * buffer.readableBytes + 512) }
        pending?.writeBuffer(&buffer)
        if let promise { promises.append(promise) }
        if let bytes = pending?.readableBytes, bytes >= Self.recordBytes { passOn(context) }
    }

    func flush(context: ChannelHandlerContext) {
        passOn(context)
        context.flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        let waiting = promises
        promises = []
        for promise in waiting { promise.fail(ChannelError.ioOnClosedChannel) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        passOn(context)
        context.flush()
        context.close(mode: mode, promise: promise)
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard let buffer = pending else { return }
        let waiting = promises
        pending = nil
        promises = []
        guard !waiting.isEmpty else {
            context.write(wrapOutboundOut(buffer), promise: nil)
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        for promise in waiting { written.futureResult.cascade(to: promise) }
        context.write(wrapOutboundOut(buffer), promise: written)
    }
}
