/// What a handler answers.
public struct HTTPResponse: Sendable {
    /// How the body is produced.
    public enum Body: Sendable {
        /// No body.
        case empty
        /// One buffer.
        case bytes([UInt8])
        /// Buffers sent one after the other without being joined.
        case chunks([[UInt8]])
        /// Written while it is produced. The response ends when the closure returns; throwing aborts it.
        case stream(@Sendable (any ResponseStream) async throws -> Void)
        /// 101 with the response's headers, then raw bytes until the closure returns.
        case upgrade(@Sendable (any DuplexByteStream) async throws -> Void)
    }

    /// The status code.
    public var status: Int
    /// The header fields; framing fields are the transport's.
    public var headers: HeaderFields
    /// The body.
    public var body: Body

    /// A response.
    public init(status: Int, headers: HeaderFields = HeaderFields(), body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The length of a body that is known before it is sent.
    var knownLength: Int? {
        switch body {
        case .empty: 0
        case .bytes(let bytes): bytes.count
        case .chunks(let chunks): chunks.reduce(0) { $0 + $1.count }
        case .stream, .upgrade: nil
        }
    }
}

/// The sending side of a streamed response body.
public protocol ResponseStream: Sendable {
    /// Sends bytes. Suspends while the peer does not keep up; throws when it is gone.
    func write(_ bytes: [UInt8]) async throws
    /// Sends what was written at once. Without it, writes leave at the end of the loop's tick, which is as soon.
    func flush()
    /// Sends what the feed has until it ends. Cancelling the task ends the feed.
    func drain(_ feed: any ResponseFeed) async throws
    /// Leaves the rest of the body to a feed: once the producing closure has returned, the feed is asked until it ends, and
    /// the body with it. No task waits meanwhile. The feed is cancelled when the peer goes.
    func handOver(_ feed: any ResponseFeed)
    /// Whether the peer is gone.
    var isClosed: Bool { get }
}

/// A connection in both directions, such as one that left HTTP by an upgrade.
public protocol DuplexByteStream: Sendable {
    /// The next bytes, never empty; nil once the peer has finished sending.
    func read() async throws -> [UInt8]?
    /// Sends bytes; suspends while the peer does not keep up, throws when it is gone.
    func write(_ bytes: [UInt8]) async throws
    /// Says that nothing more will be sent; reading goes on.
    func closeWrite() async
    /// Ends both directions.
    func close() async
}

/// Answers requests. Its tasks run on the event loops: long computations belong in `offEventLoop`.
public protocol HTTPHandler: Sendable {
    /// Answers one request; the task is cancelled when the peer goes away.
    func respond(to request: HTTPRequest) async -> HTTPResponse
}

/// Runs `work` on the cooperative pool instead of the event loop that serves the request.
public func offEventLoop<Result: Sendable>(
    _ work: @escaping @Sendable () async throws -> Result
) async rethrows -> Result {
    try await withTaskExecutorPreference(globalConcurrentExecutor) { try await work() }
}
