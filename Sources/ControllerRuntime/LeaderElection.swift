import APIClient
import APIModel
import APITypes
import Channels
import Logging
import Units

/// Lets one of several processes lead, by a Lease that it renews.
public struct LeaderElection: Sendable {
    /// The Lease's namespace.
    public var namespace: String
    /// The Lease's name.
    public var name: String
    /// Who we are; unique among the candidates.
    public var identity: String
    /// How long a silent leader is waited for.
    public var leaseDuration: Duration
    /// How long a leader tries to renew before it steps down.
    public var renewDeadline: Duration
    /// Between attempts.
    public var retryPeriod: Duration
    private let client: APIClient
    private let clock: any ClusterClock
    private let log: Logger

    /// An election with upstream's times.
    public init(
        client: APIClient,
        namespace: String = "kube-system",
        name: String,
        identity: String,
        leaseDuration: Duration = .seconds(15),
        renewDeadline: Duration = .seconds(10),
        retryPeriod: Duration = .seconds(2),
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "leader-election")
    ) {
        self.client = client
        self.namespace = namespace
        self.name = name
        self.identity = identity
        self.leaseDuration = leaseDuration
        self.renewDeadline = renewDeadline
        self.retryPeriod = retryPeriod
        self.clock = clock
        self.log = log
    }

    /// Waits until we lead, runs `lead`, and cancels it when the lease is lost. Returns when `lead` returns, the lease
    /// is lost or the task is cancelled; a lease still held is then given back.
    public func run(_ lead: @escaping @Sendable () async -> Void) async {
        var term = Term(identity: identity, leaseDuration: leaseDuration)
        while await !attempt(&term) {
            do { try await clock.sleep(for: retryPeriod) } catch { return }
        }
        log.info("became leader", metadata: ["lease": "\(namespace)/\(name)", "identity": "\(identity)"])
        let start = term
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await lead() }
            group.addTask { await renew(start) }
            await group.next()
            group.cancelAll()
        }
        // unstructured: giving the lease back must work although our task is being cancelled
        await Task { await release() }.value
    }

    private func renew(_ term: Term) async {
        var term = term
        var renewed = clock.monotonic
        while true {
            do { try await clock.sleep(for: retryPeriod) } catch { return }
            if await attempt(&term) {
                renewed = clock.monotonic
            } else if clock.monotonic - renewed > renewDeadline {
                log.error("lost the lease", metadata: ["lease": "\(namespace)/\(name)"])
                return
            }
        }
    }

    /// One try to take or renew the lease.
    private func attempt(_ term: inout Term) async -> Bool {
        do {
            let lease: Lease
            do {
                lease = try await client.get(Lease.self, namespace: namespace, name: name)
            } catch let error as APIError where error.isNotFound {
                try await client.create(term.first(name: name, namespace: namespace, now: clock.now))
                return true
            }
            guard let claimed = term.claim(lease, now: clock.now, monotonic: clock.monotonic) else { return false }
            try await client.update(claimed)
            return true
        } catch {
            log.debug("lease not taken", metadata: ["lease": "\(namespace)/\(name)", "error": "\(error)"])
            return false
        }
    }

    private func release() async {
        guard var lease = try? await client.get(Lease.self, namespace: namespace, name: name),
            lease.spec.holderIdentity == identity
        else { return }
        lease.spec.holderIdentity = ""
        lease.spec.leaseDurationSeconds = 1
        lease.spec.renewTime = clock.now
        _ = try? await client.update(lease)
    }
}

/// What a candidate knows of the lease. Pure.
struct Term: Sendable {
    let identity: String
    let leaseDuration: Duration
    private var seen: LeaseSpec?
    private var seenAt = Duration.zero

    init(identity: String, leaseDuration: Duration) {
        self.identity = identity
        self.leaseDuration = leaseDuration
    }

    private var seconds: Int { max(1, Int(leaseDuration.components.seconds)) }

    func first(name: String, namespace: String, now: Timestamp) -> Lease {
        var lease = Lease(name: name, namespace: namespace)
        lease.spec.holderIdentity = identity
        lease.spec.leaseDurationSeconds = seconds
        lease.spec.acquireTime = now
        lease.spec.renewTime = now
        lease.spec.leaseTransitions = 0
        return lease
    }

    /// The lease as we would hold it, or nil while another holds it. The other's clock is not trusted: what counts is
    /// how long its record has not changed by our own clock.
    mutating func claim(_ lease: Lease, now: Timestamp, monotonic: Duration) -> Lease? {
        if seen != lease.spec {
            seen = lease.spec
            seenAt = monotonic
        }
        let holder = lease.spec.holderIdentity ?? ""
        let isOurs = holder == identity
        let span = Duration.seconds(lease.spec.leaseDurationSeconds ?? seconds)
        guard isOurs || holder.isEmpty || monotonic - seenAt > span else { return nil }
        var lease = lease
        if !isOurs {
            lease.spec.acquireTime = now
            lease.spec.leaseTransitions = (lease.spec.leaseTransitions ?? 0) + 1
        }
        lease.spec.holderIdentity = identity
        lease.spec.leaseDurationSeconds = seconds
        lease.spec.renewTime = now
        seen = lease.spec
        seenAt = monotonic
        return lease
    }
}
