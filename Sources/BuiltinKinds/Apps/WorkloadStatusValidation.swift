import PodKinds
import Schema
import Units
import Values

/// What is wrong with the status of a workload.
enum WorkloadStatusValidation {
    private static let path = FieldPath("status")
    private static let daemonSet = [
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
        "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
    ]
    private static let replicated = [
        "observedGeneration", "replicas", "fullyLabeledReplicas", "currentReplicas", "updatedReplicas", "readyReplicas",
        "availableReplicas",
        "unavailableReplicas", "terminatingReplicas", "collisionCount",
    ]

    static func check(_ object: JSONValue, old: JSONValue, _ kind: WorkloadHooks.Kind, _ issues: inout [FieldIssue]) {
        let status = object["status"] ?? [:]
        for field in kind == .daemonSet ? daemonSet : replicated { issues.nonNegative(status[field]?.int, path.child(field)) }
        if kind != .daemonSet {
            let all = status.number("replicas")
            let parts =
                kind == .deployment
                ? ["updatedReplicas", "readyReplicas", "availableReplicas"]
                : ["fullyLabeledReplicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"]
            for field in parts {
                guard let value = status[field]?.int, value > all else { continue }
                issues.invalid(path.child(field), .integer(value), "cannot be greater than status.replicas")
            }
            let (available, ready) = (status.number("availableReplicas"), status.number("readyReplicas"))
            if available > ready {
                let what = kind == .statefulSet ? "status.readyReplicas" : "readyReplicas"
                issues.invalid(path.child("availableReplicas"), .integer(available), "cannot be greater than \(what)")
            }
        }
        if let known = old["status"]?["collisionCount"]?.int, status["collisionCount"]?.int ?? Int64.min < known {
            issues.invalid(path.child("collisionCount"), .integer(status.number("collisionCount")), "cannot be decremented")
        }
    }
}
