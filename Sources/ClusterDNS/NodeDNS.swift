import APIClient
import Channels
import ControllerRuntime
import Logging
import Units

/// The DNS server of one node with everything around it: zone, forwarding, the Service that leads to it.
public final class NodeDNS: Sendable {
    /// What is particular to the cluster and the node.
    public struct Configuration: Sendable {
        /// The cluster's domain.
        public var domain: String
        /// The address that pods ask: the cluster address of the Service.
        public var clusterIP: IPAddress
        /// Where the server listens: an address of the node that pods can reach, not loopback.
        public var listenAddress: IPAddress
        /// The node's name.
        public var nodeName: String
        /// Whom to ask for other names; nil: whom the host asks.
        public var upstreams: [Forwarder.Server]?

        /// A configuration.
        public init(
            domain: String = "cluster.local",
            clusterIP: IPAddress,
            listenAddress: IPAddress,
            nodeName: String,
            upstreams: [Forwarder.Server]? = nil
        ) {
            self.domain = domain
            self.clusterIP = clusterIP
            self.listenAddress = listenAddress
            self.nodeName = nodeName
            self.upstreams = upstreams
        }
    }

    private static let usualPort = 53
    private static let hostConfiguration = "/etc/resolv.conf"
    /// How long until a server that could not begin is started again, at first and at most.
    private static let backoff = RetryBackoff(base: .milliseconds(100), limit: .seconds(30))

    private let configuration: Configuration
    private let engine: QueryEngine
    private let follower: ZoneFollower
    private let service: DNSService
    private let clock: any ClusterClock
    private let log: Logger

    /// Nothing happens before `run`, except that the informers are asked for. Throws when the domain is no name.
    public init(
        _ configuration: Configuration,
        informers: SharedInformers,
        client: APIClient,
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "cluster-dns")
    ) throws {
        guard let domain = DNSName(configuration.domain), !domain.labels.isEmpty else {
            throw DNSFormatError(description: "\(configuration.domain) is no domain name")
        }
        self.configuration = configuration
        self.clock = clock
        self.log = log
        let upstreams = configuration.upstreams ?? Self.hostUpstreams(log)
        // Asking ourselves would never end.
        let others = upstreams.filter {
            $0.address != configuration.clusterIP && $0.address != configuration.listenAddress || $0.port != 53
        }
        engine = QueryEngine(zone: DNSZone(domain: domain), upstream: Forwarder(servers: others), clock: clock)
        follower = ZoneFollower(engine, informers: informers)
        service = DNSService(
            client: client,
            clusterIP: configuration.clusterIP,
            nodeName: configuration.nodeName,
            clock: clock,
            log: log
        )
    }

    private static func hostUpstreams(_ log: Logger) -> [Forwarder.Server] {
        guard let bytes = try? AtomicFile.read(hostConfiguration) else {
            log.warning("no \(hostConfiguration): only names of the cluster can be answered")
            return []
        }
        return ResolverConfiguration(parsing: String(decoding: bytes, as: UTF8.self)).servers.map { Forwarder.Server($0) }
    }

    /// The counters so far.
    public var metrics: DNSMetrics { engine.metrics }

    /// Serves until the task is cancelled.
    public func run() async {
        guard (try? await follower.waitForSync()) != nil else { return }
        var failures = 0
        while !Task.isCancelled {
            do {
                try await serve()
                return
            } catch {
                log.error("cannot answer DNS queries", metadata: ["error": "\(error)"])
                try? await clock.sleep(for: Self.backoff.delay(failures: failures))
                failures += 1
            }
        }
    }

    private func serve() async throws {
        // The usual port stays the same over a restart, so that the service rules lead here again at once.
        let server = DNSServer(
            engine: engine,
            addresses: [configuration.listenAddress],
            port: Self.usualPort,
            orAnyPort: true,
            log: log
        )
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            group.addTask { [configuration, service] in
                let port = try await server.listeningPort()
                try await service.publish(address: configuration.listenAddress, port: port)
            }
            // The first failure ends both; the publication ends by itself.
            try await group.waitForAll()
        }
    }
}
