import HTTPTransport

/// What makes this server a front proxy of others, and others believe it.
public struct FrontProxy: Sendable {
    /// The authority of client certificates, PEM, published for other servers.
    public var clientCAPEM: String
    /// The authority of front proxies' certificates, PEM, published for other servers.
    public var requestHeaderCAPEM: String
    /// The common names of front proxies.
    public var allowedNames: [String]
    /// The certificate shown to other servers; asked for again after a renewal.
    public var client: @Sendable () -> TLSClient

    /// A front proxy.
    public init(
        clientCAPEM: String,
        requestHeaderCAPEM: String,
        allowedNames: [String] = ["front-proxy-client"],
        client: @escaping @Sendable () -> TLSClient
    ) {
        self.clientCAPEM = clientCAPEM
        self.requestHeaderCAPEM = requestHeaderCAPEM
        self.allowedNames = allowedNames
        self.client = client
    }
}
