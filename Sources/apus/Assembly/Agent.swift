import APIClient
import APIModel
import APITypes
import Access
import Bootstrap
import Channels
import ControllerRuntime
import HTTPTransport
import Logging
import Units

/// How a machine finds and joins its cluster.
struct JoinConfiguration: Sendable, Equatable {
    /// The API's URL; nil: the one joined before.
    var server: String?
    /// The token to join with.
    var token: BootstrapToken?
    /// The hashes of the authority's public key, of which one must fit.
    var authorityHashes: [String] = []
    /// A kubeconfig with the right to ask for a node's certificate, instead of a token.
    var bootstrapKubeconfig: String?
}

/// One more node of a cluster whose control plane runs elsewhere, until a signal comes.
struct Agent: Sendable {
    let configuration: ClusterConfiguration
    let join: JoinConfiguration
    private let directory: DataDirectory
    private let eventLoops = EventLoopThreads()
    private let logger = Logger(label: "apus")

    private static let backoff = RetryBackoff(base: .milliseconds(500), limit: .seconds(10))
    private static let settingsFile = "cluster.conf"

    init(_ configuration: ClusterConfiguration, _ join: JoinConfiguration) {
        self.configuration = configuration
        self.join = join
        directory = DataDirectory(configuration.dataDirectory)
    }

    /// Runs until `signal`, or until a part fails.
    /// - Throws: what keeps the node from joining, in words for the user.
    func run(until signal: TerminationSignal) async throws {
        try directory.lock()
        logger.info("starting", metadata: ["version": "\(Version.text)", "data-dir": "\(directory.path)"])
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.serve() }
                group.addTask {
                    let number = try await signal.wait()
                    self.logger.info("signal received, stopping", metadata: ["signal": "\(number)"])
                    throw CancellationError()
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {}
        FileBytes.remove(directory.pidFile)
        logger.info("stopped")
    }

    private func serve() async throws {
        let credentials = try await retrying("cannot join yet") { try await self.credentials() }
        let settings = try await retrying("the cluster's settings cannot be read") { try await self.settings(credentials) }
        var node = configuration
        node.clusterCIDR = settings.clusterCIDR
        node.serviceCIDR = settings.serviceCIDR
        node.clusterDNS = settings.clusterDNS
        node.clusterDomain = settings.clusterDomain
        let address = configuration.nodeIP ?? Host.address(ignoring: NodeParts.linkPrefix)
        let informers = SharedInformers(source: TransportSource(credentials.client))
        let serving = Signal<TLSServer?>(nil)
        let seams = NodeSeams(
            address: address,
            kubelet: credentials.client,
            dns: credentials.client,
            source: nil,
            informers: informers,
            eventLoops: eventLoops,
            serving: serving,
            labelling: nil
        )
        let parts = NodeParts(seams: seams, configuration: node, directory: directory, nodeName: credentials.nodeName)
        logger.info("joined", metadata: ["node": "\(credentials.nodeName)", "server": "\(credentials.server)"])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await informers.run() }
            group.addTask { await credentials.run(addresses: address.map { [$0] } ?? [], serving: serving) }
            group.addTask { try await parts.run(Signal(true)) }
            do {
                while try await group.next() != nil {}
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    /// Tries until it works; what cannot be helped by trying again ends it.
    private func retrying<T: Sendable>(_ problem: String, _ body: @Sendable () async throws -> T) async throws -> T {
        var failures = 0
        while true {
            do {
                return try await body()
            } catch let error where !Self.isFinal(error) {
                logger.warning("\(problem)", metadata: ["error": "\(error)"])
                try await SystemClock().sleep(for: Self.backoff.delay(failures: failures))
                failures += 1
            }
        }
    }

    /// Only what the network or the server may do otherwise next time is tried again.
    private static func isFinal(_ error: any Error) -> Bool {
        switch error {
        case is APIError, is DeadlineExceeded: false
        case let error as JoinError: error.isFinal
        case let error as TransportError: error.code == .badConfiguration
        default: true
        }
    }

    // MARK: joining

    /// The credentials of before, or new ones.
    private func credentials() async throws -> NodeCredentials {
        let now = SystemClock().now
        if let known = try NodeCredentials.load(directory: directory.path, server: join.server, eventLoops: eventLoops, now: now) {
            if let name = configuration.nodeName, name != known.nodeName {
                throw StartError(message: "\(directory.path) belongs to the node \(known.nodeName), not \(name)")
            }
            return known
        }
        let (server, authority, client) = try await bootstrap()
        return try await NodeCredentials.join(
            directory: directory.path,
            nodeName: configuration.nodeName ?? Host.name,
            server: server,
            authorityPEM: authority,
            bootstrap: client,
            eventLoops: eventLoops
        )
    }

    /// A client that may ask for a node's certificate, of a server that is known to be the right one.
    private func bootstrap() async throws -> (server: String, authorityPEM: String, APIClient) {
        if let path = join.bootstrapKubeconfig {
            guard let file = try Kubeconfig.load(path), let context = file.context(file.currentContext),
                let cluster = try file.cluster(context.cluster), let authority = cluster.caPEM
            else { throw StartError(message: "\(path) has no current context with a server and its authority") }
            return (join.server ?? cluster.server, authority, try file.makeClient(userAgent: "apus-agent"))
        }
        guard let server = join.server, let token = join.token else {
            throw StartError(
                message: "this machine has not joined a cluster yet, or its certificate has expired: "
                    + "--server and --token are needed. On the server, 'apus token create' prints them."
            )
        }
        let authority = try await ClusterDiscovery(server: server, token: token, hashes: join.authorityHashes).authorityPEM()
        let transport = try HTTPClient(
            configuration: HTTPClientConfiguration(url: server, tls: TLSClient(caPEM: authority), eventLoops: eventLoops)
        )
        let client = APIClient(transport: transport, userAgent: "apus-agent", headers: ["Authorization": "Bearer \(token)"])
        return (server, authority, client)
    }

    /// What the cluster tells its nodes; a copy is kept, so that the node starts while the API is away.
    private func settings(_ credentials: NodeCredentials) async throws -> ClusterSettings {
        let path = "\(directory.path)/\(Self.settingsFile)"
        do {
            let place = JoinAuthorizer.clusterSettings
            let map: ConfigMap = try await withDeadline(.seconds(10)) {
                try await credentials.client.get(namespace: place.namespace, name: place.name)
            }
            let settings = try ClusterSettings(data: map.data)
            try FileBytes.write(path, map.data.map { "\($0)=\($1)\n" }.sorted().joined())
            return settings
        } catch {
            guard let text = FileBytes.text(path) else { throw error }
            let pairs = text.split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            logger.warning("the API does not answer, going on with what it told before", metadata: ["error": "\(error)"])
            return try ClusterSettings(data: Dictionary(pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { $1 })
        }
    }
}
