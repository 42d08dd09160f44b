import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Counters of the service proxy, under upstream's metric names `kubeproxy_*`.
public struct ProxyMetrics: Sendable, Equatable {
    /// kubeproxy_sync_full_proxy_rules_duration_seconds_count: tables replaced whole.
    public var fullSyncs: UInt64 = 0
    /// kubeproxy_sync_partial_proxy_rules_duration_seconds_count: tables updated.
    public var partialSyncs: UInt64 = 0
    /// kubeproxy_sync_proxy_rules_nftables_sync_failures_total.
    public var failures: UInt64 = 0
    /// The Services with rules.
    public var services = 0
    /// How long the last change took to be in the kernel.
    public var lastDuration: Duration = .zero
}

/// Keeps the kernel's rules in step with Services and EndpointSlices. The rules stay when it ends.
///
/// Decisions are `ProxyPlan`'s. Known facts are guarded by `state`; only `run` touches the kernel.
public final class KubeProxy: Sendable {
    private struct State {
        var services: [String: ServiceFacts] = [:]
        var slices: [String: SliceFacts] = [:]
        var metrics = ProxyMetrics()
        /// What the kernel holds; nil when that is not known.
        var applied: Ruleset?
    }

    /// Changes that come in quick succession go into one transaction.
    private static let coalescing = Duration.milliseconds(10)
    /// How often the table is looked at, in case somebody else has removed it.
    private static let checkInterval = Duration.seconds(60)

    private let services: Informer<Service>
    private let slices: Informer<EndpointSlice>
    private let node: ProxyNode
    private let nft: NFTables
    private let clock: any ClusterClock
    private let log: Logger
    private let state = Mutex(State())
    private let wake = Signal(0)
    /// The addresses that the rules in the kernel send new connections to.
    private let served = Signal<Set<IPAddress>>([])

    /// A proxy for this node; nothing happens before `run`. Somebody else runs the informers.
    public init(
        informers: SharedInformers,
        node: ProxyNode,
        nft: NFTables = NFTables(),
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "kube-proxy")
    ) {
        services = informers.informer(Service.self)
        slices = informers.informer(EndpointSlice.self)
        self.node = node
        self.nft = nft
        self.clock = clock
        self.log = log
    }

    /// The counters so far.
    public var metrics: ProxyMetrics {
        state.withLock { state in
            var metrics = state.metrics
            metrics.services = state.services.count
            return metrics
        }
    }

    /// Whether the rules of the first full list are in the kernel.
    public var isReady: Bool { state.withLock { $0.applied != nil } }

    /// Works until the task is cancelled.
    public func run() async {
        services.addHandlers(.init { [weak self] change in self?.observe(change) })
        slices.addHandlers(.init { [weak self] change in self?.observe(change) })
        do {
            try await services.waitForSync()
            try await slices.waitForSync()
        } catch {
            return
        }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.follow() }
            group.addTask { await self.checkTable() }
        }
    }

    /// Removes every rule of ours.
    public func cleanUp() async throws {
        try await nft.apply(Ruleset.removalScript(table: node.table))
        state.withLock { $0.applied = nil }
    }

    /// Waits until the kernel's rules send no new connection to any of `addresses`, at most for `limit`.
    public func waitUntilWithdrawn(_ addresses: [IPAddress], limit: Duration) async {
        let served = served
        _ = try? await withDeadline(limit, clock: clock) { try await served.wait { $0.isDisjoint(with: addresses) } }
    }

    // MARK: observing

    private func observe(_ change: InformerChange<Service>) {
        let key = change.entry.key
        let facts: ServiceFacts?
        if case .deleted = change { facts = nil } else { facts = ServiceFacts(change.entry.object) }
        let isNews = state.withLock { state in
            guard state.services[key] != facts else { return false }
            state.services[key] = facts
            return true
        }
        if isNews { wake.update { $0 += 1 } }
    }

    private func observe(_ change: InformerChange<EndpointSlice>) {
        let key = change.entry.key
        let facts: SliceFacts?
        if case .deleted = change { facts = nil } else { facts = SliceFacts(change.entry.object) }
        let isNews = state.withLock { state in
            guard state.slices[key] != facts else { return false }
            state.slices[key] = facts
            return true
        }
        if isNews { wake.update { $0 += 1 } }
    }

    // MARK: applying

    private func follow() async {
        let backoff = RetryBackoff(base: .milliseconds(100), limit: .seconds(30))
        var failures = 0
        while !Task.isCancelled {
            let version = wake.current.version
            if await sync(attempt: failures) {
                failures = 0
                _ = await wake.next(after: version)
                try? await clock.sleep(for: Self.coalescing)
            } else {
                try? await clock.sleep(for: backoff.delay(failures: failures))
                failures += 1
            }
        }
    }

    /// Brings the kernel up to date; false when that failed. After a failure the whole table is written anew.
    private func sync(attempt: Int) async -> Bool {
        let started = clock.monotonic
        let (wanted, applied, serving) = state.withLock { state in
            let slices = Dictionary(grouping: state.slices.values, by: \.serviceKey)
            let rules = ProxyPlan.ruleset(services: Array(state.services.values), slicesByService: slices, node: node)
            let serving = state.slices.values.flatMap { $0.endpoints.filter(\.isReady).map(\.address) }
            return (rules, state.applied, Set(serving))
        }
        if applied == wanted {
            served.set(serving)
            return true
        }
        do {
            try await nft.apply(try await script(for: wanted, from: applied, attempt: attempt))
        } catch {
            log.error("cannot change the service rules", metadata: ["table": "\(node.table)", "error": "\(error)"])
            state.withLock { state in
                state.applied = nil
                state.metrics.failures += 1
            }
            return false
        }
        state.withLock { state in
            state.applied = wanted
            if applied == nil { state.metrics.fullSyncs += 1 } else { state.metrics.partialSyncs += 1 }
            state.metrics.lastDuration = clock.monotonic - started
        }
        served.set(serving)
        if let applied {
            let stale = ConntrackCleanup.staleFlows(from: applied, to: wanted)
            if !stale.isEmpty { await ConntrackCleanup.delete(stale) }
        }
        return true
    }

    /// The smallest transaction that leads to `wanted`: an update, else a refill, and when that fails a new table.
    private func script(for wanted: Ruleset, from applied: Ruleset?, attempt: Int) async throws -> String {
        if let applied { return wanted.updateScript(from: applied) }
        if attempt > 1 { return wanted.replacementScript() }
        return wanted.fullScript(replacing: try await nft.names(table: node.table))
    }

    private func checkTable() async {
        while !Task.isCancelled {
            do { try await clock.sleep(for: Self.checkInterval) } catch { return }
            guard isReady, let isThere = try? await nft.hasChain("services", table: node.table), !isThere else { continue }
            log.warning("the service rules are gone, writing them anew", metadata: ["table": "\(node.table)"])
            state.withLock { $0.applied = nil }
            wake.update { $0 += 1 }
        }
    }
}
