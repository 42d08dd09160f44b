import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// An HTTP client for one server: HTTP/1.1 or, by ALPN over TLS, HTTP/2; a pool of connections, made on demand.
///
/// State guarded by `pool`.
public final class HTTPClient: APITransport {
    private typealias Waiter = CheckedContinuation<any ClientConnection, any Error>
    private typealias Pool = PoolMachine<PooledConnection, Waiter>

    /// The pool wants a class to compare by identity.
    private final class PooledConnection: Sendable {
        let connection: any ClientConnection
        init(_ connection: any ClientConnection) { self.connection = connection }
    }

    private struct State {
        var pool: Pool
        var wrappers: [ObjectIdentifier: PooledConnection] = [:]
        var nextWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private static let log = Logger(label: "http.client")
    private let configuration: HTTPClientConfiguration
    private let threads: EventLoopThreads
    private let ownsThreads: Bool
    private let tls: ClientTLSContext?
    private let upgradeTLS: ClientTLSContext?
    private let authority: String
    private let state: Mutex<State>
    private let sweep = Mutex<RepeatedTask?>(nil)

    /// A client; the first connection is made with the first request. Throws when a certificate or key is unusable.
    public init(configuration: HTTPClientConfiguration) throws {
        self.configuration = configuration
        threads = configuration.eventLoops ?? EventLoopThreads(count: 1)
        ownsThreads = configuration.eventLoops == nil
        var host = ""
        switch configuration.address {
        case .tcp(let name, let port):
            host = name
            let shown = name.utf8.contains(UInt8(ascii: ":")) ? "[\(name)]" : name
            authority = configuration.authority ?? "\(shown):\(port)"
        case .unix:
            authority = configuration.authority ?? "localhost"
        }
        tls = try configuration.tls.map { try ClientTLSContext($0, host: host, protocols: $0.protocols) }
        upgradeTLS = try configuration.tls.map { try ClientTLSContext($0, host: host, protocols: ["http/1.1"]) }
        let offersHTTP2 = configuration.tls?.protocols.contains("h2") ?? false
        state = Mutex(State(pool: Pool(limits: configuration.limits, expectsMultiplexing: offersHTTP2)))
        startSweep()
    }

    deinit {
        sweep.withLock { $0 }?.cancel()
        for connection in state.withLock({ $0.pool.close().connections }) { connection.connection.close() }
    }

    /// Closes every connection; requests in flight fail.
    public func shutDown() async {
        sweep.withLock { task -> RepeatedTask? in
            defer { task = nil }
            return task
        }?.cancel()
        let (connections, waiters) = state.withLock { $0.pool.close() }
        for waiter in waiters { waiter.resume(throwing: TransportError(.closed, "the client is closed")) }
        for connection in connections { connection.connection.close() }
        if ownsThreads { await threads.shutDown() }
    }

    // MARK: APITransport

    /// How often a request that certainly never reached the server is sent again.
    private static let safeRetries = 3

    /// Sends a request and returns once the response's head is there.
    public func send(_ request: HTTPRequest) async throws -> ClientResponse {
        var request = request
        request.path = configuration.pathPrefix + request.path
        var attempt = 0
        while true {
            let connection = try await acquire()
            do {
                return try await exchange(request, on: connection, wantsUpgrade: false).response
            } catch let failure as TransportError where failure.isSafeToRetry && attempt < Self.safeRetries {
                attempt += 1
            }
        }
    }

    /// Sends a request that asks to switch protocols, on a connection of its own.
    public func upgrade(_ request: HTTPRequest) async throws -> (ClientResponse, any DuplexByteStream) {
        var request = request
        request.path = configuration.pathPrefix + request.path
        let nothing = ClientConnectionEvents(isFree: { $0.close() }, isGone: { _ in })
        let connection = try await connect(tls: upgradeTLS, events: nothing)
        let reply = try await exchange(request, on: connection, wantsUpgrade: true)
        return (reply.response, reply.stream ?? ClosedByteStream())
    }

