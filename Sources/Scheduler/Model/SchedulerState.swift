/// Everything the scheduler knows, and its decisions. A pure value: changes and times go in, jobs come out.
///
/// A pod that was given a node is assumed to be there from that moment, so that the next decision counts it; the binding
/// is written meanwhile, and the pod is forgotten again if that fails.
package struct SchedulerState: Sendable {
    /// A change in the cluster, already decoded.
    package enum Input: Sendable {
        case pod(SchedulingPod)
        case podGone(uid: String)
        case node(NodeFacts)
        case nodeGone(String)
        case namespace(String, labels: [String: String]?)
        case budgets([DisruptionBudget])
        /// A persistent volume claim by `namespace/name`; nil when it is gone.
        case claim(String, ClaimFacts?)
        /// A storage class, and whether its claims wait for their first consumer.
        case storageClass(String, isDelayed: Bool)
    }

    /// What is to be written to the API.
    package enum Job: Sendable {
        case bind(QueuedPod, node: String)
        /// Tell why; remove the victims so that the pod can come to `nominatedNode`.
        case report(QueuedPod, message: String, nominatedNode: String?, victims: [SchedulingPod])

        var pod: QueuedPod {
            switch self {
            case .bind(let pod, _), .report(let pod, _, _, _): pod
            }
        }
    }

    package private(set) var snapshot = ClusterSnapshot()
    package private(set) var queue: SchedulingQueue
    let profile: SchedulingProfile
    private let algorithm: SchedulingAlgorithm
    private var search: SchedulingAlgorithm.State
    /// Every pod that is pending for us or has a node.
    private var pods: [String: SchedulingPod] = [:]
    /// Pods whose binding is not confirmed yet, with their node.
    private var assumed: [String: String] = [:]
    /// Pods on nodes we do not know (yet).
    private var homeless: [String: [String: SchedulingPod]] = [:]

    /// Nothing known yet. The seed decides between nodes of equal score.
    package init(_ profile: SchedulingProfile, seed: UInt64) {
        self.profile = profile
        algorithm = SchedulingAlgorithm(profile)
        queue = SchedulingQueue(profile)
        search = SchedulingAlgorithm.State(seed: seed)
    }

    /// How many pods are assumed and not confirmed.
    package var assumedCount: Int { assumed.count }

    // MARK: Changes

    /// Takes a change over.
    package mutating func apply(_ input: Input, now: Duration) {
        switch input {
        case .pod(let pod): podChanged(pod, now: now)
        case .podGone(let uid): podGone(uid, now: now)
        case .node(let facts): nodeChanged(facts, now: now)
        case .nodeGone(let name): nodeGone(name, now: now)
        case .namespace(let name, let labels):
            guard snapshot.namespaceLabels[name] != labels else { return }
            snapshot.setNamespace(name, labels: labels)
            queue.happened(ClusterEvent(.namespaceLabels, label: "NamespaceUpdate"), now: now)
        case .budgets(let budgets): snapshot.disruptionBudgets = budgets
        case .claim(let key, let facts):
            guard snapshot.claims[key] != facts else { return }
            let label = snapshot.claims[key] == nil ? "PvcAdd" : "PvcUpdate"
            snapshot.claims[key] = facts
            if facts != nil { queue.happened(ClusterEvent(.claim, label: label, claim: key), now: now) }
        case .storageClass(let name, let isDelayed):
            if isDelayed { snapshot.delayedClasses.insert(name) } else { snapshot.delayedClasses.remove(name) }
            queue.happened(ClusterEvent(.storageClass, label: "StorageClassAdd"), now: now)
        }
    }

    private mutating func podChanged(_ pod: SchedulingPod, now: Duration) {
        if pod.isFinished { return podGone(pod.uid, now: now) }
        let old = pods[pod.uid]
        guard !pod.nodeName.isEmpty else { return pendingChanged(pod, now: now) }
        pods[pod.uid] = pod
        queue.remove(pod.uid)
        snapshot.nominate(pod, to: nil)
        let wasAssumed = assumed.removeValue(forKey: pod.uid)
        let oldNode = wasAssumed ?? old.map(\.nodeName) ?? ""
        if !oldNode.isEmpty { leave(pod.uid, oldNode) }
        settle(pod)
        if let old, wasAssumed == nil, !old.nodeName.isEmpty {
            if old.labels != pod.labels || old.isTerminating != pod.isTerminating {
                happened(.assignedPodLabels, "AssignedPodUpdate", pod, old, now)
            }
            if old.requests != pod.requests { happened(.assignedPodScaleDown, "AssignedPodUpdate", pod, old, now) }
        } else {
            happened(.assignedPodAdd, "AssignedPodAdd", pod, nil, now)
        }
    }

    private mutating func pendingChanged(_ pod: SchedulingPod, now: Duration) {
        // An echo from before our own binding.
        guard pod.schedulerName == profile.name, assumed[pod.uid] == nil else { return }
        guard !pod.isTerminating else { return podGone(pod.uid, now: now) }
        pods[pod.uid] = pod
        if !pod.nominatedNodeName.isEmpty { snapshot.nominate(pod, to: pod.nominatedNodeName) }
        queue.update(pod, now: now)
    }

    private mutating func podGone(_ uid: String, now: Duration) {
        queue.remove(uid)
        guard let pod = pods.removeValue(forKey: uid) else { return }
        snapshot.nominate(pod, to: nil)
        let node = assumed.removeValue(forKey: uid) ?? pod.nodeName
        guard !node.isEmpty else { return }
        leave(uid, node)
        happened(.assignedPodDelete, "AssignedPodDelete", pod, nil, now)
    }

    private mutating func settle(_ pod: SchedulingPod) {
        if !snapshot.addPod(pod, to: pod.nodeName) { homeless[pod.nodeName, default: [:]][pod.uid] = pod }
    }

    private mutating func leave(_ uid: String, _ node: String) {
        snapshot.removePod(uid: uid, from: node)
        homeless[node]?[uid] = nil
        if homeless[node]?.isEmpty ?? false { homeless[node] = nil }
    }

    private mutating func nodeChanged(_ facts: NodeFacts, now: Duration) {
        let old = snapshot.node(facts.name)?.facts
        let kind = Self.difference(old, facts)
        if kind.isEmpty && old?.images == facts.images { return }
        snapshot.setNode(facts)
        if old == nil, let waiting = homeless.removeValue(forKey: facts.name) {
            for pod in waiting.values { snapshot.addPod(pod, to: facts.name) }
        }
        guard !kind.isEmpty else { return }
        let label = old == nil ? "NodeAdd" : "NodeUpdate"
        queue.happened(ClusterEvent(kind, label: label, node: facts, oldNode: old), now: now)
    }

    private mutating func nodeGone(_ name: String, now: Duration) {
        guard let node = snapshot.node(name) else { return }
        for pod in node.pods { homeless[name, default: [:]][pod.uid] = pod }
        snapshot.removeNode(name)
        queue.happened(ClusterEvent(.nodeDelete, label: "NodeDelete", node: node.facts), now: now)
    }

    private static func difference(_ old: NodeFacts?, _ new: NodeFacts) -> ClusterEvent.Kind {
        guard let old else { return .nodeAdd }
        var kind: ClusterEvent.Kind = []
        if old.allocatable != new.allocatable || old.allowedPods != new.allowedPods { kind.insert(.nodeAllocatable) }
        if old.labels != new.labels { kind.insert(.nodeLabels) }
        if old.taints != new.taints || old.isUnschedulable != new.isUnschedulable { kind.insert(.nodeTaints) }
        return kind
    }

    private mutating func happened(
        _ kind: ClusterEvent.Kind,
        _ label: String,
        _ pod: SchedulingPod,
        _ old: SchedulingPod?,
        _ now: Duration
    ) {
        queue.happened(ClusterEvent(kind, label: label, pod: pod, oldPod: old), now: now)
    }

    // MARK: Decisions

    /// Decides about the next pod; nil when none is ready.
    package mutating func decide(now: Duration) -> Job? {
        guard var next = queue.pop(now: now) else { return nil }
        snapshot.prepare(for: next.pod)
        switch algorithm.schedule(next.pod, snapshot, &search) {
        case .place(let node, _, _):
            let placed = SchedulingPod(next.pod, on: node)
            snapshot.nominate(placed, to: nil)
            snapshot.addPod(placed, to: node)
            assumed[placed.uid] = node
            return .bind(next, node: node)
        case .reject(let failure, let outcome):
            next.rejectors = failure.rejectors
            let nominated = outcome?.nominatedNode
            if let nominated { snapshot.nominate(next.pod, to: nominated) }
            queue.requeue(next, now: now)
            return .report(next, message: failure.message, nominatedNode: nominated, victims: outcome?.victims ?? [])
        case .noNodes:
            next.rejectors = ["NodeName"]
            queue.requeue(next, now: now)
            return .report(next, message: "no nodes available to schedule pods", nominatedNode: nil, victims: [])
        }
    }

    /// The binding was written.
    package mutating func bound(_ pod: QueuedPod) {
        queue.finish(pod.pod.uid)
    }

    /// The binding could not be written: the pod is not on the node after all.
    package mutating func bindFailed(_ pod: QueuedPod, now: Duration) {
        let uid = pod.pod.uid
        // Confirmed or deleted meanwhile: nothing is to be undone.
        guard let node = assumed.removeValue(forKey: uid) else { return queue.finish(uid) }
        leave(uid, node)
        happened(.assignedPodDelete, "AssignedPodDelete", SchedulingPod(pod.pod, on: node), nil, now)
        guard let known = pods[uid] else { return queue.finish(uid) }
        var again = pod
        again.pod = known
        again.rejectors = []
        queue.requeue(again, now: now)
    }

    /// Lets time pass.
    package mutating func tick(now: Duration) {
        queue.tick(now: now)
    }
}
