/// A way to reach an HTTP server: a socket, or a handler in the same process.
public protocol APITransport: Sendable {
    /// Sends a request and returns once the response's head is there; the body follows as a sequence.
    func send(_ request: HTTPRequest) async throws -> ClientResponse
    /// Sends a request that asks to switch protocols. With a status other than 101 the stream is empty and closed.
    func upgrade(_ request: HTTPRequest) async throws -> (ClientResponse, any DuplexByteStream)
}

/// A response as the client sees it.
public struct ClientResponse: Sendable {
    /// The status code.
    public var status: Int
    /// The header fields.
    public var headers: HeaderFields
    /// The body as it arrives. Dropping it unread aborts the request.
    public var body: ResponseBody

    /// A response.
    public init(status: Int, headers: HeaderFields, body: ResponseBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Whether the status is 2xx.
    public var isSuccess: Bool { (200..<300).contains(status) }
}

/// A failure of the transport itself; what a server answers is never one.
public struct TransportError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure.
    public enum Code: String, Sendable {
        /// The connection could not be made.
        case connectFailed
        /// The TLS handshake failed or the peer's certificate is not trusted.
        case tlsFailed
        /// The connection ended before the message did.
        case closed
        /// A deadline passed.
        case timedOut
        /// The peer broke the protocol.
        case protocolViolation
        /// A limit of ours was exceeded.
        case tooLarge
        /// A setting (certificate, key, address) is unusable.
        case badConfiguration
        /// The peer refused the upgrade.
        case upgradeRefused
    }

    /// What kind of failure.
    public var code: Code
    /// What failed, with the peer's name.
    public var message: String
    /// Whether the request certainly never reached the peer's handler, so sending it again is safe.
    public var isSafeToRetry: Bool

    /// A failure.
    public init(_ code: Code, _ message: String, isSafeToRetry: Bool = false) {
        self.code = code
        self.message = message
        self.isSafeToRetry = isSafeToRetry
    }

    /// The message.
    public var description: String { message }
}