    private func exchange(
        _ request: HTTPRequest,
        on connection: any ClientConnection,
        wantsUpgrade: Bool
    ) async throws -> ClientExchange.Reply {
        let exchange = ClientExchange(
            request: request,
            wantsUpgrade: wantsUpgrade,
            eventLoop: connection.eventLoop,
            highWater: configuration.limits.responseHighWater
        )
        let timeout = request.timeout ?? configuration.limits.responseHead
        return try await exchange.run(timeout: timeout) { connection.start(exchange) }
    }

    // MARK: The pool

    private func acquire() async throws -> any ClientConnection {
        let id = state.withLock { state -> UInt64 in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                let actions = state.withLock { state -> [Pool.Action]? in
                    state.cancelled.contains(id) ? nil : state.pool.requested(waiter, id: id)
                }
                if let actions { perform(actions) } else { waiter.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                if let waiter = state.pool.waiterCancelled(id) { return waiter }
                state.cancelled.insert(id)
                return nil
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func perform(_ actions: [Pool.Action]) {
        for action in actions {
            switch action {
            case .use(let connection, let waiter): waiter.resume(returning: connection.connection)
            case .refuse(let waiter, let failure): waiter.resume(throwing: failure)
            case .connect:
                // unstructured: a connection outlives the request that asked for it; bounded by the pool's limit
                Task { await self.openConnection() }
            }
        }
    }

    private func openConnection() async {
        let events = ClientConnectionEvents(
            isFree: { [weak self] in self?.freed($0) },
            isGone: { [weak self] in self?.gone($0) }
        )
        do {
            let connection = try await connect(tls: tls, events: events)
            let wrapper = PooledConnection(connection)
            perform(
                state.withLock { state in
                    state.wrappers[ObjectIdentifier(connection)] = wrapper
                    return state.pool.connected(wrapper, isMultiplexed: connection.isMultiplexed)
                }
            )
        } catch {
            let failure = error as? TransportError ?? TransportError(.connectFailed, "\(error)")
            perform(state.withLock { $0.pool.connectFailed(failure) })
        }
    }

    private func freed(_ connection: any ClientConnection) {
        let now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        perform(
            state.withLock { state in
                guard let wrapper = state.wrappers[ObjectIdentifier(connection)] else { return [] }
                return state.pool.freed(wrapper, now: now)
            }
        )
    }

    private func gone(_ connection: any ClientConnection) {
        perform(
            state.withLock { state in
                guard let wrapper = state.wrappers.removeValue(forKey: ObjectIdentifier(connection)) else { return [] }
                return state.pool.gone(wrapper)
            }
        )
    }

    private func startSweep() {
        let idle = TimeAmount(configuration.limits.idle)
        let interval = TimeAmount.nanoseconds(max(idle.nanoseconds / 2, 50_000_000))
        let task = threads.group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] _ in
            guard let self else { return }
            let limit = Int64(clamping: (NIODeadline.now() - idle).uptimeNanoseconds)
            for old in self.state.withLock({ $0.pool.expired(before: limit) }) { old.connection.close() }
        }
        sweep.withLock { $0 = task }
    }

    // MARK: Connecting

    private var place: String {
        switch configuration.address {
        case .tcp(let host, let port): "\(host):\(port)"
        case .unix(let path): path
        }
    }

    private func connect(tls: ClientTLSContext?, events: ClientConnectionEvents) async throws -> any ClientConnection {
        let ready = threads.group.next().makePromise(of: (any ClientConnection).self)
        let highWater = configuration.limits.responseHighWater
        let marks = ChannelOptions.Types.WriteBufferWaterMark(low: highWater / 2, high: highWater)
        let timeout = TimeAmount(configuration.limits.connect)
        let bootstrap = ClientBootstrap(group: threads.group)
            .connectTimeout(timeout)
            // over TLS a half-close would keep NIOSSL waiting for its close timeout
            .channelOption(.allowRemoteHalfClosure, value: tls == nil)
            .channelOption(.writeBufferWaterMark, value: marks)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, tls, events, ready) }
            }
        let timer = ready.futureResult.eventLoop.scheduleTask(in: timeout) { [place] in
            ready.fail(TransportError(.timedOut, "connecting to \(place) took too long", isSafeToRetry: false))
        }
        defer { timer.cancel() }
        let channel: any Channel
        do {
            switch configuration.address {
            case .unix(let path): channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
            case .tcp(let host, let port):
                channel =
                    try await bootstrap
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .channelOption(.socketOption(.so_keepalive), value: 1)
                    .channelOption(KeepAlive.idle, value: KeepAlive.idleSeconds)
                    .channelOption(KeepAlive.interval, value: KeepAlive.intervalSeconds)
                    .channelOption(KeepAlive.count, value: KeepAlive.probes)
                    .connect(host: host, port: port).get()
            }
        } catch {
            let failure = TransportError(.connectFailed, "cannot connect to \(place): \(error)")
            ready.fail(failure)
            throw failure
        }
        do {
            return try await ready.futureResult.get()
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    private func prepare(
        _ channel: any Channel,
        _ tls: ClientTLSContext?,
        _ events: ClientConnectionEvents,
        _ ready: EventLoopPromise<any ClientConnection>
    ) throws {
        if case .tcp = configuration.address {
            let vanished = VanishedPeerHandler(limit: configuration.limits.unacknowledged, log: Self.log)
            try channel.pipeline.syncOperations.addHandler(vanished)
        }
        guard let tls else {
            ready.succeed(try addHTTP1(channel, events))
            return
        }
        let watch = HandshakeWatch(ready: ready, place: place)
        let negotiated = ApplicationProtocolNegotiationHandler { result, channel in
            channel.eventLoop.makeCompletedFuture {
                let isHTTP2 = result == .negotiated("h2")
                ready.succeed(try isHTTP2 ? self.addHTTP2(channel, events) : self.addHTTP1(channel, events))
                channel.pipeline.syncOperations.removeHandler(watch, promise: nil)
            }
        }
        try channel.pipeline.syncOperations.addHandlers([try tls.makeHandler(), negotiated, watch])
    }

    private func addHTTP1(_ channel: any Channel, _ events: ClientConnectionEvents) throws -> any ClientConnection {
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop)
        )
        let handler = HTTP1ClientHandler(
            channel: channel,
            authority: authority,
            highWater: configuration.limits.responseHighWater,
            encoder: encoder,
            decoder: decoder,
            events: events
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(WriteCoalescer())
        try pipeline.addHandler(encoder)
        try pipeline.addHandler(decoder)
        try pipeline.addHandler(handler)
        return handler
    }

