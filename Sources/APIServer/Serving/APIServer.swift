import APIModel
import Access
import BuiltinKinds
import Channels
import DynamicAdmission
import HTTPTransport
import Logging
import Proxying
import Store
import Synchronization
import Units
import Values

/// The API server: an HTTP handler over a store. Works in process and behind `HTTPServer` alike.
///
/// Immutable but for `resources`, which a mutex guards as one snapshot, and for what its parts guard themselves.
public final class APIServer: HTTPHandler {
    let environment: ServerEnvironment
    let authenticator: any Authenticator
    let authorizer: any Authorizer
    let admission: AdmissionChain
    let tokens: ServiceAccountTokenIssuer?
    let tokenAuthenticator: (any TokenAuthenticator)?
    let kubelet: (any KubeletDialer)?
    let serviceProxy: (any ServiceDialer)?
    let deadlines = WatchDeadlines()
    let health: ServerHealth
    let services: ServiceAddresses
    let openAPI: OpenAPIDocuments
    let writeDeadlines = WriteDeadlines()
    let revisions: RevisionHistory
    /// The servers behind this one.
    let aggregation = AggregatedServices()
    /// Whose turn it is.
    let flowControl: FlowControl
    /// Held while flow control is told what the objects say.
    let loadingFlows = Mutex(())
    private let nodePods: NodePods?
    private let served: ServedResourcesBox
    let customResources: CustomResourceService

    /// What the server asks to know and to allow, built once its caches exist.
    public struct Security {
        /// Finds out who asks.
        public var authenticator: any Authenticator
        /// Checks tokens for TokenReview; nil answers that no token is known.
        public var tokenAuthenticator: (any TokenAuthenticator)?
        /// Decides who may.
        public var authorizer: any Authorizer
        /// Changes and refuses writes.
        public var admission: AdmissionChain

        /// The parts given.
        public init(
            authenticator: any Authenticator,
            tokenAuthenticator: (any TokenAuthenticator)? = nil,
            authorizer: any Authorizer,
            admission: AdmissionChain
        ) {
            self.authenticator = authenticator
            self.tokenAuthenticator = tokenAuthenticator
            self.authorizer = authorizer
            self.admission = admission
        }
    }

    /// A server that is not filled yet: call `start()`, and keep `run()` running.
    ///
    /// - Parameters:
    ///   - descriptors: The kinds served.
    ///   - security: Called once with the live view of the cluster that checks may consult.
    ///   - tokens: Signs service-account tokens; nil refuses TokenRequests.
    ///   - kubelet: How nodes are reached for logs, exec and proxies; nil answers 503.
    public init(
        store: any Store,
        descriptors: [KindDescriptor],
        clock: any ClusterClock,
        random: any RandomSource,
        configuration: APIServerConfiguration,
        security: (any ClusterLookup) -> Security,
        tokens: ServiceAccountTokenIssuer? = nil,
        kubelet: (any KubeletDialer)? = nil,
        serviceProxy: (any ServiceDialer)? = nil,
        logger: Logger = Logger(label: "apus.apiserver")
    ) {
        environment = ServerEnvironment(
            store: store,
            clock: clock,
            random: random,
            log: logger,
            metrics: ServerMetrics(),
            configuration: configuration
        )
        services = ServiceAddresses(
            network: configuration.serviceCIDR,
            ports: configuration.nodePorts,
            random: random
        )
        let resources = ServedResources(
            descriptors,
            environment: environment,
            steps: [.core("services"): ServiceStep(addresses: services)]
        )
        served = ServedResourcesBox(resources)
        let dialer = WebhookDialer(clock: clock, lookup: { [served] in CacheLookup(resources: served.value) })
        customResources = CustomResourceService(environment: environment, resources: served, dialer: dialer)
        nodePods = resources.engines[.core("pods")].map { NodePods(cache: $0.cache) }
        revisions = RevisionHistory(span: max(configuration.historyAge, configuration.eventAge))
        let parts = security(CacheLookup(resources: resources, nodePods: nodePods))
        authenticator = parts.authenticator
        tokenAuthenticator = parts.tokenAuthenticator
        authorizer = parts.authorizer
        let webhooks = AdmissionWebhooks(
            kinds: LiveKinds(served: served),
            lookup: CacheLookup(resources: resources),
            caller: DialedWebhooks(dialer: dialer),
            authorizer: parts.authorizer,
            random: random,
            clock: clock,
            log: logger
        )
        environment.metrics.add { webhooks.metrics.text() }
        let policies = AdmissionPolicies(
            kinds: LiveKinds(served: served),
            lookup: CacheLookup(resources: resources),
            authorizer: parts.authorizer
        )
        // Quotas come last: they charge for what all others let pass.
        let configured = [
            policies.authorization, policies.mutating, webhooks.mutating, policies.validating, webhooks.validating,
        ]
        admission = parts.admission.with(configured).followed(
            by: ResourceQuotaAdmission(
                ledger: QuotaObjects(resources: served, environment: environment),
                lookup: CacheLookup(resources: resources),
                clock: clock
            )
        )
        self.tokens = tokens
        self.kubelet = kubelet
        self.serviceProxy = serviceProxy
        health = ServerHealth()
        flowControl = FlowControl(
            seats: configuration.maxInFlight + configuration.maxMutatingInFlight,
            waitLimit: configuration.requestTimeout / 4,
            clock: { clock.monotonic },
            pause: { try? await clock.sleep(for: $0) }
        )
        openAPI = OpenAPIDocuments(version: configuration.gitVersion, clock: clock)
    }

