/// A response body as it arrives. One consumer; dropping the last reference before the end aborts the request.
public struct ResponseBody: Sendable, AsyncSequence {
    /// A chunk; never empty.
    public typealias Element = [UInt8]

    /// Ends the request when nobody can read the body any more.
    fileprivate final class Lifetime: Sendable {
        let channel: ByteChannel
        init(_ channel: ByteChannel) { self.channel = channel }
        deinit { channel.cancel() }
    }

    fileprivate enum Source: Sendable {
        case whole([[UInt8]])
        case channel(Lifetime)
    }

    private let source: Source

    /// A body that is complete.
    public init(_ bytes: [UInt8] = []) {
        source = .whole(bytes.isEmpty ? [] : [bytes])
    }

    /// A body that is complete, in pieces.
    public init(chunks: [[UInt8]]) {
        source = .whole(chunks)
    }

    init(channel: ByteChannel) {
        source = .channel(Lifetime(channel))
    }

    /// The largest body `collect` takes unless told otherwise.
    public static let defaultCollectLimit = 256 * 1024 * 1024

    /// The whole body. Throws when it is longer than `limit`.
    public func collect(upTo limit: Int = ResponseBody.defaultCollectLimit) async throws -> [UInt8] {
        if case .whole(let chunks) = source, chunks.count == 1, chunks[0].count <= limit { return chunks[0] }
        var all: [UInt8] = []
        var iterator = makeAsyncIterator()
        while let chunk = try await iterator.next() {
            guard all.count + chunk.count <= limit else {
                cancel()
                throw TransportError(.tooLarge, "the response body is longer than \(limit) bytes")
            }
            if all.isEmpty { all = chunk } else { all += chunk }
        }
        return all
    }

    /// Gives the body up: the request is aborted.
    public func cancel() {
        if case .channel(let lifetime) = source { lifetime.channel.cancel() }
    }

    /// Iterates the chunks.
    public func makeAsyncIterator() -> Iterator {
        Iterator(source: source)
    }

    /// Iterates the chunks of one body.
    public struct Iterator: AsyncIteratorProtocol {
        private let source: Source
        private var index = 0

        fileprivate init(source: Source) {
            self.source = source
        }

        /// The next chunk; nil at the end.
        public mutating func next() async throws -> [UInt8]? {
            switch source {
            case .whole(let chunks):
                guard index < chunks.count else { return nil }
                index += 1
                return chunks[index - 1]
            case .channel(let lifetime):
                return try await lifetime.channel.next()
            }
        }
    }
}
