/// What an HTTP server listens on and its limits.
public struct HTTPServerConfiguration: Sendable {
    /// Where to listen: an address such as `0.0.0.0` or `::`. Ignored with `unixSocketPath`.
    public var host: String
    /// The port; 0 takes a free one.
    public var port: Int
    /// Listen on this unix socket instead.
    public var unixSocketPath: String?
    /// TLS; nil serves plain HTTP/1.1.
    public var tls: TLSServer?
    /// The limits.
    public var limits: Limits
    /// The threads; nil makes two of the server's own.
    public var eventLoops: EventLoopThreads?
    /// Whether handlers run on the connection's event loop (fast) or on the cooperative pool.
    public var runsHandlersOnEventLoops: Bool
    /// A name for the log.
    public var name: String

    /// A configuration.
    public init(
        host: String = "127.0.0.1",
        port: Int = 0,
        tls: TLSServer? = nil,
        limits: Limits = Limits(),
        eventLoops: EventLoopThreads? = nil,
        name: String = "http"
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.limits = limits
        self.eventLoops = eventLoops
        self.name = name
        unixSocketPath = nil
        runsHandlersOnEventLoops = true
    }

    /// Bounds of every buffer and wait of a server.
    public struct Limits: Sendable {
        /// Request body bytes; above it the handler sees `isBodyTooLarge`.
        public var bodyBytes = 3 * 1024 * 1024
        /// Bytes of all header fields of a request; above it 431.
        public var headerBytes = 1024 * 1024
        /// Connections open at once; more wait in the kernel's backlog.
        public var connections = 20_000
        /// Streams of one HTTP/2 connection; upstream's default is 100, ours serves more watches on one.
        public var concurrentStreams = 1_000
        /// From accept to the end of the TLS handshake.
        public var handshake = Duration.seconds(10)
        /// From a request's first byte to the end of its head.
        public var requestHead = Duration.seconds(32)
        /// Between two arrivals of bytes while a request body is read.
        public var requestBody = Duration.seconds(60)
        /// A connection without a request.
        public var idle = Duration.seconds(90)
        /// A peer that takes none of the bytes that wait for it.
        public var stalledWrite = Duration.seconds(60)
        /// Silence on an HTTP/2 connection with open streams after which it is probed by a PING.
        public var probeAfter = Duration.seconds(30)
        /// How long the answer to a probe may take before the peer is taken for gone.
        public var probeTimeout = Duration.seconds(15)
        /// How long a TCP peer may acknowledge nothing of what is under way to it before it is taken for gone.
        public var unacknowledged = Duration.seconds(45)
        /// How long requests in flight may go on after shutdown began.
        public var drain = Duration.seconds(10)
        /// Response bytes not yet taken by the peer above which a write suspends.
        public var responseHighWater = 256 * 1024

        /// The defaults.
        public init() {}
    }
}

/// The TLS side of a server.
public struct TLSServer: Sendable {
    /// The server's certificate and its intermediates.
    public var certificateChainPEM: String
    /// The private key.
    public var keyPEM: String
    /// The authorities of client certificates. With them a client may present one; it never must.
    public var clientCAPEM: String?
    /// The authorities of front proxies (aggregation's request headers).
    public var requestHeaderCAPEM: String?
    /// The protocols offered by ALPN, best first.
    public var protocols: [String]

    /// A TLS side.
    public init(
        certificateChainPEM: String,
        keyPEM: String,
        clientCAPEM: String? = nil,
        requestHeaderCAPEM: String? = nil,
        protocols: [String] = ["h2", "http/1.1"]
    ) {
        self.certificateChainPEM = certificateChainPEM
        self.keyPEM = keyPEM
        self.clientCAPEM = clientCAPEM
        self.requestHeaderCAPEM = requestHeaderCAPEM
        self.protocols = protocols
    }
}
