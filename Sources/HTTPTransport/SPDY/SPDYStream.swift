import Synchronization

/// One stream of a SPDY session. State guarded by `state`.
public final class SPDYStream: DuplexByteStream {
    private struct State {
        var isWriteClosed = false
        var isReadEnded = false
        var reply: Result<HeaderFields, any Error>?
        var replyWaiters: [CheckedContinuation<HeaderFields, any Error>] = []
    }

    /// The stream's number.
    public let id: UInt32
    /// The fields it was opened with, such as `streamtype`, `port` and `requestid`.
    public let headers: HeaderFields
    private let session: SPDYSession
    private let inbox = ByteChannel(highWater: SPDYSession.streamHighWater)
    private let state: Mutex<State>

    init(id: UInt32, headers: HeaderFields, session: SPDYSession, isReplied: Bool) {
        self.id = id
        self.headers = headers
        self.session = session
        state = Mutex(State(reply: isReplied ? .success(HeaderFields()) : nil))
    }

    /// Waits until the peer has accepted the stream. Throws when it refuses.
    public func waitForReply() async throws {
        _ = try await withCheckedThrowingContinuation { continuation in
            let known = state.withLock { state -> Result<HeaderFields, any Error>? in
                if state.reply == nil { state.replyWaiters.append(continuation) }
                return state.reply
            }
            if let known { continuation.resume(with: known) }
        }
    }

    /// The next bytes; nil once the peer has half-closed the stream or the session is over.
    public func read() async throws -> [UInt8]? {
        try await inbox.next()
    }

    /// Sends bytes.
    public func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            if state.withLock({ $0.isWriteClosed }) { throw TransportError(.closed, "the stream is closed for writing") }
            try await session.queue(.data(id: id, bytes: Array(rest.prefix(SPDYSession.dataBytes)), isLast: false))
            rest = rest.dropFirst(SPDYSession.dataBytes)
        }
    }

    /// Half-closes the stream: nothing more will be sent.
    public func closeWrite() async {
        let isFirst = state.withLock { state in
            defer { state.isWriteClosed = true }
            return !state.isWriteClosed
        }
        guard isFirst else { return }
        try? await session.queue(.data(id: id, bytes: [], isLast: true))
        forgetIfDone()
    }

    /// Half-closes the stream and stops reading it.
    public func close() async {
        await closeWrite()
        inbox.cancel()
    }

    /// Breaks the stream off.
    public func reset() async {
        state.withLock { $0.isWriteClosed = true }
        _ = session.remove(id)
        try? await session.queue(.reset(id: id, status: 5))
        inbox.cancel()
    }

    // MARK: Session side

    func received(_ bytes: [UInt8]) async throws {
        if inbox.isClosed { return }
        do {
            try await inbox.send(bytes)
        } catch is TransportError {
            // the reader left: the rest of the stream is dropped
        }
    }

    func replied(_ headers: HeaderFields) {
        settle(.success(headers))
    }

    /// The peer will send no more.
    func ended(_ failure: (any Error)?) {
        state.withLock { $0.isReadEnded = true }
        settle(.failure(failure ?? TransportError(.closed, "the stream ended before it was accepted")))
        inbox.finish(throwing: failure)
        forgetIfDone()
    }

    func reset(_ failure: any Error) {
        state.withLock { $0.isWriteClosed = true }
        settle(.failure(failure))
        inbox.finish(throwing: failure)
    }

    private func settle(_ result: Result<HeaderFields, any Error>) {
        let waiters = state.withLock { state in
            if state.reply == nil { state.reply = result }
            defer { state.replyWaiters = [] }
            return state.replyWaiters
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    private func forgetIfDone() {
        let isDone = state.withLock { $0.isReadEnded && $0.isWriteClosed }
        if isDone { _ = session.remove(id) }
    }
}
