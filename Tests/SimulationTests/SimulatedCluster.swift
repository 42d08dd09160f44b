import APIClient
import APIModel
import APIServer
import APITypes
import Access
import BuiltinKinds
import Channels
import ControllerRuntime
import Controllers
import HTTPTransport
import Logging
import Store
import Synchronization
import Testing
import Units
import Values

/// The real API server over a memory store with the real controllers, on a clock of our own. Pods are made to run by
/// `HollowNodes`.
final class SimulatedCluster: Sendable {
    let clock = ManualClock()
    let random: SeededRandom
    let store = MemoryStore()
    let server: APIServer
    let client: APIClient
    let nodes: HollowNodes
    private let own: APIClient
    private let configuration: ControllerConfiguration
    private let controllers = Mutex<Task<Void, Never>?>(nil)

    init(
        seed: UInt64,
        nodes names: [String] = ["n1", "n2", "n3"],
        configure: (inout ControllerConfiguration) -> Void = { _ in }
    ) throws {
        random = SeededRandom(seed: seed)
        let clock = clock
        let random = random
        let network = try #require(CIDR("10.96.0.0/16"))
        let server = APIServer(
            store: store,
            descriptors: SimulatedKinds.all,
            clock: clock,
            random: random,
            configuration: APIServerConfiguration(serviceCIDR: network, advertiseAddress: "192.168.1.1"),
            security: { lookup in
                APIServer.Security(
                    authenticator: AuthenticatorChain([InProcessAuthenticator()]),
                    authorizer: AuthorizerChain([PrivilegedGroupAuthorizer()]),
                    admission: .builtIn(lookup: lookup, random: random)
                )
            }
        )
        self.server = server
        func makeClient(_ name: String, _ clock: any ClusterClock) -> APIClient {
            let user = InProcessUser(name: name, groups: ["system:masters"])
            return APIClient(transport: InProcessTransport(handler: server, user: user), userAgent: name, clock: clock)
        }
        // The test itself moves the clock, so it must not wait for it.
        client = makeClient("test", SystemClock())
        own = makeClient("system:kube-controller-manager", clock)
        var configuration = ControllerConfiguration()
        configuration.rootCA = "-----BEGIN CERTIFICATE-----"
        configuration.clusterCIDRs = [try #require(CIDR("10.244.0.0/16"))]
        configure(&configuration)
        self.configuration = configuration
        nodes = HollowNodes(client: makeClient("hollow", clock), names: names, clock: clock, random: random)
    }

    /// Starts a controller manager that knows nothing of an earlier one.
    func startControllers() {
        let informers = SharedInformers(source: TransportSource(own), clock: clock, random: random)
        let set = ControllerSet.all(
            client: own,
            informers: informers,
            recorder: { [own, clock] in EventRecorder(client: own, component: $0, clock: clock) },
            clock: clock,
            random: random,
            configuration: configuration
        )
        // unstructured: the test stops and starts the controller manager at will
        let task = Task {
            await withDiscardingTaskGroup { group in
                group.addTask { await informers.run() }
                group.addTask { await set.run() }
            }
        }
        controllers.withLock { $0 = task }
    }

    /// Stops the controller manager in the middle of whatever it does.
    func stopControllers() async {
        let task = controllers.withLock { running in
            defer { running = nil }
            return running
        }
        task?.cancel()
        await task?.value
    }

    /// Starts everything, runs `body`, and stops everything.
    static func run(
        seed: UInt64 = 1,
        nodes: [String] = ["n1", "n2", "n3"],
        configure: (inout ControllerConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (SimulatedCluster) async throws -> Void
    ) async throws {
        let cluster = try SimulatedCluster(seed: seed, nodes: nodes, configure: configure)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cluster.server.run() }
            try await cluster.server.start()
            try await cluster.nodes.register()
            cluster.startControllers()
            group.addTask { try await cluster.nodes.run() }
            do {
                try await body(cluster)
            } catch {
                await cluster.stopControllers()
                group.cancelAll()
                await cluster.store.close()
                throw error
            }
            await cluster.stopControllers()
            group.cancelAll()
            await cluster.store.close()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    // MARK: Time

    /// The most real time a condition may take.
    static let patience: Duration = .seconds(180)

    struct Timeout: Error, CustomStringConvertible {
        let description: String
    }

    /// Lets simulated time pass in small steps until `condition` holds.
    func wait(
        _ what: String,
        within limit: Duration = .seconds(120),
        step: Duration = .milliseconds(100),
        until condition: () async throws -> Bool
    ) async throws {
        let end = clock.monotonic + limit
        let started = ContinuousClock.now
        while true {
            if try await condition() { return }
            guard clock.monotonic < end, ContinuousClock.now - started < Self.patience else {
                throw Timeout(description: "\(what): not within \(limit) of simulated time")
            }
            await pass(step)
        }
    }

    /// Lets everything that is ready run, then moves the clock.
    func pass(_ duration: Duration) async {
        for _ in 0..<40 { await Task.yield() }
        clock.advance(by: duration)
    }

    /// Lets a long time pass, in steps.
    func passTime(_ duration: Duration, step: Duration = .milliseconds(500), each: () async throws -> Void = {}) async throws {
        let end = clock.monotonic + duration
        while clock.monotonic < end {
            await pass(step)
            try await each()
        }
    }

    // MARK: Reading

    func pods(_ labels: String = "", namespace: String = "default") async throws -> [Pod] {
        try await client.list(Pod.self, namespace: namespace, options: ListOptions(labelSelector: labels)).items
    }

    func deployment(_ name: String) async throws -> Deployment {
        try await client.get(Deployment.self, namespace: "default", name: name)
    }

    func exists<T: APIObject>(_: T.Type, _ name: String, namespace: String? = "default") async throws -> Bool {
        do {
            _ = try await client.get(T.self, namespace: namespace, name: name)
            return true
        } catch let error as APIError where error.isNotFound {
            return false
        }
    }
}

/// What the simulated server serves: what the product serves.
enum SimulatedKinds {
    static let all: [KindDescriptor] = BuiltinKinds.descriptors()
}
