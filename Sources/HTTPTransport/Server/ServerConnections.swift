import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The open connections of a server. State guarded by `state`.
final class ServerConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
        var emptyWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.channels.count } }

    var first: (any Channel)? { state.withLock { $0.channels.first?.value } }

    /// Adds a connection; false when there are too many or the server shuts down.
    func add(_ channel: any Channel, limit: Int) -> Bool {
        state.withLock { state in
            guard !state.isDraining, state.channels.count < limit else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    func remove(_ id: ObjectIdentifier) {
        let waiters = state.withLock { state in
            state.channels[id] = nil
            guard state.channels.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.emptyWaiters = [] }
            return state.emptyWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Refuses new connections and tells every open one to finish.
    func beginDrain() {
        let open = state.withLock { state in
            state.isDraining = true
            return Array(state.channels.values)
        }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ServerDrainEvent()) }
    }

    func closeAll() {
        let open = state.withLock { Array($0.channels.values) }
        for channel in open { channel.close(promise: nil) }
    }

    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.channels.isEmpty { return true }
                state.emptyWaiters.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }
}

/// Closes a connection whose handshake fails, without noise: anybody can send garbage to a port.
final class HandshakeErrorHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let log: Logger

    init(log: Logger) {
        self.log = log
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is NIOSSLError || error is BoringSSLError else {
            context.fireErrorCaught(error)
            return
        }
        log.debug("TLS error", metadata: ["peer": "\(context.remoteAddress?.text ?? "")", "error": "\(error)"])
        context.close(promise: nil)
    }
}
