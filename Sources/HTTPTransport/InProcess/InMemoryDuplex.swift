import Synchronization

/// One end of a connection within the process.
public final class InMemoryDuplex: DuplexByteStream {
    private let incoming: ByteChannel
    private let outgoing: ByteChannel

    private init(incoming: ByteChannel, outgoing: ByteChannel) {
        self.incoming = incoming
        self.outgoing = outgoing
    }

    deinit {
        outgoing.finish()
        incoming.cancel()
    }

    /// Two ends joined to each other.
    public static func pair() -> (InMemoryDuplex, InMemoryDuplex) {
        let there = ByteChannel()
        let back = ByteChannel()
        return (
            InMemoryDuplex(incoming: back, outgoing: there),
            InMemoryDuplex(incoming: there, outgoing: back)
        )
    }

    /// The next bytes; nil once the other end has finished sending.
    public func read() async throws -> [UInt8]? {
        try await incoming.next()
    }

    /// Sends bytes; suspends while the other end does not keep up.
    public func write(_ bytes: [UInt8]) async throws {
        try await outgoing.send(bytes)
    }

    /// Says that nothing more will be sent.
    public func closeWrite() async {
        outgoing.finish()
    }

    /// Ends both directions.
    public func close() async {
        outgoing.finish()
        incoming.cancel()
    }
}

/// Holds the task that produces a body, which may be cancelled before it is known. State guarded by `state`.
final class ProducerTask: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    private let state = Mutex(State())

    func started(_ task: Task<Void, Never>) {
        let cancelNow = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if cancelNow { task.cancel() }
    }

    func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
