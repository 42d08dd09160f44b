import APITypes
import PodRuntime
import Units

/// Why a container does not run, in the words of `kubectl get pods`.
struct WaitingReason: Sendable, Hashable {
    /// `CrashLoopBackOff`, `ErrImagePull` …
    var reason: String
    /// The sentence behind it.
    var message: String
}

/// All that a pod's status is made from. One snapshot, so that generating a status is pure.
struct StatusInputs: Sendable {
    /// The pod as the API server last showed it.
    var pod: Pod
    /// The status generated last, or the API server's after a restart.
    var previous: PodStatus
    /// What the runtime shows.
    var observed: ObservedPod
    /// Why containers could not be started, by name.
    var waiting: [String: WaitingReason] = [:]
    /// The probes' conclusions.
    var probes = ProbeOutcomes()
    /// Whether no container of the pod will ever be started again.
    var isTerminal = false
    /// Set when the kubelet itself ends the pod (eviction, deadline): phase Failed with these words.
    var failure: (reason: String, message: String)?
    /// The node's addresses, main one first.
    var hostAddresses: [String] = []
    /// What the containers were given, and have; nil: what the pod's spec says.
    var allocation: PodAllocation?
    /// The conditions of a resize.
    var resize: [PodCondition] = []
    /// Now.
    var now: Timestamp
}
