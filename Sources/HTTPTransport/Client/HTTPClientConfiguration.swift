/// Where an HTTP client connects and its limits.
public struct HTTPClientConfiguration: Sendable {
    /// Where the server is.
    public enum Address: Sendable, Hashable {
        /// A host name or address, and a port.
        case tcp(host: String, port: Int)
        /// A unix socket.
        case unix(path: String)
    }

    /// Where the server is.
    public var address: Address
    /// TLS; nil speaks plain HTTP/1.1.
    public var tls: TLSClient?
    /// The limits.
    public var limits: Limits
    /// The threads; nil makes one of the client's own.
    public var eventLoops: EventLoopThreads?
    /// Sent as `Host` / `:authority`; nil derives it from the address.
    public var authority: String?
    /// Put in front of every request's path, from a base URL such as `https://host/prefix`.
    public var pathPrefix: String

    /// A configuration.
    public init(
        address: Address,
        tls: TLSClient? = nil,
        limits: Limits = Limits(),
        eventLoops: EventLoopThreads? = nil
    ) {
        self.address = address
        self.tls = tls
        self.limits = limits
        self.eventLoops = eventLoops
        authority = nil
        pathPrefix = ""
    }

    /// A configuration from a URL (`http://`, `https://`, `unix://`). `tls` adds certificates for `https`.
    public init(
        url: String,
        tls: TLSClient = TLSClient(),
        limits: Limits = Limits(),
        eventLoops: EventLoopThreads? = nil
    ) throws {
        let parts = try ServerURL(url)
        switch parts.scheme {
        case .unix:
            self.init(address: .unix(path: parts.path), limits: limits, eventLoops: eventLoops)
            return
        case .http:
            self.init(address: .tcp(host: parts.host, port: parts.port), limits: limits, eventLoops: eventLoops)
        case .https:
            self.init(address: .tcp(host: parts.host, port: parts.port), tls: tls, limits: limits, eventLoops: eventLoops)
        }
        pathPrefix = parts.path == "/" ? "" : parts.path
    }

    /// Bounds of every buffer and wait of a client.
    public struct Limits: Sendable {
        /// Connections open at once; requests beyond wait.
        public var connections = 64
        /// Requests that may wait for a connection.
        public var waiting = 4_096
        /// Streams this client opens on one HTTP/2 connection before it opens another.
        public var streamsPerConnection = 250
        /// From the start of connecting to the end of the TLS handshake.
        public var connect = Duration.seconds(10)
        /// From sending a request to the response's head, when the request has no timeout of its own. Nil waits.
        public var responseHead: Duration? = .seconds(60)
        /// How long a connection without a request is kept.
        public var idle = Duration.seconds(60)
        /// Response bytes not yet consumed above which the peer is told to wait.
        public var responseHighWater = 256 * 1024
        /// Silence on an HTTP/2 connection with open streams after which it is probed by a PING.
        public var probeAfter = Duration.seconds(30)
        /// How long the answer to a probe may take before the server is taken for gone.
        public var probeTimeout = Duration.seconds(15)
        /// How long a TCP peer may acknowledge nothing of what is under way to it before it is taken for gone.
        public var unacknowledged = Duration.seconds(45)

        /// The defaults.
        public init() {}
    }
}

/// The TLS side of a client.
public struct TLSClient: Sendable {
    /// The authorities the server's certificate must come from; nil takes the system's.
    public var caPEM: String?
    /// The client's certificate and its intermediates.
    public var certificateChainPEM: String?
    /// The client's private key.
    public var keyPEM: String?
    /// The name the server's certificate must carry; nil takes the host.
    public var serverName: String?
    /// Accept any certificate.
    public var isInsecure: Bool
    /// The protocols offered by ALPN, best first.
    public var protocols: [String]

    /// A TLS side.
    public init(
        caPEM: String? = nil,
        certificateChainPEM: String? = nil,
        keyPEM: String? = nil,
        serverName: String? = nil,
        isInsecure: Bool = false,
        protocols: [String] = ["h2", "http/1.1"]
    ) {
        self.caPEM = caPEM
        self.certificateChainPEM = certificateChainPEM
        self.keyPEM = keyPEM
        self.serverName = serverName
        self.isInsecure = isInsecure
        self.protocols = protocols
    }
}

/// The parts of a server's URL.
public struct ServerURL: Sendable, Hashable {
    /// The schemes a server is reached by.
    public enum Scheme: String, Sendable {
        /// Plain HTTP.
        case http
        /// HTTP over TLS.
        case https
        /// Plain HTTP over a unix socket.
        case unix
    }

    /// The scheme.
    public var scheme: Scheme
    /// The host without brackets.
    public var host: String
    /// The port, or the scheme's own.
    public var port: Int
    /// The path, at least `/`; the socket's path for `unix`.
    public var path: String

    /// Reads a URL; a text without scheme is `https` when it says nothing else.
    public init(_ text: String) throws {
        let separator = "://"
        var rest = Substring(text)
        scheme = .https
        if let range = text.firstRange(of: separator) {
            guard let known = Scheme(rawValue: text[..<range.lowerBound].lowercased()) else {
                throw TransportError(.badConfiguration, "unsupported scheme in URL \"\(text)\"")
            }
            scheme = known
            rest = text[range.upperBound...]
        }
        if scheme == .unix {
            host = ""
            port = 0
            path = String(rest)
            return
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        path = slash == rest.endIndex ? "/" : String(rest[slash...])
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let portText: Substring?
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let after = authority[authority.index(after: end)...]
            portText = after.hasPrefix(":") ? after.dropFirst() : nil
        } else if let colon = authority.lastIndex(of: ":") {
            host = String(authority[..<colon])
            portText = authority[authority.index(after: colon)...]
        } else {
            host = String(authority)
            portText = nil
        }
        let ordinary = scheme == .https ? 443 : 80
        guard !host.isEmpty, let number = portText.map({ Int($0) }) ?? ordinary, (1...65_535).contains(number) else {
            throw TransportError(.badConfiguration, "bad host or port in URL \"\(text)\"")
        }
        port = number
    }
}
