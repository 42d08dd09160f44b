import APIClient
import APIServer
import Access
import Bootstrap
import BuiltinKinds
import Channels
import ControllerRuntime
import Controllers
import HTTPTransport
import LegacyKinds
import Logging
import Proxying
import SQLiteStore
import Scheduler
import Units

/// The API server, the controllers and the scheduler in this process.
///
/// Its parts reach the API by a function call as the users they are everywhere else, and read the watch caches.
struct ControlPlane: Sendable {
    let configuration: ClusterConfiguration
    let directory: DataDirectory
    let address: IPAddress?
    let pki: ClusterPKI
    let server: APIServer
    private let store: SQLiteStore
    private let listener: HTTPServer
    /// Signs service-account tokens.
    private let tokens: ServiceAccountTokenIssuer
    private let tokenTracking: TokenSecretTracking
    /// What controllers, scheduler, proxy and DNS know of the cluster: one set for the whole process.
    let informers: SharedInformers
    /// The threads of every socket of this process.
    let eventLoops: EventLoopThreads
    /// This node's kubelet's side of TLS.
    private let kubeletTLS: Signal<TLSServer?>
    private let logger = Logger(label: "apus")
    private static let issuer = "https://kubernetes.default.svc.cluster.local"

    /// Opens the store, loads or makes the certificates, writes the kubeconfigs.
    init(_ configuration: ClusterConfiguration, _ directory: DataDirectory, address: IPAddress?, nodeName: String) async throws {
        guard let services = configuration.serviceCIDR else { throw StartError(message: "no service addresses") }
        self.configuration = configuration
        self.directory = directory
        self.address = address
        async let opened = SQLiteStore.open(directory: directory.database)
        pki = try ClusterPKI(
            PKIConfiguration(
                directory: directory.pki,
                nodeName: nodeName,
                serviceAddress: services.address(at: 1),
                addresses: address.map { [$0] } ?? [],
                domain: configuration.clusterDomain
            ),
            now: SystemClock().now
        )
        kubeletTLS = Signal(pki.kubeletTLS)
        store = try await opened
        var settings = APIServerConfiguration(
            serviceCIDR: services,
            advertiseAddress: address?.description ?? "",
            advertisePort: configuration.httpsPort,
            gitVersion: "\(Version.kubernetes)+apus.\(Version.apus)"
        )
        settings.serviceAccountIssuer = Self.issuer
        settings.maxInFlight = configuration.maxRequestsInFlight
        settings.maxMutatingInFlight = configuration.maxMutatingRequestsInFlight
        settings.historyAge = configuration.historyAge
        settings.frontProxy = FrontProxy(
            clientCAPEM: pki.authority.certificatePEM,
            requestHeaderCAPEM: pki.frontProxyAuthority.certificatePEM,
            client: { [pki] in pki.client(.frontProxyClient) }
        )
        eventLoops = EventLoopThreads()
        let clock = SystemClock()
        let signing = try TokenSigningKey(pem: pki.serviceAccountKeyPEM)
        tokens = ServiceAccountTokenIssuer(issuer: Self.issuer, key: signing, clock: clock, random: SystemRandom())
        tokenTracking = TokenSecretTracking(clock: clock)
        let authenticator: @Sendable (any ClusterLookup) -> ServiceAccountAuthenticator = { [tokenTracking] lookup in
            ServiceAccountAuthenticator(
                issuers: [Self.issuer],
                audiences: [Self.issuer],
                keys: [signing.verification],
                lookup: lookup,
                clock: clock,
                secretUsed: { tokenTracking.note($0) }
            )
        }
        server = Self.makeServer(store, pki, settings, eventLoops, tokens: tokens, authenticator)
        informers = SharedInformers(source: CacheSource(server: server))
        listener = try HTTPServer(
            configuration: HTTPServerConfiguration(
                host: "0.0.0.0",
                port: configuration.httpsPort,
                tls: pki.apiServerTLS,
                eventLoops: eventLoops,
                name: "api"
            ),
            handler: server
        )
    }

    private static func makeServer(
        _ store: SQLiteStore,
        _ pki: ClusterPKI,
        _ settings: APIServerConfiguration,
        _ eventLoops: EventLoopThreads,
        tokens: ServiceAccountTokenIssuer,
        _ serviceAccounts: @escaping @Sendable (any ClusterLookup) -> ServiceAccountAuthenticator
    ) -> APIServer {
        let clock = SystemClock()
        let random = SystemRandom()
        return APIServer(
            store: store,
            descriptors: LegacyKinds.extend(BuiltinKinds.descriptors()),
            clock: clock,
            random: random,
            configuration: settings,
            security: { lookup in
                let accounts = serviceAccounts(lookup)
                let roles = RBACAuthorizer(lookup: lookup)
                let authorizer = AuthorizerChain([
                    PrivilegedGroupAuthorizer(), NodeAuthorizer(lookup: lookup), ComponentAuthorizer(), JoinAuthorizer(),
                    BasicAuthorizer(), roles,
                ])
                return APIServer.Security(
                    authenticator: AuthenticatorChain([
                        RequestHeaderAuthenticator(allowedNames: ["front-proxy-client"]), InProcessAuthenticator(),
                        ClientCertificateAuthenticator(),
                        BearerTokenAuthenticator([accounts, BootstrapTokenAuthenticator(lookup: lookup, clock: clock)]),
                    ]),
                    tokenAuthenticator: accounts,
                    authorizer: authorizer,
                    admission: .builtIn(lookup: lookup, random: random, authorizer: authorizer)
                        .followed(by: RoleEscalation(authorizer: roles, others: authorizer))
                )
            },
            tokens: tokens,
            kubelet: HTTPDialer(tls: pki.client(.apiServerKubeletClient), eventLoops: eventLoops),
            serviceProxy: HTTPDialer(tls: TLSClient(isInsecure: true), eventLoops: eventLoops)
        )
    }

