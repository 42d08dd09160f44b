import NIOCore

/// Joins the small writes between two flushes (HTTP/2 writes a frame's header and its payload apart), so that TLS
/// makes few records of them. Owned by the event loop.
final class WriteCoalescer: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A TLS record holds this much.
    private static let recordBytes = 16 * 1024
    /// Bytes after which a flush is made in between: TLS keeps its buffer of this size instead of growing a new one.
    private static let flushBytes = 64 * 1024
    /// What a buffer starts with when only a small frame is known to come.
    private static let smallBytes = 4 * 1024

    private var pending: ByteBuffer?
    private var promises: [EventLoopPromise<Void>] = []
    private var unflushed = 0

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = unwrapOutboundIn(data)
        let count = buffer.readableBytes
        guard count < Self.recordBytes else {
            passOn(context)
            unflushed += count
            context.write(wrapOutboundOut(buffer), promise: promise)
            flushIfLong(context)
            return
        }
        if let used = pending?.readableBytes, used + count > Self.recordBytes { passOn(context) }
        if pending == nil {
            let capacity = count < 256 ? Self.smallBytes : Self.recordBytes
            pending = context.channel.allocator.buffer(capacity: capacity)
        }
        pending?.writeBuffer(&buffer)
        if let promise { promises.append(promise) }
        flushIfLong(context)
    }

    func flush(context: ChannelHandlerContext) {
        passOn(context)
        unflushed = 0
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

    private func flushIfLong(_ context: ChannelHandlerContext) {
        guard unflushed >= Self.flushBytes else { return }
        unflushed = 0
        context.flush()
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard let buffer = pending, buffer.readableBytes > 0 || !promises.isEmpty else { return }
        let waiting = promises
        promises = []
        pending = nil
        unflushed += buffer.readableBytes
        guard !waiting.isEmpty else {
            context.write(wrapOutboundOut(buffer), promise: nil)
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        for promise in waiting { written.futureResult.cascade(to: promise) }
        context.write(wrapOutboundOut(buffer), promise: written)
    }
}
