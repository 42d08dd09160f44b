/// One HTTP request with its whole body.
public struct HTTPRequest: Sendable {
    /// The protocol a request came by.
    public enum Version: String, Sendable, Hashable {
        /// HTTP/1.0
        case http10 = "HTTP/1.0"
        /// HTTP/1.1
        case http11 = "HTTP/1.1"
        /// HTTP/2
        case http2 = "HTTP/2.0"
    }

    /// `GET`, `POST` …
    public var method: String
    /// The path as it is on the wire: not percent-decoded, without the query.
    public var path: String
    /// The decoded query.
    public var query: QueryItems
    /// The header fields. HTTP/2's `:authority` appears as `host`.
    public var headers: HeaderFields
    /// The body; empty when `isBodyTooLarge`.
    public var body: [UInt8]
    /// Who sent it.
    public var peer: Peer
    /// The protocol version.
    public var version: Version
    /// The body exceeded the server's limit and was dropped: answer 413.
    public var isBodyTooLarge: Bool
    /// Server side: where the request's task runs (its connection's event loop); nil for the cooperative pool.
    public var executor: (any TaskExecutor)?
    /// Client side: how long to wait for the response head. Nil takes the transport's own limit.
    public var timeout: Duration?

    /// A request.
    public init(
        method: String = "GET",
        path: String,
        query: QueryItems = QueryItems(),
        headers: HeaderFields = HeaderFields(),
        body: [UInt8] = [],
        peer: Peer = Peer(),
        version: Version = .http11,
        timeout: Duration? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
        self.version = version
        self.timeout = timeout
        isBodyTooLarge = false
    }

    /// Whether the peer asks to switch protocols (`Connection: Upgrade` with an `Upgrade` field).
    public var isUpgrade: Bool {
        headers.contains("upgrade") && headers.hasToken("upgrade", in: "connection")
    }

    /// Path and query as they stand in the request line.
    public var target: String {
        query.isEmpty ? path : path + "?" + query.encoded
    }
}

/// The other end of a request.
public struct Peer: Sendable, Hashable {
    /// `address:port`, `[address]:port`, or the empty string in process.
    public var remoteAddress: String
    /// The identity of the client certificate, verified against the client CA.
    public var clientCertificate: ClientIdentity?
    /// The identity of a client certificate verified against the request-header (front-proxy) CA.
    public var proxyCertificate: ClientIdentity?
    /// Why a client certificate that was presented is not trusted.
    public var certificateProblem: String?
    /// The user a component of this process acts as. Never set for a request from a socket.
    public var inProcessUser: InProcessUser?
    /// Whether the connection is encrypted.
    public var isSecure: Bool

    /// A peer.
    public init(
        remoteAddress: String = "",
        clientCertificate: ClientIdentity? = nil,
        inProcessUser: InProcessUser? = nil,
        isSecure: Bool = false
    ) {
        self.remoteAddress = remoteAddress
        self.clientCertificate = clientCertificate
        self.inProcessUser = inProcessUser
        self.isSecure = isSecure
        proxyCertificate = nil
        certificateProblem = nil
    }
}

/// Who a verified client certificate names.
public struct ClientIdentity: Sendable, Hashable {
    /// The subject's common name: the user.
    public var commonName: String
    /// The subject's organizations: the groups.
    public var organizations: [String]
    /// The user's uid, from the subject attribute Kubernetes defines for it.
    public var uid: String?
    /// The SHA-256 of the certificate, as upper-case hex without the `SHA256=` prefix.
    public var fingerprint: String

    /// An identity.
    public init(commonName: String, organizations: [String] = [], uid: String? = nil, fingerprint: String = "") {
        self.commonName = commonName
        self.organizations = organizations
        self.uid = uid
        self.fingerprint = fingerprint
    }
}

/// The identity of a component that runs in the same process as the server.
public struct InProcessUser: Sendable, Hashable {
    /// The user name, such as `system:kube-scheduler`.
    public var name: String
    /// The groups, such as `system:masters`.
    public var groups: [String]

    /// An identity.
    public init(name: String, groups: [String] = []) {
        self.name = name
        self.groups = groups
    }
}
