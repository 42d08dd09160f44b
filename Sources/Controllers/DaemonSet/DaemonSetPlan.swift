import APIModel
import APITypes
import Units
import Values

/// What a daemon set does next: one pod on every node that fits, rolled node by node.
public struct DaemonSetPlan: Sendable {
    /// No round starts or stops more pods.
    static let burst = 250

    /// The nodes that need a pod.
    public var start: [String] = []
    /// Pods to stop.
    public var stop: [Pod] = []
    /// What to tell.
    public var events: [EventNote] = []
    /// The status that follows.
    public var status: DaemonSetStatus
    /// When to look again.
    public var requeueAfter: Duration?

    /// Decides. `hash` is the present template's; `failed` tells how long the failed pod of a node still has to stay.
    public static func plan(
        _ set: DaemonSet,
        hash: String,
        nodes: [Node],
        pods: [Pod],
        settled: Bool,
        now: Timestamp,
        backoff: (_ node: String) -> Duration?
    ) -> DaemonSetPlan {
        var round = DaemonRound(set, hash: hash, nodes: nodes, pods: pods, now: now)
        if settled, !set.isBeingDeleted {
            for node in nodes { round.manage(node, backoff: backoff) }
            round.dropPodsOfGoneNodes()
            if round.plan.start.isEmpty, round.plan.stop.isEmpty, set.spec.updateStrategy.type == "RollingUpdate" { round.roll() }
            round.plan.start = Array(round.plan.start.prefix(burst))
            round.plan.stop = Array(round.plan.stop.prefix(burst))
        }
        round.report()
        return round.plan
    }

    /// A pod for one node.
    static func pod(of set: DaemonSet, hash: String, on node: String) -> Pod {
        var pod = PodTemplates.pod(
            from: set.spec.template,
            ownerName: set.name,
            namespace: set.namespace,
            reference: set.controllerReference()
        )
        pod.metadata.labels[RevisionHistory.hashLabel] = hash
        if let generation = set.annotations["deprecated.daemonset.template.generation"] {
            pod.metadata.labels["pod-template-generation"] = generation
        }
        pod.spec.tolerations = tolerations(of: set)
        let term: JSONValue = ["matchFields": [["key": "metadata.name", "operator": "In", "values": [.string(node)]]]]
        var spec = JSONValue.object(pod.spec.fields)
        let place = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]
        spec.set(["nodeSelectorTerms": [term]], at: place)
        pod.spec = PodSpec(value: spec)
        return pod
    }

    /// Daemons stay where others have to leave.
    static func tolerations(of set: DaemonSet) -> [Toleration] {
        var result = set.spec.template.spec.tolerations
        var wanted = [
            ("node.kubernetes.io/not-ready", "NoExecute"), ("node.kubernetes.io/unreachable", "NoExecute"),
            ("node.kubernetes.io/disk-pressure", "NoSchedule"), ("node.kubernetes.io/memory-pressure", "NoSchedule"),
            ("node.kubernetes.io/pid-pressure", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule"),
        ]
        if set.spec.template.spec.hostNetwork { wanted.append(("node.kubernetes.io/network-unavailable", "NoSchedule")) }
        for (key, effect) in wanted where !result.contains(where: { $0.key == key && $0.effect == effect && $0.operator == "Exists" }) {
            result.append(
                Toleration {
                    $0.key = key
                    $0.operator = "Exists"
                    $0.effect = effect
                }
            )
        }
        return result
    }

    /// Whether a node should get a pod, and whether one that is there may stay.
    static func fits(_ set: DaemonSet, _ node: Node) -> (run: Bool, stay: Bool) {
        let spec = set.spec.template.spec
        guard spec.nodeName.isEmpty || spec.nodeName == node.name, NodeFit.matches(spec, node) else { return (false, false) }
        let tolerations = tolerations(of: set)
        let hard = node.spec.taints.filter { taint in
            taint.effect != "PreferNoSchedule" && !tolerations.contains { $0.tolerates(taint) }
        }
        return (hard.isEmpty, !hard.contains { $0.effect == "NoExecute" })
    }
}

/// One round over a daemon set, on copies.
struct DaemonRound {
    let set: DaemonSet
    let hash: String
    let now: Timestamp
    var plan: DaemonSetPlan
    var byNode: [String: [Pod]] = [:]
    private let nodes: [Node]
    private let fits: [String: (run: Bool, stay: Bool)]

    init(_ set: DaemonSet, hash: String, nodes: [Node], pods: [Pod], now: Timestamp) {
        self.set = set
        self.hash = hash
        self.nodes = nodes
        self.now = now
        plan = DaemonSetPlan(status: set.status)
        fits = Dictionary(nodes.map { ($0.name, DaemonSetPlan.fits(set, $0)) }, uniquingKeysWith: { first, _ in first })
        for pod in pods { byNode[NodeFit.target(of: pod), default: []].append(pod) }
        for node in byNode.keys { byNode[node]?.sort(by: Self.betterFirst) }
    }

    /// Placed before unplaced, older before newer.
    private static func betterFirst(_ one: Pod, _ other: Pod) -> Bool {
        let (a, b) = (one.spec.nodeName.isEmpty, other.spec.nodeName.isEmpty)
        if a != b { return b }
        guard let x = one.metadata.creationTimestamp, let y = other.metadata.creationTimestamp, x != y else { return one.name < other.name }
        return x < y
    }

    func isUpdated(_ pod: Pod) -> Bool { pod.labels[RevisionHistory.hashLabel] == hash }
    func isAvailable(_ pod: Pod) -> Bool { pod.isAvailable(minReadySeconds: set.spec.minReadySeconds, now: now) }
    func shouldRun(_ node: String) -> Bool { fits[node]?.run ?? false }