    private func addHTTP2(_ channel: any Channel, _ events: ClientConnectionEvents) throws -> any ClientConnection {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = HTTP2ClientHandler.settings
        connection.controlFrameRateLimit.maximumCount = 10_000
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = 10_000
        let frames = NIOHTTP2Handler(
            mode: .client,
            connectionConfiguration: connection,
            streamConfiguration: stream
        )
        let handler = HTTP2ClientHandler(
            channel: channel,
            authority: authority,
            limits: configuration.limits,
            events: events
        )
        try channel.pipeline.syncOperations.addHandlers([WriteCoalescer(), frames, handler])
        return handler
    }
}

/// Turns a failed handshake into an error that says so. Owned by the event loop.
final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let ready: EventLoopPromise<any ClientConnection>
    private let place: String

    init(ready: EventLoopPromise<any ClientConnection>, place: String) {
        self.ready = ready
        self.place = place
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ready.fail(TransportError(.tlsFailed, "TLS handshake with \(place) failed: \(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ready.fail(TransportError(.tlsFailed, "\(place) closed the connection during the TLS handshake"))
        context.fireChannelInactive()
    }
}

/// A stream that was never there.
struct ClosedByteStream: DuplexByteStream {
    func read() async throws -> [UInt8]? { nil }
    func write(_ bytes: [UInt8]) async throws { throw TransportError(.closed, "the connection was not upgraded") }
    func closeWrite() async {}
    func close() async {}
}
