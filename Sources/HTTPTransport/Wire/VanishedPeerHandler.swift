import Logging
import NIOCore

/// Closes a TCP connection whose peer has acknowledged nothing for too long: a machine that lost power sends no FIN.
///
/// Keepalive only probes an idle connection; with bytes under way the kernel would repeat them for a quarter of an hour.
/// A peer that has merely stopped reading is left alone: it acknowledges, and nothing is under way to it. Stays in the
/// pipeline when the connection leaves HTTP. Owned by the event loop.
final class VanishedPeerHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    /// The unacknowledged silence after which a peer is taken for gone.
    private let limit: Duration
    private let interval: TimeAmount
    private let log: Logger
    private var silentSince: NIODeadline?
    private var sweep: RepeatedTask?

    init(limit: Duration, log: Logger) {
        self.limit = limit
        self.log = log
        interval = .nanoseconds(max(10_000_000, TimeAmount(limit).nanoseconds / 3))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        sweep = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        sweep?.cancel()
        sweep = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        sweep?.cancel()
        sweep = nil
        context.fireChannelInactive()
    }

    private func look(_ context: ChannelHandlerContext) {
        #if os(Linux)
            guard let socket = context.channel as? any SocketOptionProvider else { return }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            socket.getTCPInfo().whenSuccess { info in
                let (handler, context) = bound.value
                handler.saw(unacknowledged: info.tcpi_unacked, lastHeard: .milliseconds(Int64(info.tcpi_last_ack_recv)), context)
            }
        #endif
    }

    private func saw(unacknowledged: UInt32, lastHeard: TimeAmount, _ context: ChannelHandlerContext) {
        guard unacknowledged > 0, lastHeard >= interval else {
            silentSince = nil
            return
        }
        let now = NIODeadline.now()
        guard let since = silentSince else {
            silentSince = now
            return
        }
        guard Duration.nanoseconds((now - since).nanoseconds) >= limit else { return }
        log.debug("peer vanished", metadata: ["peer": "\(context.remoteAddress?.text ?? "")"])
        context.close(promise: nil)
    }
}