    var surge: Int { scaled(set.spec.updateStrategy.rollingUpdate?.maxSurge, roundUp: true) }
    private var desired: Int { fits.values.count(where: \.run) }

    private func scaled(_ value: IntOrString?, roundUp: Bool) -> Int {
        value.flatMap { $0.scaledValue(total: desired, roundUp: roundUp) } ?? 0
    }

    // MARK: One pod each

    mutating func manage(_ node: Node, backoff: (String) -> Duration?) {
        let present = byNode[node.name] ?? []
        let (run, stay) = fits[node.name] ?? (false, false)
        if run, present.isEmpty {
            plan.start.append(node.name)
        } else if stay {
            let running = clearEnded(present, node, backoff: backoff)
            thin(running, node.name, run: run)
        } else {
            plan.stop += present.filter { !$0.isBeingDeleted }
        }
    }

    private mutating func clearEnded(_ pods: [Pod], _ node: Node, backoff: (String) -> Duration?) -> [Pod] {
        var running: [Pod] = []
        for pod in pods where !pod.isBeingDeleted {
            let name = "\(pod.namespace)/\(pod.name) on node \(node.name)"
            switch pod.status.phase {
            case "Failed":
                if let wait = backoff(node.name) {
                    plan.requeueAfter = min(plan.requeueAfter ?? wait, wait)
                    continue
                }
                plan.events.append(.init(.warning, "FailedDaemonPod", "Found failed daemon pod \(name), will try to kill it"))
                plan.stop.append(pod)
            case "Succeeded":
                plan.events.append(.init(.normal, "SucceededDaemonPod", "Found succeeded daemon pod \(name), will try to delete it"))
                plan.stop.append(pod)
            default: running.append(pod)
            }
        }
        return running
    }

    private mutating func thin(_ running: [Pod], _ node: String, run: Bool) {
        guard surge > 0 else {
            plan.stop += running.dropFirst()
            return
        }
        if running.isEmpty, run, byNode[node]?.isEmpty == false { plan.start.append(node) }
        guard running.count > 1 else { return }
        let new = running.filter(isUpdated)
        let old = running.filter { !isUpdated($0) }
        plan.stop += new.dropFirst() + old.dropFirst()
        guard let newest = new.first, let oldest = old.first else { return }
        if !oldest.isReady || isAvailable(newest) { plan.stop.append(oldest) }
    }

    mutating func dropPodsOfGoneNodes() {
        for (node, pods) in byNode where fits[node] == nil {
            plan.stop += pods.filter { $0.spec.nodeName.isEmpty && !$0.isBeingDeleted && !node.isEmpty }
        }
    }

    // MARK: Rolling

    mutating func roll() {
        if surge > 0 { return rollWithSurge() }
        let limit = max(1, scaled(set.spec.updateStrategy.rollingUpdate?.maxUnavailable ?? .int(1), roundUp: true))
        var unavailable = 0
        var unfit: [Pod] = []
        var candidates: [Pod] = []
        for node in byNode.keys.sorted() {
            guard let (new, old) = versions(on: node) else {
                unavailable += 1
                continue
            }
            switch (new, old) {
            case (nil, nil), (_?, _?): unavailable += 1
            case (let new?, nil):
                if !isAvailable(new) { unavailable += 1 }
            case (nil, let old?):
                if isAvailable(old) {
                    candidates.append(old)
                } else {
                    unfit.append(old)
                    unavailable += 1
                }
            }
        }
        plan.stop += unfit + candidates.prefix(max(0, limit - unavailable))
    }

    private mutating func rollWithSurge() {
        var surging = 0
        var allowed: [String] = []
        var candidates: [String] = []
        for node in byNode.keys.sorted() {
            guard let (new, old) = versions(on: node) else {
                surging += 1
                continue
            }
            guard let old else { continue }
            if let new {
                if isAvailable(new) { plan.stop.append(old) } else { surging += 1 }
            } else if !isAvailable(old) {
                if shouldRun(node) { allowed.append(node) } else { plan.stop.append(old) }
            } else if shouldRun(node) {
                candidates.append(node)
            }
        }
        plan.start += allowed + candidates.prefix(max(0, surge - surging))
    }

    /// Nil where more than one pod of a version runs: that is put right first.
    private func versions(on node: String) -> (new: Pod?, old: Pod?)? {
        let alive = (byNode[node] ?? []).filter { !$0.isBeingDeleted }
        let new = alive.filter(isUpdated)
        let old = alive.filter { !isUpdated($0) }
        return new.count > 1 || old.count > 1 ? nil : (new.first, old.first)
    }

    // MARK: Status

    mutating func report() {
        var status = plan.status
        var (scheduled, misscheduled, ready, updated, available) = (0, 0, 0, 0, 0)
        for node in nodes {
            let pods = byNode[node.name] ?? []
            guard shouldRun(node.name) else {
                if !pods.isEmpty { misscheduled += 1 }
                continue
            }
            guard let pod = pods.first else { continue }
            scheduled += 1
            if pod.isReady { ready += 1 }
            if isAvailable(pod) { available += 1 }
            if isUpdated(pod) { updated += 1 }
        }
        status.desiredNumberScheduled = desired
        status.currentNumberScheduled = scheduled
        status.numberMisscheduled = misscheduled
        status.numberReady = ready
        status.updatedNumberScheduled = updated
        status.numberAvailable = available
        status.numberUnavailable = desired - available
        status.observedGeneration = set.metadata.generation
        plan.status = status
        if set.spec.minReadySeconds > 0, ready != available {
            let wait = Duration.seconds(set.spec.minReadySeconds)
            plan.requeueAfter = min(plan.requeueAfter ?? wait, wait)
        }
    }
}
