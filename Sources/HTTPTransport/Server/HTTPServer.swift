import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// An HTTP server: HTTP/1.1 plain, HTTP/1.1 and HTTP/2 over TLS.
///
/// `run` serves until its task is cancelled, then drains. State guarded by `state`.
public final class HTTPServer: Sendable {
    private enum Phase {
        /// Not listening yet. Exits: `listening`, `stopped`.
        case starting([CheckedContinuation<Int, any Error>])
        /// Exits: `stopped`.
        case listening(port: Int)
        /// Terminal.
        case stopped
    }

    private let configuration: HTTPServerConfiguration
    private let shared: ServerContext
    private let tls: Mutex<ServerTLSContext?>
    private let phase = Mutex(Phase.starting([]))
    private let connections = ServerConnections()
    private let log: Logger

    /// A server; nothing is opened before `run`. Throws when a certificate or key is unusable.
    public init(
        configuration: HTTPServerConfiguration,
        handler: any HTTPHandler,
        log: Logger = Logger(label: "http")
    ) throws {
        self.configuration = configuration
        self.log = log
        shared = ServerContext(configuration: configuration, handler: handler, log: log)
        tls = Mutex(try configuration.tls.map { try ServerTLSContext($0) })
    }

    /// The number of open connections.
    public var connectionCount: Int { connections.count }

    /// Takes a new certificate or new authorities for the connections to come; those that exist stay.
    public func reloadTLS(_ new: TLSServer) throws {
        let context = try ServerTLSContext(new)
        tls.withLock { $0 = context }
    }

