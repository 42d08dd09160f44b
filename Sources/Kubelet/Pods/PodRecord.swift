import APITypes
import PodRuntime
import Units

/// Why the kubelet itself ends a pod.
struct PodFailure: Sendable, Hashable {
    var reason: String
    var message: String
}

/// What the kubelet knows of one pod. A value; owned by `PodTable`.
struct PodRecord: Sendable {
    /// Where a pod is in its life. Only ever moves down this list.
    enum Stage: Int, Sendable, Comparable {
        /// Kept as its spec wants it. Exits: `terminating`.
        case syncing
        /// Its containers are being ended. Exits: `terminated`.
        case terminating
        /// Nothing runs; waits for the API server to forget it. Exits: `gone`.
        case terminated
        /// Nothing is left of it on the node.
        case gone

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// The newest the API server showed; nil for a pod known only from the runtime.
    var pod: Pod?
    var uid: String
    var stage = Stage.syncing
    /// The API server does not have it any more.
    var isRemoved = false
    var failure: PodFailure?
    /// Why containers could not be started, by name.
    var waiting: [String: WaitingReason] = [:]
    /// The status generated last.
    var status: PodStatus?
    var observed: ObservedPod
    /// How often in a row a sync failed.
    var failures = 0
    /// The shortest grace period asked for so far.
    var graceSeconds: Int64?
    /// Set while a sync runs, to end it early when the pod is to be terminated.
    var cancelSync: (@Sendable () -> Void)?
    /// The pod's volumes, once made in this process.
    var mounts: [String: MountedVolume]?
    /// When volumes that follow the API are looked at next.
    var refreshAt: Timestamp?
    /// The node takes it: it counts among what the node's resources are used by.
    var isAdmitted = false
    /// The first status was published.
    var isAnnounced = false
    /// The amounts it was given; nil until its first pass.
    var allocation: PodAllocation?
    /// What is said of a change of these.
    var resize = ResizeConditions()

    init(uid: String, pod: Pod?) {
        self.uid = uid
        self.pod = pod
        observed = ObservedPod(uid: uid)
    }

    /// Whether it uses the node: taken, or begun by an earlier kubelet, and not at its end. What the API server does not have
    /// any more does not count, though it may still be ending: the scheduler has given its place away.
    var occupiesNode: Bool {
        guard stage < .terminated, !isRemoved, failure == nil, let status = status ?? pod?.status else { return false }
        return (isAdmitted || status.startTime != nil) && status.phase != "Failed" && status.phase != "Succeeded"
    }

    /// Whether the pod must be ended now.
    var mustTerminate: Bool {
        stage >= .terminating || isRemoved || failure != nil || pod?.metadata.deletionTimestamp != nil || pod == nil
    }
}
