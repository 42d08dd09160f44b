import NIOCore

/// Answers the pings of HTTP/2 before the connection's own handler sees them.
///
/// Servers in Go ping with almost every message to measure the connection. The HTTP/2 library takes more than 200 pings
/// in half a minute for an attack and closes the connection, with all calls on it; a runtime asked for the state of a
/// hundred pods sends more. The peer is a local socket that only root may serve, so there is nothing to fear from pings.
///
/// Sits next to the socket. Owned by the connection's event loop.
final class PingAnswering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let headerLength = 9
    private static let pingLength = 8
    private static let pingType: UInt8 = 6
    private static let acknowledged: UInt8 = 1

    private var pending = ByteBuffer()
    /// Bytes of the present frame that pass unread.
    private var passing = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        pending.writeBuffer(&buffer)
        var output = ByteBuffer()
        var answers = ByteBuffer()
        while pending.readableBytes > 0 {
            if passing > 0 {
                let count = min(passing, pending.readableBytes)
                guard var part = pending.readSlice(length: count) else { break }
                output.writeBuffer(&part)
                passing -= count
                continue
            }
            guard let isDone = takeFrame(&answers), isDone else { break }
        }
        pending.discardReadBytes()
        if answers.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(answers), promise: nil) }
        if output.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(output)) }
    }

    /// Looks at the frame that begins here; nil when more bytes are needed to tell.
    private func takeFrame(_ answers: inout ByteBuffer) -> Bool? {
        let start = pending.readerIndex
        guard pending.readableBytes >= Self.headerLength,
            let high = pending.getInteger(at: start, as: UInt16.self),
            let low = pending.getInteger(at: start + 2, as: UInt8.self),
            let type = pending.getInteger(at: start + 3, as: UInt8.self),
            let flags = pending.getInteger(at: start + 4, as: UInt8.self)
        else { return nil }
        let length = Int(high) << 8 | Int(low)
        guard type == Self.pingType, flags & Self.acknowledged == 0, length == Self.pingLength else {
            passing = Self.headerLength + length
            return true
        }
        guard pending.readableBytes >= Self.headerLength + length,
            var frame = pending.readSlice(length: Self.headerLength + length)
        else { return nil }
        frame.setInteger(flags | Self.acknowledged, at: frame.readerIndex + 4)
        answers.writeBuffer(&frame)
        return true
    }
}
