import APIModel
import APITypes
import Units
import Values

extension Job {
    static let trackingFinalizer = "batch.kubernetes.io/job-tracking"
    static let indexKey = "batch.kubernetes.io/job-completion-index"
    static let indexFailures = "batch.kubernetes.io/job-index-failure-count"
    static let ignoredIndexFailures = "batch.kubernetes.io/job-index-ignored-failure-count"

    var isIndexed: Bool { spec.completionMode == "Indexed" }
    var isSuspended: Bool { spec.suspend ?? false }
    var backoffLimit: Int { spec.backoffLimit ?? 6 }
    var parallelism: Int { spec.parallelism ?? 1 }
    var replacesOnlyFailed: Bool { spec.podReplacementPolicy == "Failed" }

    /// Reached its end, well or badly.
    public var isFinished: Bool {
        status.conditions.contains { ($0.type == "Complete" || $0.type == "Failed") && $0.status == "True" }
    }

    func trueCondition(_ type: String) -> JobCondition? {
        status.conditions.first { $0.type == type && $0.status == "True" }
    }

    /// A terminating pod will not succeed any more, unless only finished failures are to be replaced.
    func hasFailed(_ pod: Pod) -> Bool {
        if pod.status.phase == "Failed" { return true }
        return !replacesOnlyFailed && pod.isBeingDeleted && pod.status.phase != "Succeeded"
    }

    /// Restarts in place count against the limit as well.
    func isPastRestarts(_ pods: [Pod]) -> Bool {
        guard spec.template.spec.restartPolicy == "OnFailure" else { return false }
        var restarts = 0
        for pod in pods where pod.status.phase == "Running" || pod.status.phase == "Pending" {
            restarts += pod.status.initContainerStatuses.reduce(0) { $0 + $1.restartCount }
            restarts += pod.status.containerStatuses.reduce(0) { $0 + $1.restartCount }
        }
        return backoffLimit == 0 ? restarts > 0 : restarts >= backoffLimit
    }
}

extension Pod {
    var isTracked: Bool { metadata.finalizers.contains(Job.trackingFinalizer) }

    /// Which completion it works on.
    var completionIndex: Int? { metadata.annotations[Job.indexKey].flatMap { Int($0) } }

    /// How often its index had failed before it.
    var indexFailureCount: Int { metadata.annotations[Job.indexFailures].flatMap { Int($0) } ?? 0 }

    /// When it ended, as well as can be told.
    var finishTime: Timestamp {
        let ends = status.containerStatuses.map { $0.state.terminated?.finishedAt }
        if !ends.isEmpty, !ends.contains(where: { $0 == nil }), let last = ends.compactMap({ $0 }).max() { return last }
        if let ready = readyCondition, ready.status == "False", let since = ready.lastTransitionTime { return since }
        let epoch = Timestamp(unixSeconds: 0, nanoseconds: 0)
        return metadata.deletionTimestamp ?? metadata.creationTimestamp ?? epoch
    }
}

/// What a job's failure policy makes of a failed pod.
struct JobFailureVerdict: Sendable, Hashable {
    /// Whether the failure counts.
    var counts = true
    /// Whether the pod's whole index has failed.
    var failsIndex = false
    /// Why the whole job has failed.
    var failsJob: String?

    init(_ policy: PodFailurePolicy?, _ pod: Pod) {
        for (number, rule) in (policy?.rules ?? []).enumerated() {
            guard let what = Self.match(rule, pod) else { continue }
            switch rule.action {
            case "Ignore": counts = false
            case "FailIndex": failsIndex = true
            case "FailJob": failsJob = "\(what) matching FailJob rule at index \(number)"
            default: break
            }
            return
        }
    }

    private static func match(_ rule: PodFailurePolicyRule, _ pod: Pod) -> String? {
        if let codes = rule.onExitCodes {
            for container in pod.status.containerStatuses + pod.status.initContainerStatuses {
                guard let code = container.state.terminated?.exitCode, code != 0 else { continue }
                if let name = codes.containerName, name != container.name { continue }
                guard codes.values.contains(code) == (codes.operator == "In") else { continue }
                return "Container \(container.name) for pod \(pod.namespace)/\(pod.name) failed with exit code \(code)"
            }
            return nil
        }
        for condition in pod.status.conditions {
            let matches = rule.onPodConditions.contains { $0.type == condition.type && $0.status == condition.status }
            if matches { return "Pod \(pod.namespace)/\(pod.name) has condition \(condition.type)" }
        }
        return nil
    }
}

/// How long a job waits before it tries again: doubled with every failure since the last success.
public struct JobBackoff: Sendable, Hashable {
    static let first: Duration = .seconds(10)
    static let longest: Duration = .seconds(600)

    private(set) var failures = 0
    private(set) var last: Timestamp?

    /// Nothing has failed.
    public init() {}

    /// Takes in pods that finished since the last round.
    func noting(succeeded: [Pod], failed: [Pod]) -> JobBackoff {
        var copy = self
        let times = failed.map(\.finishTime).sorted()
        guard let success = succeeded.map(\.finishTime).max() else {
            copy.failures += times.count
            copy.last = times.last ?? last
            return copy
        }
        let since = times.filter { $0 > success }
        copy.failures = since.count
        copy.last = since.last
        return copy
    }

    func remaining(now: Timestamp) -> Duration { Self.remaining(failures: failures, last: last, now: now) }

    static func remaining(failures: Int, last: Timestamp?, now: Timestamp) -> Duration {
        guard failures > 0, let last else { return .zero }
        let wait = failures > 7 ? longest : min(longest, first * (1 << (failures - 1)))
        return max(.zero, wait - (now - last))
    }
}
