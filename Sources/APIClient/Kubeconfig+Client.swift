import HTTPTransport

extension Kubeconfig {
    /// How a context's server is reached.
    public struct Connection: Sendable {
        /// The transport; shut it down when done.
        public var transport: HTTPClient
        /// What goes with every request.
        public var headers: HeaderFields
        /// The context's namespace.
        public var namespace: String
    }

    /// Makes a transport for a context; nil takes the current one. Throws when the context is not whole.
    public func makeTransport(
        context name: String? = nil,
        limits: HTTPClientConfiguration.Limits = HTTPClientConfiguration.Limits(),
        eventLoops: EventLoopThreads? = nil
    ) throws -> Connection {
        let name = name ?? currentContext
        guard let context = context(name) else {
            throw TransportError(.badConfiguration, "the kubeconfig has no context \"\(name)\"")
        }
        guard let cluster = try cluster(context.cluster), !cluster.server.isEmpty else {
            throw TransportError(.badConfiguration, "the context \"\(name)\" has no cluster \"\(context.cluster)\"")
        }
        let user = try user(context.user) ?? User()
        var headers = HeaderFields()
        if let token = user.token { headers.append("Authorization", "Bearer \(token)") }
        let tls = TLSClient(
            caPEM: cluster.caPEM,
            certificateChainPEM: user.clientCertificatePEM,
            keyPEM: user.clientKeyPEM,
            serverName: cluster.tlsServerName,
            isInsecure: cluster.isInsecure
        )
        let configuration = try HTTPClientConfiguration(
            url: cluster.server,
            tls: tls,
            limits: limits,
            eventLoops: eventLoops
        )
        return Connection(
            transport: try HTTPClient(configuration: configuration),
            headers: headers,
            namespace: context.namespace ?? "default"
        )
    }

    /// Makes an API client for a context; nil takes the current one.
    public func makeClient(context: String? = nil, userAgent: String = "apus") throws -> APIClient {
        let connection = try makeTransport(context: context)
        return APIClient(transport: connection.transport, userAgent: userAgent, headers: connection.headers)
    }
}
