import Channels
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Units

/// Answers queries over UDP and TCP, on the same port. Sockets live as long as `run`.
public final class DNSServer: Sendable {
    /// The most TCP connections at a time.
    static let mostConnections = 256
    /// How long a connection may be silent.
    static let idleLimit = TimeAmount.seconds(10)
    /// How often a free port is tried that both UDP and TCP must have.
    private static let bindAttempts = 20

    private let engine: QueryEngine
    private let addresses: [IPAddress]
    private let port: Int
    private let takesAnyPort: Bool
    private let log: Logger
    private let group: any EventLoopGroup
    private let bound = Signal<Int>(0)
    private let connections = Mutex(0)

    /// A server on these addresses; port 0 chooses one. With `orAnyPort` a port in use is no obstacle.
    public init(
        engine: QueryEngine,
        addresses: [IPAddress],
        port: Int = 0,
        orAnyPort: Bool = false,
        log: Logger = Logger(label: "cluster-dns")
    ) {
        self.engine = engine
        self.addresses = addresses
        self.port = port
        takesAnyPort = orAnyPort || port == 0
        self.log = log
        group = MultiThreadedEventLoopGroup.singleton
    }

    /// The port, as soon as there is one. Throws `CancellationError`.
    public func listeningPort() async throws -> Int { try await bound.wait { $0 != 0 } }

    /// Serves until the task is cancelled. Throws when no socket can be had.
    public func run() async throws {
        let (channels, port) = try await bind()
        bound.set(port)
        log.info("answering DNS queries", metadata: ["port": "\(port)", "addresses": "\(addresses.map(\.description))"])
        let forever = Signal(())
        while !Task.isCancelled { _ = await forever.next(after: forever.current.version) }
        for channel in channels { try? await channel.close().get() }
        bound.set(0)
    }

    private func bind() async throws -> ([any Channel], Int) {
        var problem: any Error = DNSFormatError(description: "no address to listen on")
        for attempt in 0..<(takesAnyPort ? Self.bindAttempts : 1) {
            var channels: [any Channel] = []
            var chosen = attempt == 0 ? port : 0
            do {
                for address in addresses {
                    let datagrams = try await bindDatagrams(address, chosen)
                    channels.append(datagrams)
                    chosen = datagrams.localAddress?.port ?? chosen
                    channels.append(try await bindStreams(address, chosen))
                }
                if !channels.isEmpty { return (channels, chosen) }
            } catch {
                problem = error
                for channel in channels { try? await channel.close().get() }
            }
        }
        throw problem
    }

    private func bindDatagrams(_ address: IPAddress, _ port: Int) async throws -> any Channel {
        let engine = engine
        return try await DatagramBootstrap(group: group)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramQueries(engine))
                }
            }
            .bind(host: address.description, port: port).get()
    }

    private func bindStreams(_ address: IPAddress, _ port: Int) async throws -> any Channel {
        let engine = engine
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [weak self] channel in
                guard let self, self.admit(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(readTimeout: Self.idleLimit))
                    try pipeline.addHandler(ByteToMessageHandler(DNSFrames()))
                    try pipeline.addHandler(StreamQueries(engine))
                }
            }
            .bind(host: address.description, port: port).get()
    }

    private func admit(_ channel: any Channel) -> Bool {
        let isAdmitted = connections.withLock { count in
            guard count < Self.mostConnections else { return false }
            count += 1
            return true
        }
        if isAdmitted {
            channel.closeFuture.whenComplete { [weak self] _ in self?.connections.withLock { $0 -= 1 } }
        }
        return isAdmitted
    }
}

/// Queries in datagrams. Owned by its channel's event loop.
private final class DatagramQueries: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let engine: QueryEngine

    init(_ engine: QueryEngine) { self.engine = engine }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let peer = envelope.remoteAddress
        let bytes = Array(envelope.data.readableBytesView)
        switch engine.receive(bytes) {
        case .ignore: return
        case .reply(let reply):
            let limit = datagramLimit(reply, for: bytes)
            let buffer = context.channel.allocator.buffer(bytes: reply.encoded(limit: limit))
            context.write(wrapOutboundOut(AddressedEnvelope(remoteAddress: peer, data: buffer)), promise: nil)
        case .forward(let query, let known, let question):
            answerLater(engine, query, known, question, context.channel) { reply, allocator in
                AddressedEnvelope(remoteAddress: peer, data: allocator.buffer(bytes: reply.encoded(limit: datagramLimit(query))))
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A peer that is gone (ICMP) must not close the socket for all others.
    }
}

/// Queries over one TCP connection. Owned by its channel's event loop.
private final class StreamQueries: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let engine: QueryEngine

    init(_ engine: QueryEngine) { self.engine = engine }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch engine.receive(Array(unwrapInboundIn(data).readableBytesView)) {
        case .ignore: context.close(promise: nil)
        case .reply(let reply):
            context.write(wrapOutboundOut(streamFrame(reply, context.channel.allocator)), promise: nil)
        case .forward(let query, let known, let question):
            answerLater(engine, query, known, question, context.channel) { reply, allocator in
                streamFrame(reply, allocator)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Asks others and sends what they say in the form of the transport.
private func answerLater<Envelope: Sendable>(
    _ engine: QueryEngine,
    _ query: DNSMessage,
    _ known: [DNSRecord],
    _ question: DNSQuestion,
    _ channel: any Channel,
    _ wrap: @escaping @Sendable (DNSMessage, ByteBufferAllocator) -> Envelope
) {
    // unstructured: ends within the resolver's patience; their number is bounded by the engine
    Task {
        let reply = await engine.forward(query, known: known, question)
        channel.writeAndFlush(wrap(reply, channel.allocator), promise: nil)
    }
}

/// What the asker takes, but not more than crosses networks whole.
private func datagramLimit(_ query: DNSMessage) -> Int {
    min(max(Int(query.edns?.datagramSize ?? 0), DNSMessage.smallestDatagram), DNSMessage.preferredDatagram)
}

private func datagramLimit(_ reply: DNSMessage, for query: [UInt8]) -> Int {
    guard reply.edns != nil, let message = try? DNSMessage(decoding: query) else { return DNSMessage.smallestDatagram }
    return datagramLimit(message)
}

private func streamFrame(_ reply: DNSMessage, _ allocator: ByteBufferAllocator) -> ByteBuffer {
    let bytes = reply.encoded()
    var buffer = allocator.buffer(capacity: bytes.count + 2)
    buffer.writeInteger(UInt16(clamping: bytes.count))
    buffer.writeBytes(bytes)
    return buffer
}
