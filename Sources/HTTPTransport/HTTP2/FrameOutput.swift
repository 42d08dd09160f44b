import NIOCore

/// Gathers a connection's frames between two flushes, so that TLS makes full records of them. A burst uses one buffer again
/// and again. Owned by the event loop.
final class FrameOutput {
    /// Bytes after which a flush is made in between.
    private static let burstBytes = 64 * 1024
    /// What a buffer starts with: a TLS record.
    private static let recordBytes = 16 * 1024
    /// What a buffer starts with when only a small frame is known to come.
    private static let smallBytes = 4 * 1024
    private static let smallFrame = 512

    private var pending: ByteBuffer?
    private var spare: ByteBuffer?
    private var limit = 0
    private var isBurst = false

    /// Whether anything waits for a flush.
    var isEmpty: Bool { pending == nil }

    /// Writes a frame's header, then `count` bytes by `fill`.
    func write(
        _ kind: UInt8,
        _ flags: UInt8 = 0,
        _ streamID: Int32,
        _ count: Int,
        _ context: ChannelHandlerContext,
        fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        let size = FrameHeader.size + count
        var buffer = room(for: size, context)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
            bytes[0] = UInt8(truncatingIfNeeded: count >> 16)
            bytes[1] = UInt8(truncatingIfNeeded: count >> 8)
            bytes[2] = UInt8(truncatingIfNeeded: count)
            bytes[3] = kind
            bytes[4] = flags
            bytes.storeBytes(of: streamID.bigEndian, toByteOffset: 5, as: Int32.self)
            if count > 0 { fill(UnsafeMutableRawBufferPointer(rebasing: bytes[FrameHeader.size..<size])) }
            return size
        }
        pending = buffer
    }

    /// Sends everything.
    func flush(_ context: ChannelHandlerContext) {
        passOn(context)
        isBurst = false
        spare = nil
        context.flush()
    }

    /// Forgets everything.
    func clear() {
        pending = nil
        spare = nil
    }

    /// Passing on may call back into the connection, which may write: what is pending is looked at anew.
    private func room(for size: Int, _ context: ChannelHandlerContext) -> ByteBuffer {
        while let buffer = pending {
            if buffer.readableBytes + size <= limit {
                pending = nil
                return buffer
            }
            isBurst = true
            passOn(context)
            // TLS keeps a buffer of this size instead of growing a new one
            context.flush()
        }
        if isBurst {
            limit = Self.burstBytes
            if var again = spare {
                spare = nil
                again.clear()
                return again
            }
            return context.channel.allocator.buffer(capacity: Self.burstBytes)
        }
        limit = Self.recordBytes
        return context.channel.allocator.buffer(capacity: size < Self.smallFrame ? Self.smallBytes : Self.recordBytes)
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard let buffer = pending else { return }
        pending = nil
        if isBurst, buffer.storageCapacity >= Self.burstBytes { spare = buffer }
        context.write(NIOAny(buffer), promise: nil)
    }
}
