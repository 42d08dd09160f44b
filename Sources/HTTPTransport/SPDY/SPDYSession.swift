import Synchronization

/// A SPDY/3.1 session as Kubernetes' streaming uses it: many streams over one byte stream, either end.
///
/// Flow-control windows are neither kept nor enforced, as in the library every Kubernetes component uses; instead the
/// session is not read while a stream's reader is behind. `run` must be running. State guarded by `state`; header
/// blocks are coded and queued under the same lock, so their order on the wire is zlib's.
public final class SPDYSession: Sendable {
    /// Which end this is: a client opens odd streams.
    public enum Role: Sendable {
        /// Opens streams with odd ids.
        case client
        /// Opens streams with even ids.
        case server
    }

    /// Streams open at once.
    static let streamLimit = 1024
    /// Bytes a stream holds before the session stops reading.
    static let streamHighWater = 256 * 1024
    /// Bytes of one DATA frame sent.
    static let dataBytes = 32 * 1024

    private enum Side {
        case reader
        case writer
    }

    private struct State: ~Copyable {
        var streams: [UInt32: SPDYStream] = [:]
        var nextID: UInt32
        var isOver = false
        let codec = SPDYHeaderCodec()
    }

    private let connection: any DuplexByteStream
    private let role: Role
    private let outgoing = ByteChannel()
    private let accepted: ByteChannel.Queue<SPDYStream>
    private let state: Mutex<State>

    /// A session over a stream whose upgrade is done.
    public init(_ connection: any DuplexByteStream, role: Role) {
        self.connection = connection
        self.role = role
        accepted = ByteChannel.Queue(limit: SPDYSession.streamLimit)
        state = Mutex(State(nextID: role == .client ? 1 : 2))
    }

    // MARK: Use

    /// Opens a stream. Data may be sent at once; `SPDYStream.waitForReply` tells when the peer has accepted it.
    public func open(_ headers: HeaderFields, isLast: Bool = false) async throws -> SPDYStream {
        let (stream, hasRoom) = try state.withLock { state in
            guard !state.isOver else { throw TransportError(.closed, "the SPDY session is closed") }
            guard state.streams.count < Self.streamLimit else { throw TransportError(.tooLarge, "too many SPDY streams") }
            let id = state.nextID
            state.nextID += 2
            let stream = SPDYStream(id: id, headers: headers, session: self, isReplied: false)
            state.streams[id] = stream
            let frame = SPDYFrame.synStream(id: id, headers: state.codec.compress(headers), isLast: isLast)
            return (stream, outgoing.push(frame.encoded()))
        }
        if !hasRoom { try await outgoing.waitForRoom() }
        return stream
    }

    /// The next stream the peer opens; nil once the session is over. It is accepted with a reply already.
    public func accept() async throws -> SPDYStream? {
        try await accepted.next()
    }

    /// Moves bytes until the session ends or the task is cancelled. Throws when the peer breaks the protocol.
    public func run() async throws {
        defer { end(nil) }
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Side.self) { group in
                group.addTask {
                    try await self.readFrames()
                    return .reader
                }
                group.addTask {
                    try await self.writeFrames()
                    return .writer
                }
                defer { group.cancelAll() }
                do {
                    let first = try await group.next()
                    end(nil)
                    // the peer has gone: what is queued for it may still be taken; we have closed: nobody reads on
                    if first == .writer { group.cancelAll() }
                    while let _ = try? await group.next() {}
                } catch {
                    end(error)
                    await connection.close()
                    throw error
                }
            }
        } onCancel: {
            end(CancellationError())
        }
        await connection.close()
    }

    /// Ends the session: what is queued is still sent.
    public func close() async {
        let lastID = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver ? nil : state.streams.keys.max() ?? 0
        }
        if let lastID { _ = outgoing.push(SPDYFrame.goAway(lastID: lastID, status: 0).encoded()) }
        end(nil)
    }

    private func end(_ failure: (any Error)?) {
        let streams = state.withLock { state in
            state.isOver = true
            defer { state.streams = [:] }
            return Array(state.streams.values)
        }
        for stream in streams { stream.ended(failure) }
        outgoing.finish()
        accepted.finish()
    }

    // MARK: Frames

    private func writeFrames() async throws {
        while let bytes = try await outgoing.next() { try await connection.write(bytes) }
        await connection.closeWrite()
    }

    private func readFrames() async throws {
        var decoder = SPDYDecoder()
        while let bytes = try await connection.read() {
            decoder.append(bytes)
            while let frame = try decoder.next() { try await received(frame) }
        }
    }

    private func received(_ frame: SPDYFrame) async throws {
        switch frame {
        case .data(let id, let bytes, let isLast):
            guard let stream = stream(id) else {
                // a reset stream's last bytes are still on their way
                return
            }
            try await stream.received(bytes)
            if isLast { stream.ended(nil) }
        case .synStream(let id, let block, let isLast): try opened(id, block, isLast)
        case .synReply(let id, let block, let isLast):
            let headers = try state.withLock { try $0.codec.expand(block) }
            stream(id)?.replied(headers)
            if isLast { stream(id)?.ended(nil) }
        case .headers(_, let block, _): _ = try state.withLock { try $0.codec.expand(block) }
        case .reset(let id, let status):
            remove(id)?.reset(TransportError(.closed, "the peer reset the stream (status \(status))"))
        case .ping(let id):
            // odd ids are the client's: only the peer's own pings are answered
            if (id & 1 == 1) == (role == .server) { try await queue(.ping(id: id)) }
        case .goAway: accepted.finish()
        case .settings, .windowUpdate, .unknown: break
        }
    }

    private func opened(_ id: UInt32, _ block: [UInt8], _ isLast: Bool) throws {
        guard (id & 1 == 1) == (role == .server), id != 0 else { throw SPDYError("the peer opened stream \(id)") }
        let outcome = try state.withLock { state -> SPDYStream? in
            let headers = try state.codec.expand(block)
            guard state.streams[id] == nil else { throw SPDYError("stream \(id) is opened twice") }
            guard !state.isOver, state.streams.count < Self.streamLimit else {
                _ = outgoing.push(SPDYFrame.reset(id: id, status: 3).encoded())
                return nil
            }
            let stream = SPDYStream(id: id, headers: headers, session: self, isReplied: true)
            state.streams[id] = stream
            let reply = SPDYFrame.synReply(id: id, headers: state.codec.compress(HeaderFields()), isLast: false)
            _ = outgoing.push(reply.encoded())
            return stream
        }
        guard let stream = outcome else { return }
        if isLast { stream.ended(nil) }
        accepted.push(stream)
    }

    private func stream(_ id: UInt32) -> SPDYStream? { state.withLock { $0.streams[id] } }

    func remove(_ id: UInt32) -> SPDYStream? {
        state.withLock { $0.streams.removeValue(forKey: id) }
    }

    func queue(_ frame: SPDYFrame) async throws {
        if outgoing.isClosed { throw TransportError(.closed, "the SPDY session is closed") }
        try await outgoing.send(frame.encoded())
    }
}
