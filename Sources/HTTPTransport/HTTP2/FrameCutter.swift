import NIOCore

/// Cuts what a client sends into frames: first the preface, then header and payload of one frame after the other. Pure; holds
/// at most one incomplete frame.
struct FrameCutter {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private var unread = ByteBuffer()
    private var hasPreface = false

    /// Adds bytes as they came.
    mutating func append(_ bytes: ByteBuffer) {
        if unread.readableBytes == 0 {
            unread = bytes
            return
        }
        var bytes = bytes
        unread.writeBuffer(&bytes)
    }

    /// The next whole frame; nil while more bytes are needed.
    mutating func next() throws(ConnectionFault) -> (header: FrameHeader, payload: ByteBuffer)? {
        if !hasPreface {
            guard try takePreface() else { return nil }
        }
        guard let header = peekHeader() else { return nil }
        guard header.length <= FrameLimits.received else {
            throw ConnectionFault(.frameSize, "a frame of \(header.length) bytes")
        }
        guard unread.readableBytes >= FrameHeader.size + header.length else { return nil }
        unread.moveReaderIndex(forwardBy: FrameHeader.size)
        guard let payload = unread.readSlice(length: header.length) else { return nil }
        return (header, payload)
    }

    /// Gives back the memory of what was cut off; to be called once `next` has nothing more.
    mutating func trim() {
        if unread.readableBytes == 0 {
            unread = ByteBuffer()
        } else if unread.readerIndex > 0 {
            unread = ByteBuffer(bytes: unread.readableBytesView)
        }
    }

    private mutating func takePreface() throws(ConnectionFault) -> Bool {
        let count = min(unread.readableBytes, Self.preface.count)
        guard unread.readableBytesView.prefix(count).elementsEqual(Self.preface.prefix(count)) else {
            throw ConnectionFault(.protocolError, "no HTTP/2 preface")
        }
        guard count == Self.preface.count else { return false }
        unread.moveReaderIndex(forwardBy: count)
        hasPreface = true
        return true
    }

    private func peekHeader() -> FrameHeader? {
        guard unread.readableBytes >= FrameHeader.size else { return nil }
        return unread.withUnsafeReadableBytes { bytes in
            FrameHeader(
                length: Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2]),
                kind: bytes[3],
                flags: bytes[4],
                // the first bit is reserved
                streamID: Int32(bytes[5] & 0x7f) << 24 | Int32(bytes[6]) << 16 | Int32(bytes[7]) << 8 | Int32(bytes[8])
            )
        }
    }
}

extension FrameHeader {
    /// The payload without its padding. Source: RFC 9113, section 6.1.
    func unpadded(_ payload: ByteBuffer) throws(ConnectionFault) -> ByteBuffer {
        guard has(FrameFlag.padded) else { return payload }
        var payload = payload
        guard let padding: UInt8 = payload.readInteger() else { throw ConnectionFault(.frameSize, "no room for the padding's length") }
        guard Int(padding) <= payload.readableBytes else { throw ConnectionFault(.protocolError, "more padding than payload") }
        return payload.getSlice(at: payload.readerIndex, length: payload.readableBytes - Int(padding)) ?? payload
    }
}
