import Synchronization

/// A WebSocket over a byte stream. One task receives; any task sends. State guarded by `state`.
public final class WebSocketConnection: Sendable {
    /// Which end this is.
    public enum Role: Sendable {
        /// Receives masked frames.
        case server
        /// Sends masked frames.
        case client
    }

    /// Bounds of what a peer may send.
    public struct Limits: Sendable {
        /// Bytes of one message, however many frames it has.
        public var messageBytes = 4 * 1024 * 1024

        /// The defaults.
        public init() {}
    }

    /// What arrives.
    public enum Message: Sendable, Hashable {
        /// Bytes.
        case binary([UInt8])
        /// UTF-8 text, as bytes.
        case text([UInt8])
    }

    private struct State {
        var decoder: WebSocketDecoder
        var partial: (opcode: WebSocketFrame.Opcode, bytes: [UInt8])?
        var closeSent = false
        /// A feed has the connection; it closes it as well.
        var isHandedOver = false
        var closeReceived: (code: UInt16, reason: String)?
    }

    private let stream: any DuplexByteStream
    private let role: Role
    private let limits: Limits
    private let state: Mutex<State>

    /// A WebSocket whose handshake is done.
    public init(stream: any DuplexByteStream, role: Role, limits: Limits = Limits()) {
        self.stream = stream
        self.role = role
        self.limits = limits
        state = Mutex(
            State(decoder: WebSocketDecoder(expectsMask: role == .server, frameLimit: limits.messageBytes))
        )
    }

    /// The code and reason the peer closed with, once it has.
    public var peerClose: (code: UInt16, reason: String)? { state.withLock { $0.closeReceived } }

    /// The next message; nil once the peer has closed or gone. Pings are answered here. Throws `WebSocketError` when
    /// the peer breaks the protocol; the connection is then closed with the code that says so.
    public func receive() async throws -> Message? {
        while true {
            do {
                guard let frame = try state.withLock({ try $0.decoder.next() }) else {
                    guard let bytes = try await stream.read() else { return nil }
                    state.withLock { $0.decoder.append(bytes) }
                    continue
                }
                if frame.opcode.isControl {
                    if try await isEnd(frame) { return nil }
                } else if let message = try assemble(frame) {
                    return message
                }
            } catch let error as WebSocketError {
                await close(error.code, error.message)
                throw error
            }
        }
    }

    /// Sends bytes as one message.
    public func send(_ bytes: [UInt8]) async throws {
        try await send(WebSocketFrame(.binary, bytes))
    }

    /// Sends text as one message.
    public func send(text: String) async throws {
        try await send(WebSocketFrame(.text, Array(text.utf8)))
    }

    /// Asks the peer for a pong.
    public func ping(_ payload: [UInt8] = []) async throws {
        try await send(WebSocketFrame(.ping, payload))
    }

    /// Says goodbye and ends the connection.
    public func close(_ code: UInt16 = WebSocketCloseCode.normal, _ reason: String = "") async {
        let isFirst = state.withLock { state in
            defer { state.closeSent = true }
            return !state.closeSent
        }
        if state.withLock({ $0.isHandedOver }) { return }
        if isFirst { try? await write(WebSocketFrame.closing(code, reason)) }
        await stream.close()
    }

    /// Leaves the connection of a server to a feed: each of its pieces becomes a message, what the client says is dropped, and the
    /// connection ends with the feed or the client. No task waits meanwhile. Nobody may be receiving or sending. False when the
    /// connection has no event loop of its own or is closed; the feed is then untouched.
    public func handOver(_ feed: any ResponseFeed, as message: @escaping @Sendable ([UInt8]) -> Message) async -> Bool {
        guard role == .server, let channel = stream as? RawChannelStream else { return false }
        let decoder = state.withLock { state in
            state.isHandedOver = true
            return state.decoder
        }
        let follower = WebSocketFeed(channel, feed, decoder: decoder) { bytes in
            switch message(bytes) {
            case .binary(let payload): WebSocketFrame(.binary, payload)
            case .text(let payload): WebSocketFrame(.text, payload)
            }
        }
        if await channel.follow(follower) { return true }
        state.withLock { $0.isHandedOver = false }
        return false
    }

    private func send(_ frame: WebSocketFrame) async throws {
        if state.withLock({ $0.closeSent }) { throw TransportError(.closed, "the WebSocket is closed") }
        try await write(frame)
    }

    private func write(_ frame: WebSocketFrame) async throws {
        try await stream.write(frame.encoded(mask: role == .client ? UInt32.random(in: 0...UInt32.max) : nil))
    }

    private func isEnd(_ frame: WebSocketFrame) async throws -> Bool {
        switch frame.opcode {
        case .ping:
            try await write(WebSocketFrame(.pong, frame.payload))
            return false
        case .close:
            let (code, reason) = try Self.closing(frame.payload)
            state.withLock { $0.closeReceived = (code, reason) }
            await close(code)
            return true
        default: return false
        }
    }

    private static func closing(_ payload: [UInt8]) throws(WebSocketError) -> (UInt16, String) {
        if payload.isEmpty { return (WebSocketCloseCode.normal, "") }
        guard payload.count >= 2 else { throw WebSocketError(WebSocketCloseCode.protocolError, "a close frame is too short") }
        return (UInt16(payload[0]) << 8 | UInt16(payload[1]), String(decoding: payload[2...], as: UTF8.self))
    }

    private func assemble(_ frame: WebSocketFrame) throws(WebSocketError) -> Message? {
        let whole = try state.withLock { state throws(WebSocketError) -> (WebSocketFrame.Opcode, [UInt8])? in
            var opcode = frame.opcode
            var bytes = frame.payload
            if let partial = state.partial {
                guard frame.opcode == .continuation else {
                    throw WebSocketError(WebSocketCloseCode.protocolError, "a message begins inside another")
                }
                guard partial.bytes.count + bytes.count <= limits.messageBytes else {
                    throw WebSocketError(WebSocketCloseCode.tooBig, "a message exceeds \(limits.messageBytes) bytes")
                }
                opcode = partial.opcode
                state.partial = nil
                bytes = partial.bytes + bytes
            } else if frame.opcode == .continuation {
                throw WebSocketError(WebSocketCloseCode.protocolError, "a continuation without a message")
            }
            guard frame.isFinal else {
                state.partial = (opcode, bytes)
                return nil
            }
            return (opcode, bytes)
        }
        guard let (opcode, bytes) = whole else { return nil }
        return opcode == .text ? .text(bytes) : .binary(bytes)
    }
}

/// The payloads of a WebSocket's messages as a byte stream, for protocols tunnelled through it.
public final class WebSocketByteStream: DuplexByteStream {
    private let connection: WebSocketConnection
    /// Bytes of one message sent.
    private static let messageBytes = 64 * 1024

    /// A stream over a WebSocket.
    public init(_ connection: WebSocketConnection) {
        self.connection = connection
    }

    /// The next message's bytes.
    public func read() async throws -> [UInt8]? {
        while let message = try await connection.receive() {
            switch message {
            case .binary(let bytes), .text(let bytes):
                if !bytes.isEmpty { return bytes }
            }
        }
        return nil
    }

    /// Sends bytes as messages.
    public func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            try await connection.send(Array(rest.prefix(Self.messageBytes)))
            rest = rest.dropFirst(Self.messageBytes)
        }
    }

    /// A WebSocket has no half-close: it ends.
    public func closeWrite() async {
        await connection.close()
    }

    /// Ends the WebSocket.
    public func close() async {
        await connection.close()
    }
}
