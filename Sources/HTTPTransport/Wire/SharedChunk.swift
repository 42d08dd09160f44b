import NIOCore

/// Remembers the chunk written last, so that the same event for many watchers of a connection is copied once.
struct SharedChunk {
    private var bytes: [UInt8] = []
    private var buffer = ByteBuffer()

    /// A buffer with the bytes: the last one when they are the very same array.
    mutating func buffer(_ chunk: [UInt8]) -> ByteBuffer {
        if isLast(chunk) { return buffer }
        bytes = chunk
        buffer = ByteBuffer(bytes: chunk)
        return buffer
    }

    mutating func forget() {
        bytes = []
        buffer = ByteBuffer()
    }

    /// Holding `bytes` keeps its storage from being given to another array, so equal addresses are equal arrays.
    private func isLast(_ chunk: [UInt8]) -> Bool {
        guard chunk.count == bytes.count, !chunk.isEmpty else { return false }
        return chunk.withUnsafeBufferPointer { new in
            bytes.withUnsafeBufferPointer { old in new.baseAddress == old.baseAddress }
        }
    }
}
