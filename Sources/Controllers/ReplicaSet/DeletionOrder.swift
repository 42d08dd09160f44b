import APIModel
import APITypes
import Units

/// Which pods go first when there are too many: those whose loss is felt least.
public struct DeletionOrder: Sendable, Comparable {
    private let unassigned: Bool
    private let node: String
    private let phase: Int
    private let ready: Bool
    private let available: Bool
    private let cost: Int
    private let neighbours: Int
    private let readyTime: Timestamp?
    private let restarts: Int
    private let sidecarRestarts: Int
    private let created: Timestamp?
    private let uid: String
    private let now: Timestamp

    /// The rank of `pod`; `neighbours` counts related active pods on its node.
    public init(_ pod: Pod, neighbours: Int, minReadySeconds: Int, now: Timestamp) {
        node = pod.spec.nodeName
        unassigned = node.isEmpty
        phase = ["Pending": 0, "Unknown": 1, "Running": 2][pod.status.phase] ?? 0
        ready = pod.isReady
        available = pod.isAvailable(minReadySeconds: minReadySeconds, now: now)
        cost = pod.deletionCost
        self.neighbours = neighbours
        readyTime = pod.readySince
        let sidecars = Set(pod.spec.initContainers.filter { $0.restartPolicy == "Always" }.map(\.name))
        restarts = pod.status.containerStatuses.map { Int($0.restartCount) }.max() ?? 0
        sidecarRestarts =
            pod.status.initContainerStatuses.filter { sidecars.contains($0.name) }
            .map { Int($0.restartCount) }.max() ?? 0
        created = pod.metadata.creationTimestamp
        uid = pod.uid
        self.now = now
    }

    /// The `count` pods to delete first.
    public static func first(_ count: Int, of pods: [Pod], related: [Pod], minReadySeconds: Int = 0, now: Timestamp) -> [Pod] {
        guard count < pods.count else { return pods }
        var perNode: [String: Int] = [:]
        for pod in related where pod.isActive { perNode[pod.spec.nodeName, default: 0] += 1 }
        let ranked = pods.map { pod in
            let neighbours = perNode[pod.spec.nodeName] ?? 0
            return (pod: pod, rank: DeletionOrder(pod, neighbours: neighbours, minReadySeconds: minReadySeconds, now: now))
        }
        return ranked.sorted { $0.rank < $1.rank }.prefix(count).map(\.pod)
    }

    /// Whether `one` is deleted before `other`.
    public static func < (one: DeletionOrder, other: DeletionOrder) -> Bool {
        if one.unassigned != other.unassigned { return one.unassigned }
        if one.phase != other.phase { return one.phase < other.phase }
        if one.ready != other.ready { return !one.ready }
        // Beyond upstream: what does not count as available yet is missed by nobody.
        if one.available != other.available { return !one.available }
        if one.cost != other.cost { return one.cost < other.cost }
        if one.neighbours != other.neighbours { return one.neighbours > other.neighbours }
        if one.ready, other.ready, one.readyTime != other.readyTime {
            return younger(one.readyTime, other.readyTime, one, other)
        }
        if one.restarts != other.restarts { return one.restarts > other.restarts }
        if one.sidecarRestarts != other.sidecarRestarts { return one.sidecarRestarts > other.sidecarRestarts }
        if one.created != other.created { return younger(one.created, other.created, one, other) }
        return false
    }

    /// Ages are compared by their magnitude only, so that not always the same generation of pods is hit.
    private static func younger(_ a: Timestamp?, _ b: Timestamp?, _ one: DeletionOrder, _ other: DeletionOrder) -> Bool {
        guard let a, let b else { return a == nil }
        let difference = magnitude(one.now - a) - magnitude(one.now - b)
        return difference == 0 ? one.uid < other.uid : difference < 0
    }

    private static func magnitude(_ age: Duration) -> Int {
        let (seconds, attoseconds) = age.components
        let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !nanoseconds.overflow else { return 63 }
        let total = nanoseconds.partialValue &+ attoseconds / 1_000_000_000
        return total > 0 ? 63 - total.leadingZeroBitCount : -1
    }
}
