import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units
import Values

/// The scheduler as it runs: informers in, bindings, conditions and events out.
///
/// One loop decides, pod after pod, on the state behind `state`; a bounded number of workers writes to the API. Informer
/// callbacks only add to `inbox`.
public final class SchedulerService: Controller {
    /// Bindings and reports written at once.
    public static let defaultWorkers = 64
    /// Decisions whose writing has not begun; above it the loop waits.
    private static let maximumJobs = 2_048
    /// Decisions between two looks at the inbox.
    private static let stride = 32
    /// Upstream's bound on the note of an event.
    private static let maximumNote = 1_024

    /// The name of the component.
    public let name = "kube-scheduler"
    let profile: SchedulingProfile
    let client: APIClient
    let clock: any ClusterClock
    let events: EventRecorder
    let log: Logger
    private let informers: SharedInformers
    private let ownsEvents: Bool
    private let workers: Int
    private let inbox = Mutex<[SchedulerState.Input]>([])
    private let news = Signal<UInt64>(0)
    let state: Mutex<SchedulerState>
    let metrics = Mutex(SchedulerMetrics())
    private let jobs = Mutex<[String: [SchedulerState.Job]]>([:])
    private let pending = WorkQueue<String>(name: "scheduler_pending")
    private let taken = Signal<UInt64>(0)
    private let budgets = Mutex<[String: DisruptionBudget]>([:])
    let plugins: SchedulingPlugins

    /// A scheduler for the pods that name `profile`.
    ///
    /// - Parameters:
    ///   - informers: Shared ones; whoever made them runs them.
    ///   - events: Where events go; nil makes a recorder of its own.
    public init(
        client: APIClient,
        informers: SharedInformers,
        profile: SchedulingProfile = .standard(),
        events: EventRecorder? = nil,
        workers: Int = SchedulerService.defaultWorkers,
        clock: any ClusterClock = SystemClock(),
        random: any RandomSource = SystemRandom(),
        log: Logger = Logger(label: "apus.scheduler")
    ) {
        self.client = client
        self.informers = informers
        self.profile = profile
        self.workers = workers
        self.clock = clock
        self.log = log
        ownsEvents = events == nil
        self.events = events ?? EventRecorder(client: client, component: profile.name, clock: clock, log: log)
        state = Mutex(SchedulerState(profile, seed: random.next()))
        plugins = SchedulingPlugins(profile, client: client)
    }

    /// The exposition text of the scheduler's metrics, under upstream's names.
    public func metricsText() -> String {
        let queue = state.withLock { $0.queue }
        return metrics.withLock { $0.text(profile: profile.name, queue: queue) }
    }

    // MARK: Running

