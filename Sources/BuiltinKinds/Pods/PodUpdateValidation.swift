import Schema
import Units
import Values

/// What may change of a pod that exists.
enum PodUpdateValidation {
    private static let words = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

    static func issues(_ pod: JSONValue, old: JSONValue) -> [FieldIssue] {
        let spec = FieldPath("spec")
        var new = pod["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        var issues: [FieldIssue] = []
        for list in ["containers", "initContainers"] {
            let (mine, theirs) = (new[list]?.array ?? [], before[list]?.array ?? [])
            guard mine.count == theirs.count else {
                issues.append(.forbidden(spec.child(list), "pod updates may not add or remove containers"))
                return issues
            }
            for (index, container) in mine.enumerated() where container["image"]?.string?.isEmpty ?? true {
                issues.append(.required(spec.child(list).index(index).child("image"), ""))
            }
            if !theirs.isEmpty { new[list] = .array(zip(mine, theirs).map { withImage($0, of: $1) }) }
        }
        if let deadline = new["activeDeadlineSeconds"]?.int, let known = before["activeDeadlineSeconds"]?.int, deadline > known {
            issues.append(.invalid(spec.child("activeDeadlineSeconds"), .integer(deadline), "must be less than or equal to previous value"))
        } else if new["activeDeadlineSeconds"] == nil, before["activeDeadlineSeconds"] != nil {
            issues.append(.invalid(spec.child("activeDeadlineSeconds"), .null, "must not update from a positive integer to nil value"))
        }
        let (tolerations, known) = (new["tolerations"]?.array ?? [], before["tolerations"]?.array ?? [])
        if !known.allSatisfy({ tolerations.contains($0) }) {
            issues.append(.forbidden(spec.child("tolerations"), "existing toleration can not be modified except its tolerationSeconds"))
        }
        for field in ["activeDeadlineSeconds", "tolerations"] { new[field] = before[field] }
        if !gatesOnlyRemoved(new, before) {
            issues.append(.forbidden(spec.child("schedulingGates"), "only deletion is allowed, but found new scheduling gate"))
        }
        new["schedulingGates"] = before["schedulingGates"]
        if new != before { issues.append(.forbidden(spec, words)) }
        return issues
    }

    private static func withImage(_ container: JSONValue, of other: JSONValue) -> JSONValue {
        var container = container
        container["image"] = other["image"]
        return container
    }

    private static func gatesOnlyRemoved(_ new: JSONValue, _ old: JSONValue) -> Bool {
        let known = old["schedulingGates"]?.array ?? []
        return (new["schedulingGates"]?.array ?? []).allSatisfy { known.contains($0) }
    }
}
