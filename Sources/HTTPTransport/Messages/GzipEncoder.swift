import CZlib

/// Compresses a body piece by piece into one gzip member, as fast as zlib can.
///
/// Not `Sendable`: owned by the task that writes the body. The zlib state lives at a stable address until `deinit`.
public final class GzipEncoder {
    private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    /// The window of 32 KiB, with gzip's header rather than zlib's.
    private static let gzipWindow: CInt = 15 + 16
    private static let memoryLevel: CInt = 8
    private static let room = 64 << 10

    /// An encoder for one body.
    public init() {
        state.initialize(to: z_stream())
        let size = CInt(MemoryLayout<z_stream>.size)
        let code = deflateInit2_(
            state,
            Z_BEST_SPEED,
            Z_DEFLATED,
            Self.gzipWindow,
            Self.memoryLevel,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            size
        )
        isReady = code == Z_OK
    }

    deinit {
        if isReady { deflateEnd(state) }
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// What is ready to be sent after more of the body; may be empty.
    public func add(_ bytes: [UInt8]) -> [UInt8] { run(bytes, Z_NO_FLUSH) }

    /// The rest, after the last piece.
    public func finish() -> [UInt8] { run([], Z_FINISH) }

    /// A whole body at once.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let encoder = GzipEncoder()
        return encoder.add(bytes) + encoder.finish()
    }

    private func run(_ bytes: [UInt8], _ flush: CInt) -> [UInt8] {
        guard isReady else { return [] }
        var input = bytes
        var out: [UInt8] = []
        input.withUnsafeMutableBufferPointer { source in
            state.pointee.next_in = source.baseAddress
            state.pointee.avail_in = UInt32(source.count)
            var isDone = false
            while !isDone {
                let chunk = [UInt8](unsafeUninitializedCapacity: Self.room) { target, count in
                    state.pointee.next_out = target.baseAddress
                    state.pointee.avail_out = UInt32(Self.room)
                    _ = deflate(state, flush)
                    count = Self.room - Int(state.pointee.avail_out)
                }
                out += chunk
                // A full buffer may mean that there is more.
                isDone = state.pointee.avail_out != 0
            }
        }
        return out
    }
}
