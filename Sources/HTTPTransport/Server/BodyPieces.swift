import NIOCore

/// Cuts and joins the buffers of a body into pieces of about `limit` bytes, each copied once.
struct BodyPieces: Sequence, IteratorProtocol {
    private let chunks: [[UInt8]]
    private let limit: Int
    private var index = 0
    private var offset = 0

    init(chunks: [[UInt8]], limit: Int) {
        self.chunks = chunks
        self.limit = limit
    }

    mutating func next() -> ByteBuffer? {
        while index < chunks.count, offset == chunks[index].count { advance() }
        guard index < chunks.count else { return nil }
        var piece = ByteBufferAllocator().buffer(capacity: limit)
        while index < chunks.count, piece.readableBytes < limit {
            let chunk = chunks[index]
            let taken = Swift.min(chunk.count - offset, limit - piece.readableBytes)
            piece.writeBytes(chunk[offset..<offset + taken])
            offset += taken
            if offset == chunk.count { advance() }
        }
        return piece
    }

    private mutating func advance() {
        index += 1
        offset = 0
    }
}
