/// A pod that waits to be scheduled.
package struct QueuedPod: Sendable {
    package var pod: SchedulingPod
    /// When it entered the queue this time, on the monotonic clock.
    package var enqueued: Duration
    /// When it was first seen.
    package var firstSeen: Duration
    /// Breaks ties of equal times.
    package var order: UInt64
    /// How often it was tried.
    package var attempts = 0
    /// Plugins that rejected it last time.
    package var rejectors: Set<String> = []
    /// Events after this one may have been missed while it was being scheduled.
    var eventMark: UInt64 = 0

    init(_ pod: SchedulingPod, now: Duration, order: UInt64) {
        self.pod = pod
        enqueued = now
        firstSeen = now
        self.order = order
    }
}

/// Which pod to schedule next, and which wait for what. A pure value: times come in, nothing happens by itself.
///
/// A pod is in one place: active (ready), backoff (ready later), unschedulable (until an event may help), gated (until its
/// gates open) or in flight (being scheduled or bound).
package struct SchedulingQueue: Sendable {
    static let initialBackoff = Duration.seconds(1)
    static let maximumBackoff = Duration.seconds(10)
    /// A pod that no event has brought back is tried again after this.
    static let unschedulableLimit = Duration.seconds(300)
    /// Events remembered for pods in flight.
    private static let rememberedEvents = 4_096

    private let profile: SchedulingProfile
    private var active: PodHeap
    private var backoff: PodHeap
    private var unschedulable: [String: QueuedPod] = [:]
    private var gated: [String: QueuedPod] = [:]
    private var inFlight: [String: UInt64] = [:]
    private var events: [(number: UInt64, event: ClusterEvent)] = []
    private var eventNumber: UInt64 = 0
    private var order: UInt64 = 0
    /// Pods that came into a queue, by `event,queue`: the metric of that name.
    package private(set) var incoming: [String: Int] = [:]

    /// An empty queue that asks a profile's plugins.
    package init(_ profile: SchedulingProfile) {
        self.profile = profile
        let sort = profile.queueSort
        active = PodHeap { sort.isBefore($0, $1) }
        backoff = PodHeap { Self.backoffEnd($0) < Self.backoffEnd($1) }
    }

    /// How many pods are where, as the metric `scheduler_pending_pods` names the queues.
    package var counts: (active: Int, backoff: Int, unschedulable: Int, gated: Int) {
        (active.count, backoff.count, unschedulable.count, gated.count)
    }

    package var hasActive: Bool { active.count > 0 }

    // MARK: Pods come and go

    /// A new pending pod, or one that has changed.
    package mutating func update(_ pod: SchedulingPod, now: Duration) {
        if var known = active.remove(pod.uid) {
            known.pod = pod
            return admit(known, label: "PodUpdate", now: now, mayWait: false)
        }
        if var known = backoff.remove(pod.uid) {
            known.pod = pod
            return backoff.insert(known)
        }
        if inFlight[pod.uid] != nil { return }
        if var known = gated[pod.uid] {
            known.pod = pod
            gated[pod.uid] = nil
            return admit(known, label: "PodUpdate", now: now, mayWait: false)
        }
        if var known = unschedulable[pod.uid] {
            let isNews = !pod.isSameToScheduler(known.pod)
            let event = ClusterEvent(.podUpdate, label: "PodUpdate", pod: pod, oldPod: known.pod)
            known.pod = pod
            unschedulable[pod.uid] = known
            guard isNews, profile.helps(event, pod, rejectedBy: known.rejectors) else { return }
            unschedulable[pod.uid] = nil
            return admit(known, label: event.label, now: now, mayWait: true)
        }
        order += 1
        admit(QueuedPod(pod, now: now, order: order), label: "PodAdd", now: now, mayWait: false)
    }

    /// A pod is gone, or has found its place.
    package mutating func remove(_ uid: String) {
        active.remove(uid)
        backoff.remove(uid)
        unschedulable[uid] = nil
        gated[uid] = nil
        finish(uid)
    }

    /// The next pod to schedule; it stays in flight until `finish`, `requeue` or `remove`.
    package mutating func pop(now: Duration) -> QueuedPod? {
        releaseBackoff(now: now)
        guard var next = active.popFirst() else { return nil }
        next.attempts += 1
        next.eventMark = eventNumber
        inFlight[next.pod.uid] = eventNumber
        return next
    }

    /// The pod was bound.
    package mutating func finish(_ uid: String) {
        guard inFlight.removeValue(forKey: uid) != nil, inFlight.isEmpty else { return }
        events = []
    }

    /// The pod could not be scheduled, or not be bound (no rejectors).
    package mutating func requeue(_ pod: QueuedPod, now: Duration) {
        let missed = events.filter { $0.number > pod.eventMark }
        let isForgotten = (events.first?.number ?? pod.eventMark + 1) > pod.eventMark + 1
        finish(pod.pod.uid)
        var pod = pod
        pod.enqueued = now
        let isHelped =
            pod.rejectors.isEmpty || isForgotten
            || missed.contains { profile.helps($0.event, pod.pod, rejectedBy: pod.rejectors) }
        if isHelped {
            admit(pod, label: "ScheduleAttemptFailure", now: now, mayWait: true)
        } else {
            unschedulable[pod.pod.uid] = pod
            count("ScheduleAttemptFailure", "unschedulable")
        }
    }

    // MARK: The cluster changes

    /// Brings back the pods that an event may help.
    package mutating func happened(_ event: ClusterEvent, now: Duration) {
        if !inFlight.isEmpty {
            eventNumber += 1
            events.append((eventNumber, event))
            if events.count > Self.rememberedEvents { events.removeFirst(Self.rememberedEvents / 2) }
        }
        guard !unschedulable.isEmpty else { return }
        let helped = unschedulable.values.filter { profile.helps(event, $0.pod, rejectedBy: $0.rejectors) }
        for pod in helped.sorted(by: { $0.order < $1.order }) {
            unschedulable[pod.pod.uid] = nil
            admit(pod, label: event.label, now: now, mayWait: true)
        }
    }

    /// Brings back pods whose back-off is over, and those no event has helped for long.
    package mutating func tick(now: Duration) {
        releaseBackoff(now: now)
        for pod in unschedulable.values where now - pod.enqueued > Self.unschedulableLimit {
            unschedulable[pod.pod.uid] = nil
            admit(pod, label: "UnschedulableTimeout", now: now, mayWait: true)
        }
    }

    /// When `tick` has something to do next.
    package var nextTick: Duration? {
        let first = backoff.first.map(Self.backoffEnd)
        let stale = unschedulable.values.map { $0.enqueued + Self.unschedulableLimit }.min()
        return [first, stale].compactMap { $0 }.min()
    }

    // MARK: Inside

    private mutating func admit(_ pod: QueuedPod, label: String, now: Duration, mayWait: Bool) {
        for plugin in profile.preEnqueue where !plugin.preEnqueue(pod.pod).isSuccess {
            var held = pod
            held.rejectors = [plugin.name]
            gated[pod.pod.uid] = held
            count(label, "gated")
            return
        }
        if mayWait && pod.attempts > 0 && Self.backoffEnd(pod) > now {
            backoff.insert(pod)
            count(label, "backoff")
        } else {
            active.insert(pod)
            count(label, "active")
        }
    }

    private mutating func releaseBackoff(now: Duration) {
        while let first = backoff.first, Self.backoffEnd(first) <= now {
            backoff.remove(first.pod.uid)
            active.insert(first)
            count("BackoffComplete", "active")
        }
    }

    private static func backoffEnd(_ pod: QueuedPod) -> Duration {
        guard pod.attempts > 0 else { return pod.enqueued }
        let doublings = min(pod.attempts - 1, 10)
        return pod.enqueued + min(initialBackoff * (1 << doublings), maximumBackoff)
    }

    private mutating func count(_ event: String, _ queue: String) {
        incoming["\(event),\(queue)", default: 0] += 1
    }
}

extension SchedulingPod {
    /// Whether nothing has changed that could make the pod schedulable.
    func isSameToScheduler(_ other: SchedulingPod) -> Bool {
        labels == other.labels && requests == other.requests && tolerations == other.tolerations
            && schedulingGates == other.schedulingGates && nodeSelector == other.nodeSelector
            && requiredNodeTerms == other.requiredNodeTerms && priority == other.priority
    }
}
