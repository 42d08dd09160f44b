import HTTPTransport
import Synchronization

/// Where a node's kubelet listens.
public struct KubeletEndpoint: Sendable, Hashable {
    /// The node.
    public var node: String
    /// The node's address.
    public var host: String
    /// The kubelet's port.
    public var port: Int

    /// An endpoint.
    public init(node: String, host: String, port: Int) {
        self.node = node
        self.host = host
        self.port = port
    }
}

/// Reaches kubelets, with the API server's client certificate.
public protocol KubeletDialer: Sendable {
    /// A transport to a kubelet. Called for each request; implementations keep connections.
    func transport(to endpoint: KubeletEndpoint) async throws -> any APITransport
}

/// Reaches pods and services for the proxy subresources.
public protocol ServiceDialer: Sendable {
    /// A transport to `scheme://host:port`.
    func transport(scheme: String, host: String, port: Int) async throws -> any APITransport
}

/// Dials with `HTTPClient` and keeps one client per target. Guarded by its mutex.
public final class HTTPDialer: KubeletDialer, ServiceDialer {
    private struct Target: Hashable {
        let scheme: String
        let host: String
        let port: Int
    }

    private static let maxClients = 256
    private let tls: TLSClient
    private let eventLoops: EventLoopThreads?
    private let clients = Mutex<[Target: HTTPClient]>([:])

    /// A dialer that shows `tls` to its targets.
    public init(tls: TLSClient, eventLoops: EventLoopThreads? = nil) {
        self.tls = tls
        self.eventLoops = eventLoops
    }

    /// A transport to the kubelet, kept for the next request.
    public func transport(to endpoint: KubeletEndpoint) async throws -> any APITransport {
        try await transport(scheme: "https", host: endpoint.host, port: endpoint.port)
    }

    /// A transport to the target, kept for the next request.
    public func transport(scheme: String, host: String, port: Int) async throws -> any APITransport {
        let target = Target(scheme: scheme, host: host, port: port)
        if let known = clients.withLock({ $0[target] }) { return known }
        let configuration = HTTPClientConfiguration(
            address: .tcp(host: host, port: port),
            tls: scheme == "https" ? tls : nil,
            eventLoops: eventLoops
        )
        let client = try HTTPClient(configuration: configuration)
        return clients.withLock { clients in
            if let known = clients[target] { return known }
            if clients.count >= Self.maxClients { clients.removeAll() }
            clients[target] = client
            return client
        }
    }
}
