import NIOCore
import NIOHTTP2

/// Sends the frames of a request only once its last one is there, and that one with the end of the stream in it.
///
/// Servers in Go begin a call as soon as its message is there, and reset the stream when they are done before the empty
/// frame that ends it has come. HTTP/2 clients take many resets for an attack and close the connection, with all calls
/// on it. Every call of ours sends exactly one message, so waiting for the end costs nothing.
///
/// Owned by the stream's event loop.
final class UnaryFraming: ChannelOutboundHandler {
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var held: [(frame: HTTP2Frame.FramePayload, promise: EventLoopPromise<Void>?)] = []
    private var isEnded = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = unwrapOutboundIn(data)
        if isEnded {
            context.write(wrapOutboundOut(frame), promise: promise)
            return
        }
        guard case .data(let part) = frame, part.endStream else {
            held.append((frame, promise))
            if case .rstStream = frame { release(context) }
            return
        }
        if part.data.readableBytes == 0, let last = held.last, case .data(var message) = last.frame {
            message.endStream = true
            let both = context.eventLoop.makePromise(of: Void.self)
            both.futureResult.cascade(to: last.promise)
            both.futureResult.cascade(to: promise)
            held[held.count - 1] = (.data(message), both)
        } else {
            held.append((frame, promise))
        }
        release(context)
    }

    func flush(context: ChannelHandlerContext) {
        if isEnded { context.flush() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        drop()
        context.close(mode: mode, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        drop()
    }

    private func release(_ context: ChannelHandlerContext) {
        isEnded = true
        let frames = held
        held = []
        for (frame, promise) in frames { context.write(wrapOutboundOut(frame), promise: promise) }
        context.flush()
    }

    private func drop() {
        let frames = held
        held = []
        for (_, promise) in frames { promise?.fail(ChannelError.ioOnClosedChannel) }
    }
}
