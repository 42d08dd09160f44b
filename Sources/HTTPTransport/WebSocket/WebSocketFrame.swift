/// The frames of RFC 6455. Pure.
public struct WebSocketFrame: Sendable, Hashable {
    /// What a frame is.
    public enum Opcode: UInt8, Sendable {
        /// A further part of a message.
        case continuation = 0
        /// UTF-8.
        case text = 1
        /// Bytes.
        case binary = 2
        /// The end, with a code and a reason.
        case close = 8
        /// Asks for a pong.
        case ping = 9
        /// Answers a ping.
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    /// What the frame is.
    public var opcode: Opcode
    /// Whether it ends its message.
    public var isFinal: Bool
    /// The unmasked content.
    public var payload: [UInt8]

    /// A frame.
    public init(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) {
        self.opcode = opcode
        self.payload = payload
        self.isFinal = isFinal
    }

    /// The frame that says goodbye.
    static func closing(_ code: UInt16, _ reason: String) -> WebSocketFrame {
        // control frames hold 125 bytes, two of them the code
        WebSocketFrame(.close, [UInt8(code >> 8), UInt8(code & 0xff)] + Array(reason.utf8.prefix(123)))
    }

    /// The frame as it goes over the wire; a client's frames carry a mask.
    public func encoded(mask: UInt32?) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(payload.count + 14)
        out.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        let masked: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case 0..<126: out.append(masked | UInt8(payload.count))
        case 126...0xffff:
            out.append(masked | 126)
            out.append(UInt8(payload.count >> 8))
            out.append(UInt8(payload.count & 0xff))
        default:
            out.append(masked | 127)
            for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        }
        guard let mask else { return out + payload }
        let key = [UInt8(mask >> 24), UInt8(mask >> 16 & 0xff), UInt8(mask >> 8 & 0xff), UInt8(mask & 0xff)]
        out += key
        for (index, byte) in payload.enumerated() { out.append(byte ^ key[index & 3]) }
        return out
    }
}

/// A breach of the protocol, with the code to close with.
public struct WebSocketError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The close code.
    public var code: UInt16
    /// What was wrong.
    public var message: String

    /// A breach.
    public init(_ code: UInt16, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { "WebSocket: \(message)" }
}

/// The close codes in use here.
public enum WebSocketCloseCode {
    /// All is done.
    public static let normal: UInt16 = 1000
    /// An endpoint goes away.
    public static let goingAway: UInt16 = 1001
    /// The protocol was broken.
    public static let protocolError: UInt16 = 1002
    /// Content of a kind that cannot be taken.
    public static let unsupported: UInt16 = 1003
    /// Text that is no UTF-8.
    public static let badContent: UInt16 = 1007
    /// A message beyond the limit.
    public static let tooBig: UInt16 = 1009
    /// The server failed.
    public static let internalError: UInt16 = 1011
}

/// Cuts a byte stream into frames. Pure.
public struct WebSocketDecoder: Sendable {
    private let expectsMask: Bool
    private let frameLimit: Int
    private var buffer: [UInt8] = []
    private var start = 0

    /// A decoder; a server expects masked frames, a client unmasked ones.
    public init(expectsMask: Bool, frameLimit: Int) {
        self.expectsMask = expectsMask
        self.frameLimit = frameLimit
    }

    /// Adds bytes as they came.
    public mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer = bytes
            start = 0
            return
        }
        if start > 64 * 1024 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next whole frame; nil while more bytes are needed.
    public mutating func next() throws(WebSocketError) -> WebSocketFrame? {
        let available = buffer.count - start
        guard available >= 2 else { return nil }
        let first = buffer[start]
        let second = buffer[start + 1]
        guard first & 0x70 == 0 else { throw WebSocketError(WebSocketCloseCode.protocolError, "reserved bits are set") }
        guard let opcode = WebSocketFrame.Opcode(rawValue: first & 0x0f) else {
            throw WebSocketError(WebSocketCloseCode.protocolError, "unknown opcode \(first & 0x0f)")
        }
        let isFinal = first & 0x80 != 0
        guard (second & 0x80 != 0) == expectsMask else {
            throw WebSocketError(WebSocketCloseCode.protocolError, expectsMask ? "frame is not masked" : "frame is masked")
        }
        var length = Int(second & 0x7f)
        guard !opcode.isControl || (isFinal && length < 126) else {
            throw WebSocketError(WebSocketCloseCode.protocolError, "a control frame is fragmented or too long")
        }
        var head = 2
        if length >= 126 {
            let size = length == 126 ? 2 : 8
            guard available >= head + size else { return nil }
            var value: UInt64 = 0
            for index in 0..<size { value = value << 8 | UInt64(buffer[start + head + index]) }
            guard value <= UInt64(frameLimit) else {
                throw WebSocketError(WebSocketCloseCode.tooBig, "a frame of \(value) bytes exceeds \(frameLimit)")
            }
            length = Int(value)
            head += size
        }
        guard length <= frameLimit else {
            throw WebSocketError(WebSocketCloseCode.tooBig, "a frame of \(length) bytes exceeds \(frameLimit)")
        }
        let mask = head
        if expectsMask { head += 4 }
        guard available >= head + length else { return nil }
        var payload = Array(buffer[start + head..<start + head + length])
        if expectsMask {
            let key = Array(buffer[start + mask..<start + mask + 4])
            payload.withUnsafeMutableBufferPointer { bytes in
                for index in bytes.indices { bytes[index] ^= key[index & 3] }
            }
        }
        start += head + length
        return WebSocketFrame(opcode, payload, isFinal: isFinal)
    }
}