    /// The port, as soon as it listens. Throws when it could not.
    public func listeningPort() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let known = phase.withLock { phase -> Result<Int, any Error>? in
                switch phase {
                case .listening(let port): return .success(port)
                case .stopped: return .failure(TransportError(.closed, "the server has stopped"))
                case .starting(let waiters):
                    phase = .starting(waiters + [continuation])
                    return nil
                }
            }
            if let known { continuation.resume(with: known) }
        }
    }

    /// Serves until the task is cancelled; then stops accepting, lets requests finish within the drain limit, ends
    /// streams, and returns. Throws when it cannot listen.
    public func run() async throws {
        let threads = configuration.eventLoops ?? EventLoopThreads()
        let listener: any Channel
        do {
            listener = try await bind(threads.group)
        } catch {
            let failure = TransportError(.badConfiguration, "cannot listen on \(place): \(error)")
            stopped(failure)
            throw failure
        }
        announce(listener.localAddress?.port ?? 0)
        await withTaskCancellationHandler {
            try? await listener.closeFuture.get()
        } onCancel: {
            listener.close(promise: nil)
        }
        stopped(TransportError(.closed, "the server has stopped"))
        await drain()
        if configuration.eventLoops == nil { await threads.shutDown() }
    }

    private var place: String {
        configuration.unixSocketPath ?? "\(configuration.host):\(configuration.port)"
    }

    private func announce(_ port: Int) {
        let waiters = phase.withLock { phase -> [CheckedContinuation<Int, any Error>] in
            guard case .starting(let waiters) = phase else { return [] }
            phase = .listening(port: port)
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: port) }
    }

    private func stopped(_ failure: TransportError) {
        let waiters = phase.withLock { phase -> [CheckedContinuation<Int, any Error>] in
            defer { phase = .stopped }
            guard case .starting(let waiters) = phase else { return [] }
            return waiters
        }
        for waiter in waiters { waiter.resume(throwing: failure) }
    }

    // MARK: Listening

    private func bind(_ group: MultiThreadedEventLoopGroup) async throws -> any Channel {
        let highWater = configuration.limits.responseHighWater
        let marks = ChannelOptions.Types.WriteBufferWaterMark(low: highWater / 2, high: highWater)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // over TLS a half-close would keep NIOSSL waiting for its close timeout
            .childChannelOption(.allowRemoteHalfClosure, value: configuration.tls == nil)
            .childChannelOption(.writeBufferWaterMark, value: marks)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accepted(channel) }
            }
        if let path = configuration.unixSocketPath {
            return try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
        let tcp =
            bootstrap
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(KeepAlive.idle, value: KeepAlive.idleSeconds)
            .childChannelOption(KeepAlive.interval, value: KeepAlive.intervalSeconds)
            .childChannelOption(KeepAlive.count, value: KeepAlive.probes)
        return try await tcp.bind(host: configuration.host, port: configuration.port).get()
    }

    private func accepted(_ channel: any Channel) throws {
        guard connections.add(channel, limit: configuration.limits.connections) else {
            throw TransportError(.tooLarge, "too many connections")
        }
        let id = ObjectIdentifier(channel)
        channel.closeFuture.whenComplete { [connections] _ in connections.remove(id) }
        if configuration.unixSocketPath == nil {
            let vanished = VanishedPeerHandler(limit: configuration.limits.unacknowledged, log: log)
            try channel.pipeline.syncOperations.addHandler(vanished)
        }
        guard let tls = tls.withLock({ $0 }) else {
            try addHTTP1(channel, peer: Peer(remoteAddress: channel.remoteAddress?.text ?? ""))
            return
        }
        let received = ReceivedChain()
        let handler = tls.makeHandler(received)
        let limit = channel.eventLoop.scheduleTask(in: TimeAmount(configuration.limits.handshake)) {
            channel.close(promise: nil)
        }
        let negotiated = ApplicationProtocolNegotiationHandler { result, channel in
            limit.cancel()
            return self.negotiated(result, channel, received, tls.clients)
        }
        channel.closeFuture.whenComplete { _ in limit.cancel() }
        try channel.pipeline.syncOperations.addHandlers([handler, HandshakeErrorHandler(log: log), negotiated])
    }

    /// The handshake is done: finds out who the peer is, then sets up its protocol.
    private func negotiated(
        _ result: ALPNResult,
        _ channel: any Channel,
        _ received: ReceivedChain,
        _ clients: ClientCertificates
    ) -> EventLoopFuture<Void> {
        let peer = Peer(remoteAddress: channel.remoteAddress?.text ?? "", isSecure: true)
        let chain: [NIOSSLCertificate]
        if clients.areWanted, received.certificates.isEmpty {
            // a resumed session presents no chain again, but its leaf is known
            let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
            chain = handler?.peerCertificate.map { [$0] } ?? []
        } else {
            chain = received.certificates
        }
        guard !chain.isEmpty else {
            return channel.eventLoop.makeCompletedFuture { try self.setUp(result, channel, peer) }
        }
        return channel.eventLoop.makeFutureWithTask { () async -> Peer in
            var peer = peer
            await clients.identify(chain, &peer)
            return peer
        }.flatMapThrowing { try self.setUp(result, channel, $0) }
    }

    private func setUp(_ result: ALPNResult, _ channel: any Channel, _ peer: Peer) throws {
        if case .negotiated("h2") = result {
            try addHTTP2(channel, peer: peer)
        } else {
            try addHTTP1(channel, peer: peer)
        }
    }

    /// A user of a thousand groups comes in a thousand fields from a proxy. Shorter fields than this are not worth their memory.
    private static let leastFieldBytes = 64
    private static let leastHeaderFields = 256

    private func addHTTP1(_ channel: any Channel, peer: Peer) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = configuration.limits.headerBytes
        // One field may take all the room, as in Go: long tokens and many groups come in one.
        limits.maxHeaderFieldSize = configuration.limits.headerBytes
        limits.maxHeaderFieldCount = max(Self.leastHeaderFields, configuration.limits.headerBytes / Self.leastFieldBytes)
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        )
        let handler = HTTP1ServerHandler(shared: shared, peer: peer, decoder: decoder, eventLoop: channel.eventLoop)
        let pipeline = channel.pipeline.syncOperations
        if peer.isSecure { try pipeline.addHandler(WriteCoalescer()) }
        try pipeline.addHandler(decoder)
        try pipeline.addHandler(handler)
    }

    private func addHTTP2(_ channel: any Channel, peer: Peer) throws {
        let handler = HTTP2ServerHandler(shared: shared, peer: peer, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    // MARK: The end

    /// Ends what is open. The task is cancelled already, so nothing here may depend on its cancellation.
    private func drain() async {
        let connections = connections
        connections.beginDrain()
        let limit = TimeAmount(configuration.limits.drain)
        let timer = connections.first?.eventLoop.scheduleTask(in: limit) { connections.closeAll() }
        await connections.waitUntilEmpty()
        timer?.cancel()
    }
}