    /// The resources being served.
    var resources: ServedResources { served.value }

    /// The live objects, for parts that assemble their own checks.
    public var lookup: any ClusterLookup { CacheLookup(resources: resources) }

    /// The discovery documents of the resources being served.
    var discovery: DiscoveryDocuments { resources.discovery }

    // MARK: Life

    /// How long the caches may take to fill.
    private static let fillLimit = Duration.seconds(60)

    /// Follows the store until cancelled: fills the caches, then keeps them, the watch deadlines and the bookmarks going.
    public func run() async {
        let resources = resources
        await withDiscardingTaskGroup { group in
            for engine in resources.engines.values { group.addTask { await engine.cache.run() } }
            if let nodePods { group.addTask { await nodePods.run() } }
            group.addTask { await self.customResources.run() }
            group.addTask { await self.tick() }
            group.addTask { await FlowObjects(server: self).follow() }
            group.addTask { await APIServiceObjects(server: self).follow() }
            group.addTask { await PolicyStatusService(server: self, kinds: LiveKinds(served: self.served)).follow() }
            group.addTask { await self.keepUp() }
        }
        deadlines.endAll()
    }

    /// Waits until the caches are filled (`run()` fills them), then makes what every cluster has: namespaces, priority
    /// classes, the `kubernetes` service. Afterwards the server is ready.
    public func start() async throws {
        let newest = try await environment.store.currentRevision()
        for engine in resources.engines.values {
            try await engine.cache.waitUntil(newest, within: Self.fillLimit)
        }
        try await customResources.waitUntilSynced()
        repairServices()
        try await BootstrapObjects(server: self).create()
        await RoleObjects(server: self).ensure()
        await FlowObjects(server: self).maintain()
        await APIServiceObjects(server: self).register()
        health.started()
    }

    /// Serves what another component of this process counts on `/metrics` too; `text` is Prometheus text.
    public func serveMetrics(_ text: @escaping @Sendable () -> String) {
        environment.metrics.add(text)
    }

    /// Takes note of how a component beside the server is, for `kubectl get componentstatuses`.
    ///
    /// - Parameters:
    ///   - component: `scheduler` or `controller-manager`.
    ///   - problem: What is wrong with it; nil when it works.
    public func report(component: String, problem: String?) {
        health.set(component, problem: problem)
    }

    /// Tells load balancers to stop sending requests; requests go on being served.
    public func prepareToStop() {
        health.stopping()
    }

    /// Ends all watches, so that the HTTP server can finish.
    public func endWatches() {
        deadlines.endAll()
    }

    private func repairServices() {
        guard let engine = resources.engines[.core("services")] else { return }
        let problems = services.repair(engine.cache.snapshot().compactMap { try? JSONParser.parse($0.bytes) })
        for problem in problems { environment.log.warning("service repaired", metadata: ["problem": "\(problem)"]) }
    }

    private func keepUp() async {
        let clock = environment.clock
        while !Task.isCancelled {
            await upkeep(now: clock.monotonic)
            guard (try? await clock.sleep(for: sampleInterval)) != nil else { return }
        }
    }

    private func tick() async {
        let clock = environment.clock
        var nextBookmark = clock.monotonic + environment.configuration.bookmarkInterval
        while !Task.isCancelled {
            guard (try? await clock.sleep(for: .seconds(1))) != nil else { return }
            let now = clock.monotonic
            deadlines.expire(now: now)
            writeDeadlines.sweep(now: now)
            flowControl.tick()
            guard now >= nextBookmark else { continue }
            nextBookmark = now + environment.configuration.bookmarkInterval
            for engine in resources.engines.values { engine.cache.requestBookmarks() }
        }
    }
}