    /// A client of the API in this process, as a user that authorization knows.
    func client(_ user: String, groups: [String] = [], agent: String? = nil) -> APIClient {
        let transport = InProcessTransport(handler: server, user: InProcessUser(name: user, groups: groups))
        // The agent's name is the manager of the fields it writes: upstream's are the programs' names.
        let name = user.hasPrefix("system:node:") ? "kubelet" : user.hasPrefix("system:") ? String(user.dropFirst(7)) : user
        return APIClient(transport: transport, userAgent: agent ?? name)
    }

    /// The watch caches as a source of informers.
    var source: CacheSource { CacheSource(server: server) }

    /// Serves until cancelled. `started` is called when the API is ready.
    func run(started: @Sendable () -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.server.run() }
            group.addTask { try await self.listener.run() }
            do {
                _ = try await listener.listeningPort()
            } catch  where "\(error)".contains("Address already in use") {
                throw StartError(message: "port \(configuration.httpsPort) is in use by another process; choose another with --https-port")
            }
            try await server.start()
            try writeKubeconfigs()
            started()
            group.addTask { await self.informers.run() }
            let controllers = controllers
            server.serveMetrics { ComponentMetrics.text(queues: controllers.queueMetrics) }
            group.addTask { await self.runReporting("controller-manager") { await controllers.run() } }
            let scheduler = SchedulerService(client: client("system:kube-scheduler"), informers: informers)
            server.serveMetrics { scheduler.metricsText() }
            group.addTask {
                await self.runReporting("scheduler") { await scheduler.run() }
            }
            group.addTask { await self.renewal.run() }
            group.addTask { await MemoryReturn(clock: SystemClock()).run() }
            group.addTask {
                await self.tokenTracking.run(self.client("system:apiserver", groups: ["system:masters"], agent: "kube-apiserver"))
            }
            group.addTask { await self.signing.run() }
            if let tokens = bootstrapTokens { group.addTask { await tokens.run() } }
            do {
                while try await group.next() != nil {}
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    /// Runs a component; the API server tells whether it is running.
    private func runReporting(_ component: String, _ body: @Sendable () async -> Void) async {
        server.report(component: component, problem: nil)
        await body()
        server.report(component: component, problem: "stopped")
    }

    /// Before the end: watches are told to go elsewhere, so that connections drain.
    func prepareToStop() {
        server.prepareToStop()
        server.endWatches()
    }

    /// After the end: everything acknowledged is on disk.
    func close() async {
        await store.close()
    }

    private var controllers: ControllerSet {
        let client = client("system:kube-controller-manager")
        var settings = ControllerConfiguration()
        settings.rootCA = pki.authority.certificatePEM
        let tokens = tokens
        settings.signToken = { namespace, account, uid, secret throws in
            try tokens.issue(namespace: namespace, serviceAccount: TokenBinding(name: account, uid: uid), secret: secret)
        }
        settings.clusterCIDRs = configuration.clusterCIDR.map { [$0] } ?? []
        return ControllerSet.all(
            client: client,
            informers: informers,
            recorder: { EventRecorder(client: client, component: $0) },
            configuration: settings
        )
    }

    /// The components' and the administrator's kubeconfigs, and the file that was asked for.
    private func writeKubeconfigs() throws {
        try KubeconfigFiles(dataDirectory: directory.path).write(pki, server: "https://127.0.0.1:\(configuration.httpsPort)")
        if configuration.kubeconfig != nil { _ = try Kubeconfigs.publish(configuration, directory) }
    }

    /// New certificates reach the listener and the kubeconfigs without a restart.
    private var renewal: CertificateRenewal {
        CertificateRenewal(pki: pki) { [self] _ in
            do {
                try listener.reloadTLS(pki.apiServerTLS)
                kubeletTLS.set(pki.kubeletTLS)
                try writeKubeconfigs()
            } catch {
                logger.error("renewed certificates not taken", metadata: ["error": "\(error)"])
            }
        }
    }

    // MARK: nodes

    /// What the node in this process is given.
    func node(_ name: String) -> NodeSeams {
        let administrator = client("apus:server", groups: ["system:masters"])
        return NodeSeams(
            address: address,
            kubelet: client("system:node:\(name)", groups: ["system:nodes"]),
            dns: administrator,
            source: source,
            informers: informers,
            eventLoops: eventLoops,
            serving: kubeletTLS,
            labelling: administrator
        )
    }

    /// Signs the certificates of nodes that join.
    private var signing: CertificateSigning {
        CertificateSigning(
            authority: pki.authority,
            // Only this controller may approve and sign.
            client: client(
                "system:serviceaccount:kube-system:certificate-controller",
                groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
                agent: "kube-controller-manager"
            ),
            informers: informers,
            services: configuration.serviceCIDR.map { [$0] } ?? []
        )
    }

    /// Tells joining machines what they need to know; nil where this machine has no address to come to.
    private var bootstrapTokens: BootstrapTokens? {
        guard let address, let pods = configuration.clusterCIDR, let services = configuration.serviceCIDR else { return nil }
        return BootstrapTokens(
            client: client("system:kube-controller-manager"),
            source: source,
            server: "https://\(address):\(configuration.httpsPort)",
            authorityPEM: pki.authority.certificatePEM,
            settings: ClusterSettings(
                clusterCIDR: pods,
                serviceCIDR: services,
                clusterDNS: configuration.dnsAddress,
                clusterDomain: configuration.clusterDomain
            )
        )
    }
}
