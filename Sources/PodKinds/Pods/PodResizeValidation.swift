import Schema
import Units
import Values

extension PodUpdateValidation {
    private static let lists = ["containers", "initContainers"]

    /// A resize changes cpu and memory of containers and of the whole, and nothing else.
    package func resize(_ issues: inout [FieldIssue]) {
        let spec = FieldPath("spec")
        let (wanted, known) = (changed["spec"] ?? [:], previous["spec"] ?? [:])
        let quality = previous["status"]?["qosClass"]?.string ?? QualityOfService.of(known)
        if QualityOfService.of(wanted) != quality {
            issues.invalid(spec, changed["status"]?["qosClass"] ?? "", "Pod QOS Class may not change as a result of resizing")
        }
        let running = previous["status"]?.list("containerStatuses").first { $0["state"]?["running"] != nil }
        if let running, running["resources"] == nil { issues.forbidden(spec, "Pod running on node without support for resize") }
        var munged = wanted
        podResources(&munged, known, spec, &issues)
        if previous["status"]?.list("nodeAllocatableResourceClaimStatuses").isEmpty == false {
            issues.forbidden(spec, "pods with node allocatable resource claims cannot be resized")
        }
        guard sameContainers(wanted, known, spec, &issues) else { return }
        for list in Self.lists.reversed() {
            for (index, pair) in zip(wanted.list(list), known.list(list)).enumerated() {
                removed(pair.0, pair.1, spec.child(list).index(index).child("resources"), &issues)
            }
        }
        for list in Self.lists where !known.list(list).isEmpty {
            let merged = zip(wanted.list(list), known.list(list)).map(withResources)
            munged[list] = .array(merged)
            for (index, pair) in zip(merged, known.list(list)).enumerated() {
                if list == "containers" {
                    if pair.0 != pair.1 { issues.forbidden(spec, "only cpu and memory resources are mutable") }
                } else {
                    initial(pair.0, pair.1, wanted.list(list)[index], spec.child(list).index(index), &issues)
                }
            }
        }
        if issues.isEmpty, munged != known { issues.forbidden(spec, "only cpu and memory resources are mutable") }
    }

    private func initial(
        _ merged: JSONValue,
        _ known: JSONValue,
        _ wanted: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        if merged != known { issues.forbidden(path, "only cpu and memory resources for init or sidecar containers are mutable") }
        if wanted == known || wanted.text("restartPolicy") == "Always" { return }
        for policy in wanted.list("resizePolicy") where policy.text("restartPolicy") == "RestartContainer" {
            issues.forbidden(path, "non-sidecar init containers with a resize policy of RestartContainer cannot be resized")
        }
    }

    /// The amounts of the pod as a whole.
    private func podResources(_ munged: inout JSONValue, _ known: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (mine, theirs) = (munged["resources"], known["resources"])
        let isSet = { (value: JSONValue?) in
            ["requests", "limits"].contains { value?.members($0).isEmpty == false }
        }
        guard isSet(mine) || isSet(theirs) else { return }
        let place = path.child("resources")
        guard let mine else { return issues.forbidden(place, "pod-level resources cannot be removed") }
        for list in ["requests", "limits"] {
            let names = mine.members(list)
            if theirs?.members(list).contains(where: { names[$0.key] == nil }) == true {
                issues.forbidden(place.child(list), "pod-level resource \(list) cannot be removed")
            }
        }
        let merged = amounts(mine, theirs)
        munged["resources"] = merged == [:] && theirs == nil ? nil : merged
        if munged["resources"] != theirs { issues.forbidden(path, "only cpu and memory resources are mutable at pod-level") }
    }

    private func sameContainers(
        _ wanted: JSONValue,
        _ known: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) -> Bool {
        let before = issues.count
        for list in Self.lists {
            let (mine, theirs) = (wanted.list(list), known.list(list))
            if mine.count != theirs.count {
                issues.forbidden(path.child(list), "\(list) may not be added or removed on resize")
                continue
            }
            for (index, pair) in zip(mine, theirs).enumerated() where pair.0.text("name") != pair.1.text("name") {
                issues.forbidden(path.child(list).index(index).child("name"), "\(list) may not be renamed or reordered on resize")
            }
        }
        return issues.count == before
    }

    private func removed(_ container: JSONValue, _ known: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for list in ["requests", "limits"] {
            let mine = container["resources"]?.members(list) ?? [:]
            let theirs = known["resources"]?.members(list) ?? [:]
            let isGone = theirs.contains { mine[$0.key] == nil }
            if isGone {
                issues.forbidden(path.child(list), "resource \(list) cannot be removed")
            }
        }
    }

    private func withResources(_ container: JSONValue, of known: JSONValue) -> JSONValue {
        var container = container
        let merged = amounts(container["resources"] ?? [:], known["resources"])
        container["resources"] = merged == [:] && known["resources"] == nil ? nil : merged
        return container
    }

    /// Wanted resources with the known amounts of cpu and memory.
    private func amounts(_ wanted: JSONValue, _ known: JSONValue?) -> JSONValue {
        var resources = wanted
        for list in ["requests", "limits"] {
            var amounts = resources.members(list)
            let theirs = known?.members(list) ?? [:]
            for name in ["cpu", "memory"] { amounts[name] = theirs[name] }
            resources[list] = amounts.isEmpty ? nil : .object(amounts)
        }
        return resources
    }
}
