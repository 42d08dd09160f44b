import NIOCore
import Synchronization

/// Somebody who is told of a raw channel's bytes on its event loop, where a task for each would only wait.
protocol ChannelFollower: AnyObject, Sendable {
    /// Bytes arrived.
    func received(_ bytes: [UInt8])
    /// More can be written.
    func roomCame()
    /// The server shuts down.
    func serverDrains()
    /// The channel is closed; nothing else is called any more.
    func gone()
}

/// The bytes of a channel in both directions, once no protocol of ours frames them.
///
/// `@unchecked Sendable`: everything mutable is touched on the channel's event loop only, except `received`, which
/// guards itself.
final class RawChannelStream: ChannelDuplexHandler, DuplexByteStream, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let channel: any Channel
    private let closed = Atomic<Bool>(false)
    private var received: ByteChannel?
    private let inbox: Mutex<ByteChannel?> = Mutex(nil)
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var readWanted = false
    private var drainWaiters: [RoomWaiter] = []
    private var follower: (any ChannelFollower)?
    private let followed = Atomic<Bool>(false)

    /// A writer that waits for room. Touched on the event loop only.
    private final class RoomWaiter: @unchecked Sendable {
        var continuation: CheckedContinuation<Void, any Error>?
        var isCancelled = false

        func finish(_ failure: (any Error)?) {
            guard let waiting = continuation else { return }
            continuation = nil
            if let failure { waiting.resume(throwing: failure) } else { waiting.resume() }
        }
    }

    /// Must be made on the event loop, just before it enters the pipeline.
    init(channel: any Channel, highWater: Int) {
        self.channel = channel
        let received = ByteChannel(
            highWater: highWater,
            onDrain: { [weak self] in self?.resumeReading() },
            onCancel: { channel.close(promise: nil) }
        )
        self.received = received
        inbox.withLock { $0 = received }
    }

    // MARK: Pipeline

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if let follower { return follower.received(buffer.bytesArray()) }
        if let goOn = received?.push(buffer.bytesArray()), !goOn { isPaused = true }
    }

    func read(context: ChannelHandlerContext) {
        guard !isPaused else {
            readWanted = true
            return
        }
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            releaseWriters(nil)
            follower?.roomCame()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            received?.finish()
            if follower != nil { context.close(promise: nil) }
        }
        if event is ServerDrainEvent { follower?.serverDrains() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(TransportError(.closed, "the connection broke: \(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(nil)
        context.fireChannelInactive()
    }

    /// Bytes that had arrived before the stream took the channel over.
    func preload(_ bytes: [UInt8]) {
        _ = received?.push(bytes)
    }

    private func end(_ failure: (any Error)?) {
        closed.store(true, ordering: .releasing)
        received?.finish(throwing: failure)
        let leaving = follower
        follower = nil
        leaving?.gone()
        releaseWriters(failure ?? TransportError(.closed, "the connection is closed"))
    }

    private func releaseWriters(_ failure: (any Error)?) {
        let waiting = drainWaiters
        drainWaiters = []
        for waiter in waiting { waiter.finish(failure) }
    }

    private func resumeReading() {
        channel.eventLoop.execute {
            self.isPaused = false
            guard self.readWanted else { return }
            self.readWanted = false
            self.context?.read()
        }
    }

    // MARK: Without tasks

    /// Whether somebody follows the channel on its event loop.
    var isFollowed: Bool { followed.load(ordering: .acquiring) }

    /// Whether the peer takes what is written. On the event loop.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    var eventLoop: any EventLoop { channel.eventLoop }

    /// Gives the channel to somebody who is called on its event loop; nobody may read or write otherwise any more. False when the
    /// channel is closed.
    func follow(_ newFollower: any ChannelFollower) async -> Bool {
        await withCheckedContinuation { continuation in
            channel.eventLoop.execute {
                guard !self.closed.load(ordering: .acquiring), let context = self.context else {
                    continuation.resume(returning: false)
                    return
                }
                self.follower = newFollower
                self.followed.store(true, ordering: .releasing)
                for bytes in self.received?.takeAll() ?? [] { newFollower.received(bytes) }
                self.isPaused = false
                if self.readWanted {
                    self.readWanted = false
                    context.read()
                }
                newFollower.roomCame()
                continuation.resume(returning: true)
            }
        }
    }

    /// Writes without a flush. On the event loop.
    func writeNow(_ bytes: [UInt8]) { context?.write(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil) }

    /// On the event loop.
    func flushNow() { context?.flush() }

    /// Sends what is written and closes. On the event loop.
    func closeNow() {
        context?.flush()
        context?.close(promise: nil)
    }

    // MARK: DuplexByteStream

    func read() async throws -> [UInt8]? {
        guard let inbox = inbox.withLock({ $0 }) else { return nil }
        return try await inbox.next()
    }

    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        if channel.eventLoop.inEventLoop {
            try send(bytes)
            if channel.isWritable { return }
        }
        let waiter = RoomWaiter()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if channel.eventLoop.inEventLoop {
                    if Task.isCancelled { waiter.isCancelled = true }
                    waitForRoom(waiter, continuation)
                    return
                }
                channel.eventLoop.execute {
                    do {
                        try self.send(bytes)
                        self.waitForRoom(waiter, continuation)
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            }
        } onCancel: {
            channel.eventLoop.execute {
                waiter.isCancelled = true
                waiter.finish(CancellationError())
                self.drainWaiters.removeAll { $0 === waiter }
            }
        }
    }

    private func send(_ bytes: [UInt8]) throws {
        guard !closed.load(ordering: .acquiring), let context else {
            throw TransportError(.closed, "the connection is closed")
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func waitForRoom(_ waiter: RoomWaiter, _ continuation: CheckedContinuation<Void, any Error>) {
        if closed.load(ordering: .acquiring) {
            continuation.resume(throwing: TransportError(.closed, "the connection is closed"))
        } else if channel.isWritable {
            continuation.resume()
        } else if waiter.isCancelled {
            continuation.resume(throwing: CancellationError())
        } else {
            waiter.continuation = continuation
            drainWaiters.append(waiter)
        }
    }

    func closeWrite() async {
        try? await channel.close(mode: .output).get()
    }

    func close() async {
        inbox.withLock { $0 }?.finish()
        try? await channel.close(mode: .all).get()
    }
}