    /// Schedules until the task is cancelled.
    public func run() async {
        listen()
        listenToClaims()
        do { try await waitForSync() } catch { return }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                if ownsEvents { group.addTask { await self.events.run() } }
                for _ in 0..<max(workers, 1) { group.addTask { await self.work() } }
                group.addTask { await self.decideAll() }
            }
        } onCancel: {
            pending.shutDown()
        }
    }

    private func waitForSync() async throws {
        try await informers.informer(Node.self).waitForSync()
        try await informers.informer(PersistentVolumeClaim.self).waitForSync()
        try await informers.informer(StorageClass.self).waitForSync()
        try await informers.informer(Pod.self).waitForSync()
    }

    private func listen() {
        informers.informer(Node.self).addHandlers(
            Informer<Node>.Handlers { [self] change in
                switch change {
                case .added(let entry), .updated(_, let entry): post(.node(NodeFacts(entry.object)))
                case .deleted(let entry): post(.nodeGone(entry.summary.name))
                }
            }
        )
        informers.informer(Namespace.self).addHandlers(
            Informer<Namespace>.Handlers { [self] change in
                let summary = change.entry.summary
                if case .deleted = change { return post(.namespace(summary.name, labels: nil)) }
                post(.namespace(summary.name, labels: summary.labels))
            }
        )
        informers.informer(PodDisruptionBudget.self).addHandlers(
            Informer<PodDisruptionBudget>.Handlers { [self] change in
                let all = budgets.withLock { budgets in
                    switch change {
                    case .added(let entry), .updated(_, let entry): budgets[entry.key] = DisruptionBudget(entry.object)
                    case .deleted(let entry): budgets[entry.key] = nil
                    }
                    return budgets.sorted { $0.key < $1.key }.map(\.value)
                }
                post(.budgets(all))
            }
        )
        informers.informer(Pod.self).addHandlers(
            Informer<Pod>.Handlers { [self] change in
                switch change {
                case .added(let entry):
                    post(.pod(SchedulingPod(entry.object, summary: entry.summary)))
                case .updated(let old, let entry):
                    if old.summary.uid != entry.summary.uid { post(.podGone(uid: old.summary.uid)) }
                    post(.pod(SchedulingPod(entry.object, summary: entry.summary)))
                case .deleted(let entry):
                    post(.podGone(uid: entry.summary.uid))
                }
            }
        )
    }

    private func listenToClaims() {
        informers.informer(PersistentVolumeClaim.self).addHandlers(
            Informer<PersistentVolumeClaim>.Handlers { [self] change in
                let entry = change.entry
                if case .deleted = change { return post(.claim(entry.key, nil)) }
                post(.claim(entry.key, ClaimFacts(entry.object)))
            }
        )
        informers.informer(StorageClass.self).addHandlers(
            Informer<StorageClass>.Handlers { [self] change in
                let name = change.entry.summary.name
                if case .deleted = change { return post(.storageClass(name, isDelayed: false)) }
                post(.storageClass(name, isDelayed: change.entry.object.volumeBindingMode == "WaitForFirstConsumer"))
            }
        )
    }

    private func post(_ input: SchedulerState.Input) {
        let wasEmpty = inbox.withLock { inbox in
            inbox.append(input)
            return inbox.count == 1
        }
        if wasEmpty { news.update { $0 += 1 } }
    }

    // MARK: Deciding

    private func decideAll() async {
        while !Task.isCancelled {
            let seen = news.current.version
            let isIdle = decideSome()
            if isIdle {
                await waitForNews(after: seen)
            } else {
                await waitForRoom()
                await Task.yield()
            }
        }
    }

    /// Takes over what happened and decides about a few pods; true when nothing is left to decide.
    private func decideSome() -> Bool {
        let inputs = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        let now = clock.monotonic
        state.withLock { state in
            for input in inputs { state.apply(input, now: now) }
            state.tick(now: now)
        }
        for _ in 0..<Self.stride {
            let began = clock.monotonic
            guard let job = state.withLock({ $0.decide(now: began) }) else { return true }
            metrics.withLock { $0.decided(clock.monotonic - began) }
            jobs.withLock { $0[job.pod.pod.uid, default: []].append(job) }
            pending.add(job.pod.pod.uid)
        }
        return false
    }

    private func waitForRoom() async {
        while pending.count >= Self.maximumJobs && !Task.isCancelled {
            let seen = taken.current.version
            guard pending.count >= Self.maximumJobs else { return }
            _ = await taken.next(after: seen)
        }
    }

    private func waitForNews(after version: UInt64) async {
        guard news.current.version == version else { return }
        let tick = state.withLock { $0.queue.nextTick }
        guard let tick else {
            _ = await news.next(after: version)
            return
        }
        let wait = tick - clock.monotonic
        guard wait > .zero else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [news] in _ = await news.next(after: version) }
            group.addTask { [clock] in try? await clock.sleep(for: wait) }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: Writing

    private func work() async {
        while let uid = await pending.get() {
            let mine = jobs.withLock { $0.removeValue(forKey: uid) } ?? []
            for job in mine {
                switch job {
                case .bind(let pod, let node): await bind(pod, to: node)
                case .report(let pod, let message, let nominated, let victims):
                    await report(pod, message, nominated, victims)
                }
            }
            pending.done(uid)
            taken.update { $0 += 1 }
        }
    }

    private func bind(_ queued: QueuedPod, to node: String) async {
        let pod = queued.pod
        let status = await plugins.bind(pod, to: node)
        let now = clock.monotonic
        guard status.isSuccess else {
            state.withLock { $0.bindFailed(queued, now: now) }
            news.update { $0 += 1 }
            metrics.withLock { $0.attempted(.error, now - queued.enqueued) }
            log.warning("binding failed", metadata: ["pod": "\(pod.key)", "node": "\(node)", "error": "\(status.message)"])
            await describeFailure(pod, reason: "SchedulerError", status.message, nominatedNode: nil)
            return
        }
        state.withLock { $0.bound(queued) }
        metrics.withLock {
            $0.attempted(.scheduled, now - queued.enqueued)
            $0.scheduled(attempts: queued.attempts, since: now - queued.firstSeen)
        }
        let note = "Successfully assigned \(pod.namespace)/\(pod.name) to \(node)"
        events.record(pod.reference, .normal, reason: "Scheduled", note, action: "Binding")
    }

    private func report(
        _ queued: QueuedPod,
        _ message: String,
        _ nominated: String?,
        _ victims: [SchedulingPod]
    ) async {
        metrics.withLock {
            $0.attempted(.unschedulable, clock.monotonic - queued.enqueued)
            if nominated != nil { $0.preempted(victims: victims.count) }
        }
        for victim in victims { await evict(victim, for: queued.pod, from: nominated ?? "") }
        await describeFailure(queued.pod, reason: "Unschedulable", message, nominatedNode: nominated)
    }

    private func describeFailure(_ pod: SchedulingPod, reason: String, _ message: String, nominatedNode: String?) async {
        let note = message.utf8.count > Self.maximumNote ? String(message.prefix(Self.maximumNote - 4)) + " ..." : message
        events.record(pod.reference, .warning, reason: "FailedScheduling", note, action: "Scheduling")
        let patch = PodStatusPatch(pod, reason: reason, message: message, nominatedNode: nominatedNode, now: clock.now)
        guard let body = patch.body else { return }
        do {
            _ = try await client.patch(
                Pod.self,
                namespace: pod.namespace,
                name: pod.name,
                subresource: "status",
                type: .strategic,
                body
            )
        } catch {
            // The pod may be gone; if not, the next attempt says it again.
            log.debug("condition not written", metadata: ["pod": "\(pod.key)", "error": "\(error)"])
        }
    }

    private func evict(_ victim: SchedulingPod, for pod: SchedulingPod, from node: String) async {
        let condition = PodStatusPatch.disruption(of: victim, by: profile.name, now: clock.now)
        do {
            _ = try await client.patch(
                Pod.self,
                namespace: victim.namespace,
                name: victim.name,
                subresource: "status",
                type: .strategic,
                condition
            )
            try await client.delete(Pod.self, namespace: victim.namespace, name: victim.name)
        } catch {
            log.info("victim not removed", metadata: ["pod": "\(victim.key)", "error": "\(error)"])
            return
        }
        let note = "Preempted by pod \(pod.uid) on node \(node)"
        events.record(victim.reference, .normal, reason: "Preempted", note, action: "Preempting")
    }
}
