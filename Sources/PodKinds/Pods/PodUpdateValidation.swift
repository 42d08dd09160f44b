import Schema
import Units
import Values

/// What may change of a pod that exists.
package struct PodUpdateValidation {
    /// The pod as it is to be.
    package let changed: JSONValue
    /// The pod as it was.
    package let previous: JSONValue
    private let new: JSONValue
    private let before: JSONValue

    private static let spec = FieldPath("spec")
    private static let words =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

    package init(_ pod: JSONValue, old: JSONValue) {
        changed = pod
        previous = old
        new = pod["spec"] ?? [:]
        before = old["spec"] ?? [:]
    }

    /// An update of the pod itself.
    package func object(_ issues: inout [FieldIssue]) {
        if new == before { return }
        for list in ["containers", "initContainers"] {
            guard new.list(list).count == before.list(list).count else {
                return issues.forbidden(Self.spec.child(list), "pod updates may not add or remove containers")
            }
            for (index, container) in new.list(list).enumerated() {
                let (image, place) = (container.text("image"), Self.spec.child(list).index(index).child("image"))
                if image.isEmpty { issues.required(place) }
                if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
                    issues.invalid(place, .string(image), "must not have leading or trailing whitespace")
                }
            }
        }
        guard deadline(&issues) else { return }
        tolerations(&issues)
        gates(&issues)
        var munged = new
        for list in ["containers", "initContainers"] {
            let (mine, theirs) = (new.list(list), before.list(list))
            if !theirs.isEmpty { munged[list] = .array(zip(mine, theirs).map { withImage($0, of: $1) }) }
        }
        for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] { munged[field] = before[field] }
        if let grace = before["terminationGracePeriodSeconds"]?.int, grace < 0, munged["terminationGracePeriodSeconds"]?.int == 1 {
            munged["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
        }
        if !before.list("schedulingGates").isEmpty { gatedPlacement(&munged, &issues) }
        if munged != before { issues.forbidden(Self.spec, Self.words + SpecDifference.text(before, munged, as: "core.PodSpec")) }
    }

    private func withImage(_ container: JSONValue, of other: JSONValue) -> JSONValue {
        var container = container
        container["image"] = other["image"]
        return container
    }

    private func deadline(_ issues: inout [FieldIssue]) -> Bool {
        let place = Self.spec.child("activeDeadlineSeconds")
        let known = before["activeDeadlineSeconds"]?.int
        guard let deadline = new["activeDeadlineSeconds"]?.int else {
            if known != nil { issues.invalid(place, .null, "must not update from a positive integer to nil value") }
            return true
        }
        let count = issues.count
        issues.range(deadline, 0, 2_147_483_647, place)
        if issues.count == count, let known, known < deadline {
            issues.invalid(place, .integer(deadline), "must be less than or equal to previous value")
        }
        return issues.count == count
    }

    private func tolerations(_ issues: inout [FieldIssue]) {
        let mine = Set(new.list("tolerations").map(withoutSeconds))
        guard before.list("tolerations").contains(where: { !mine.contains(withoutSeconds($0)) }) else { return }
        issues.forbidden(Self.spec.child("tolerations"), "existing toleration can not be modified except its tolerationSeconds")
    }

    private func withoutSeconds(_ toleration: JSONValue) -> JSONValue {
        var toleration = toleration
        toleration["tolerationSeconds"] = nil
        return toleration
    }

    private func gates(_ issues: inout [FieldIssue]) {
        let known = Set(before.list("schedulingGates").map { $0.text("name") })
        for (index, gate) in new.list("schedulingGates").enumerated() where !known.contains(gate.text("name")) {
            let words = "only deletion is allowed, but found new scheduling gate '\(gate.text("name"))'"
            issues.forbidden(Self.spec.child("schedulingGates").index(index).child("name"), words)
        }
    }

    /// While gates hold the pod back, where it may run can be narrowed.
    private func gatedPlacement(_ munged: inout JSONValue, _ issues: inout [FieldIssue]) {
        let (selector, known) = (munged.members("nodeSelector"), before.members("nodeSelector"))
        if selector != known {
            if known.contains(where: { selector[$0.key] != $0.value }) {
                let words = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
                issues.invalid(Self.spec.child("nodeSelector"), munged["nodeSelector"], words)
            }
            munged["nodeSelector"] = before["nodeSelector"]
        }
        let (affinity, had) = (munged["affinity"]?["nodeAffinity"], before["affinity"]?["nodeAffinity"])
        guard affinity != had else { return }
        nodeAffinity(affinity, had, &issues)
        if let had {
            munged.set(had, at: ["affinity", "nodeAffinity"])
        } else {
            munged.remove(at: ["affinity", "nodeAffinity"])
            if before["affinity"] == nil, munged["affinity"]?.object?.isEmpty == true { munged["affinity"] = nil }
        }
    }

    private func nodeAffinity(_ affinity: JSONValue?, _ had: JSONValue?, _ issues: inout [FieldIssue]) {
        let required = "requiredDuringSchedulingIgnoredDuringExecution"
        guard let had = had?[required] else { return }
        let (mine, theirs) = (affinity?[required]?.list("nodeSelectorTerms") ?? [], had.list("nodeSelectorTerms"))
        let place = Self.spec.child("affinity", "nodeAffinity", required, "nodeSelectorTerms")
        guard theirs.isEmpty || mine.count == theirs.count else {
            let words = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
            return issues.invalid(place, .array(mine), words)
        }
        for (index, (term, known)) in zip(mine, theirs).enumerated() where !onlyAdds(term, known) {
            issues.invalid(place.index(index), term, "only additions are allowed (no mutations or deletions)")
        }
    }

    private func onlyAdds(_ term: JSONValue, _ known: JSONValue) -> Bool {
        let fields = ["matchExpressions", "matchFields"]
        if fields.allSatisfy({ known.list($0).isEmpty }) { return fields.allSatisfy { term.list($0).isEmpty } }
        return fields.allSatisfy { term.list($0).starts(with: known.list($0)) }
    }

    /// Ephemeral containers can be added, never changed.
    package func ephemeralContainers(_ issues: inout [FieldIssue]) {
        let place = Self.spec.child("ephemeralContainers")
        for known in before.list("ephemeralContainers") {
            let name = known.text("name")
            guard let mine = new.list("ephemeralContainers").last(where: { $0.text("name") == name }) else {
                issues.forbidden(place, "existing ephemeral containers \(GoQuote.quote(name)) may not be removed\n")
                continue
            }
            if mine == known { continue }
            let words = "existing ephemeral containers \(GoQuote.quote(name)) may not be changed"
            issues.forbidden(place, words + SpecDifference.text(known, mine, as: "core.EphemeralContainer"))
        }
    }
}
