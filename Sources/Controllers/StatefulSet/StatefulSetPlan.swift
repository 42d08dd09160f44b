import APIModel
import APITypes
import Units
import Values

/// What a stateful set does next: pods with names and storage of their own, in order.
public struct StatefulSetPlan: Sendable {
    /// A pod to start, with the claims it needs first.
    public struct Start: Sendable {
        /// The pod.
        public var pod: Pod
        /// The claims of its templates.
        public var claims: [PersistentVolumeClaim]
    }

    /// Pods to start.
    public var start: [Start] = []
    /// Pods to stop.
    public var stop: [Pod] = []
    /// The status that follows.
    public var status: StatefulSetStatus
    /// When to look again.
    public var requeueAfter: Duration?
}

/// The revisions a stateful set is between.
struct StatefulRevisions: Sendable {
    /// What pods below the partition run.
    var current: ControllerRevision
    /// What pods are updated to.
    var update: ControllerRevision

    init(set: StatefulSet, history: RevisionHistory) {
        update = history.current
        let all = history.old + [history.current]
        current = all.first { $0.name == set.status.currentRevision } ?? history.current
    }

    static func template(_ revision: ControllerRevision, of set: StatefulSet) -> PodTemplateSpec {
        guard var fields = revision.fields["data"]?["spec"]?["template"]?.object else { return set.spec.template }
        fields["$patch"] = nil
        return PodTemplateSpec(fields: fields)
    }
}

/// One round over a stateful set, on copies.
struct StatefulRound {
    let set: StatefulSet
    let revisions: StatefulRevisions
    let now: Timestamp
    var plan: StatefulSetPlan
    private let wanted: [Int: Pod]
    private let condemned: [Pod]
    private let ordinals: Range<Int>

    init(_ set: StatefulSet, revisions: StatefulRevisions, pods: [Pod], now: Timestamp) {
        self.set = set
        self.revisions = revisions
        self.now = now
        plan = StatefulSetPlan(status: set.status)
        let first = set.spec.ordinals?.start ?? 0
        let ordinals = first..<(first + max(0, set.spec.replicas ?? 1))
        var wanted: [Int: Pod] = [:]
        var condemned: [(Int, Pod)] = []
        for pod in pods {
            guard let ordinal = set.ordinal(of: pod.name) else { continue }
            if ordinals.contains(ordinal) { wanted[ordinal] = pod } else { condemned.append((ordinal, pod)) }
        }
        self.wanted = wanted
        self.condemned = condemned.sorted { $0.0 > $1.0 }.map(\.1)
        self.ordinals = ordinals
    }

    private var inOrder: Bool { self.set.spec.podManagementPolicy != "Parallel" }
    private var partition: Int { self.set.spec.updateStrategy.rollingUpdate?.partition ?? 0 }

    private func isHealthy(_ pod: Pod) -> Bool {
        pod.status.phase == "Running" && !pod.isBeingDeleted && isAvailable(pod)
    }

    private func isAvailable(_ pod: Pod) -> Bool { pod.isAvailable(minReadySeconds: set.spec.minReadySeconds, now: now) }

    private func revision(of pod: Pod) -> String { pod.labels[RevisionHistory.hashLabel] ?? "" }

    mutating func decide() {
        report()
        if set.isBeingDeleted { return }
        if fill(), drain() { update() }
        noteProgress()
        if set.spec.minReadySeconds > 0, wanted.values.contains(where: { $0.isReady && !isAvailable($0) }) {
            plan.requeueAfter = wanted.values.compactMap {
                $0.becomesAvailable(minReadySeconds: set.spec.minReadySeconds, now: now)
            }.min()
        }
    }

    // MARK: Up

    /// From the lowest; false when a pod has to be waited for.
    private mutating func fill() -> Bool {
        for ordinal in ordinals {
            guard let pod = wanted[ordinal] else {
                plan.start.append(makePod(ordinal))
                if inOrder { return false }
                continue
            }
            if pod.isFinished {
                if !pod.isBeingDeleted { plan.stop.append(pod) }
                if inOrder { return false }
                continue
            }
            if inOrder, !isHealthy(pod) { return false }
        }
        return true
    }

    private func makePod(_ ordinal: Int) -> StatefulSetPlan.Start {
        // On deletion a pod is made anew as the template now says; only a rolling update leaves some as they were.
        let strategy = set.spec.updateStrategy
        let kept = strategy.rollingUpdate == nil ? set.status.currentReplicas : partition
        let keepsCurrent = strategy.type == "RollingUpdate" && ordinal < ordinals.lowerBound + kept
        let revision = keepsCurrent ? revisions.current : revisions.update
        return set.makePod(ordinal, template: StatefulRevisions.template(revision, of: set), revision: revision.name)
    }

    // MARK: Down

    /// From the highest; false when a pod has to be waited for.
    private mutating func drain() -> Bool {
        for pod in condemned {
            if pod.isBeingDeleted {
                if inOrder { return false }
                continue
            }
            if inOrder, !isHealthy(pod), pod.status.phase != "Pending", firstUnhealthy.map({ $0.uid != pod.uid }) ?? false {
                return false
            }
            plan.stop.append(pod)
            if inOrder { return false }
        }
        return true
    }

    private var firstUnhealthy: Pod? {
        let all = ordinals.compactMap { wanted[$0] } + condemned.reversed()
        return all.first { !isHealthy($0) }
    }

    // MARK: Rolling

    private mutating func update() {
        guard set.spec.updateStrategy.type != "OnDelete" else { return }
        let limit = max(
            1,
            set.spec.updateStrategy.rollingUpdate?.maxUnavailable
                .flatMap { $0.scaledValue(total: ordinals.count, roundUp: true) } ?? 1
        )
        var unavailable = ordinals.count { wanted[$0].map { !isHealthy($0) } ?? true }
        for ordinal in ordinals.reversed() where ordinal >= ordinals.lowerBound + partition {
            guard let pod = wanted[ordinal] else { continue }
            let outdated = revision(of: pod) != revisions.update.name && !pod.isBeingDeleted
            let healthy = isHealthy(pod)
            if outdated {
                guard !healthy || unavailable < limit else { return }
                plan.stop.append(pod)
                if healthy { unavailable += 1 }
            }
            if unavailable >= limit { return }
        }
    }

    // MARK: Status

    private mutating func report() {
        var status = set.status
        let pods = Array(wanted.values) + condemned
        let created = pods.filter { !$0.status.phase.isEmpty || !$0.uid.isEmpty }
        status.observedGeneration = set.metadata.generation
        status.replicas = created.count
        status.readyReplicas = created.count { $0.status.phase == "Running" && $0.isReady }
        status.availableReplicas = created.count { $0.status.phase == "Running" && isAvailable($0) }
        let alive = created.filter { !$0.isBeingDeleted }
        status.currentReplicas = alive.count { revision(of: $0) == revisions.current.name }
        status.updatedReplicas = alive.count { revision(of: $0) == revisions.update.name }
        status.currentRevision = revisions.current.name
        status.updateRevision = revisions.update.name
        if status.collisionCount == nil { status.collisionCount = 0 }
        plan.status = status
    }

    /// The update is through when every pod has it and is ready.
    private mutating func noteProgress() {
        let count = ordinals.count
        guard set.spec.updateStrategy.type == "RollingUpdate",
            plan.status.currentRevision != plan.status.updateRevision, plan.status.updatedReplicas == count,
            plan.status.readyReplicas == count, condemned.isEmpty
        else { return }
        plan.status.currentReplicas = plan.status.updatedReplicas
        plan.status.currentRevision = plan.status.updateRevision
    }
}
