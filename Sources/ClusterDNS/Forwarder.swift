import Channels
import NIOCore
import NIOPosix
import Units

/// Asks other resolvers: over UDP from a port and with an id of its own for every question, over TCP when the answer
/// does not fit. Stateless.
public struct Forwarder: UpstreamResolver {
    /// One resolver.
    public struct Server: Sendable, Hashable {
        /// Its address.
        public var address: IPAddress
        /// Its port.
        public var port: Int

        /// The usual port unless another is given.
        public init(_ address: IPAddress, port: Int = 53) {
            self.address = address
            self.port = port
        }
    }

    /// How long one resolver may take.
    private static let patience = Duration.seconds(2)
    /// How often each resolver is asked.
    private static let rounds = 2

    private let servers: [Server]
    private let random: any RandomSource
    private let group: any EventLoopGroup

    /// Asks these, in order.
    public init(servers: [Server], random: any RandomSource = SystemRandom()) {
        self.servers = servers
        self.random = random
        group = MultiThreadedEventLoopGroup.singleton
    }

    /// The first useful answer; a failure told by a resolver is better than none.
    public func resolve(_ question: DNSQuestion, wantsSignatures: Bool) async -> DNSMessage? {
        var failure: DNSMessage?
        for _ in 0..<Self.rounds {
            for server in servers {
                guard !Task.isCancelled else { return nil }
                guard let answer = try? await ask(server, question, wantsSignatures) else { continue }
                if answer.code == ResponseCode.success.rawValue || answer.code == ResponseCode.nameError.rawValue { return answer }
                failure = answer
            }
            if failure != nil { break }
        }
        return failure
    }

    private func ask(_ server: Server, _ question: DNSQuestion, _ wantsSignatures: Bool) async throws -> DNSMessage {
        var query = DNSMessage(id: UInt16(truncatingIfNeeded: random.next()), question: question)
        query.edns = DNSMessage.Extension(datagramSize: UInt16(DNSMessage.preferredDatagram))
        query.edns?.wantsSignatures = wantsSignatures
        let answer = try await exchange(server, query, stream: false)
        guard answer.isTruncated else { return answer }
        return (try? await exchange(server, query, stream: true)) ?? answer
    }

    private func exchange(_ server: Server, _ query: DNSMessage, stream: Bool) async throws -> DNSMessage {
        let place = try SocketAddress(ipAddress: server.address.description, port: server.port)
        let promise = group.any().makePromise(of: DNSMessage.self)
        let timer = promise.futureResult.eventLoop.scheduleTask(in: .init(Self.patience)) {
            promise.fail(DNSFormatError(description: "\(server.address) does not answer"))
        }
        defer { timer.cancel() }
        let channel: any Channel
        do {
            channel = stream ? try await connectStream(place, query, promise) : try await connectDatagram(place, query, promise)
        } catch {
            promise.fail(error)
            return try await promise.futureResult.get()
        }
        defer { channel.close(promise: nil) }
        var buffer = channel.allocator.buffer(capacity: DNSMessage.smallestDatagram)
        let bytes = query.encoded()
        if stream { buffer.writeInteger(UInt16(bytes.count)) }
        buffer.writeBytes(bytes)
        channel.writeAndFlush(buffer).cascadeFailure(to: promise)
        return try await promise.futureResult.get()
    }

    private func connectDatagram(
        _ place: SocketAddress,
        _ query: DNSMessage,
        _ promise: EventLoopPromise<DNSMessage>
    ) async throws -> any Channel {
        // Connected: the kernel drops what comes from elsewhere.
        try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramAnswers(query, promise))
                }
            }
            .connect(to: place).get()
    }

    private func connectStream(
        _ place: SocketAddress,
        _ query: DNSMessage,
        _ promise: EventLoopPromise<DNSMessage>
    ) async throws -> any Channel {
        try await ClientBootstrap(group: group)
            .connectTimeout(.init(Self.patience))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(DNSFrames()))
                    try channel.pipeline.syncOperations.addHandler(StreamAnswers(query, promise))
                }
            }
            .connect(to: place).get()
    }
}

/// Takes an answer when it is one to our query.
private struct AnswerCheck {
    let query: DNSMessage

    func accept(_ bytes: [UInt8]) -> DNSMessage? {
        guard let message = try? DNSMessage(decoding: bytes), message.isResponse, message.id == query.id,
            message.questions == query.questions
        else { return nil }
        return message
    }
}

/// Waits for the datagram that answers; others are ignored. Owned by its channel's event loop.
private final class DatagramAnswers: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let check: AnswerCheck
    private let promise: EventLoopPromise<DNSMessage>

    init(_ query: DNSMessage, _ promise: EventLoopPromise<DNSMessage>) {
        check = AnswerCheck(query: query)
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data).data
        if let answer = check.accept(Array(buffer.readableBytesView)) { promise.succeed(answer) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }
}

/// Waits for the message that answers. Owned by its channel's event loop.
private final class StreamAnswers: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let check: AnswerCheck
    private let promise: EventLoopPromise<DNSMessage>

    init(_ query: DNSMessage, _ promise: EventLoopPromise<DNSMessage>) {
        check = AnswerCheck(query: query)
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let answer = check.accept(Array(unwrapInboundIn(data).readableBytesView)) { promise.succeed(answer) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(DNSFormatError(description: "connection closed"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }
}

/// Messages over TCP: two bytes of length, then the message.
struct DNSFrames: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            buffer.readableBytes >= Int(length) + 2
        else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 2)
        guard let frame = buffer.readSlice(length: Int(length)) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        .needMoreData
    }
}
