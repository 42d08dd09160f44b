import Schema
import Units
import Values

extension PodUpdateValidation {
    private static let lists = ["containers", "initContainers"]

    /// A resize changes cpu and memory of containers, and nothing else.
    package func resize(_ issues: inout [FieldIssue]) {
        let spec = FieldPath("spec")
        if previous["metadata"]?["annotations"]?["kubernetes.io/config.mirror"] != nil {
            return issues.forbidden(.root, "static pods cannot be resized")
        }
        let (wanted, known) = (changed["spec"] ?? [:], previous["spec"] ?? [:])
        PodSpecValidation.check(wanted, at: spec, podName: changed["metadata"]?.text("name") ?? "", &issues)
        if known["os"]?.text("name") == "windows" { return issues.forbidden(.root, "windows pods cannot be resized") }
        if QualityOfService.of(wanted) != QualityOfService.of(known) {
            let quality = changed["status"]?["qosClass"]
            issues.invalid(spec, quality, "Pod QOS Class may not change as a result of resizing")
        }
        let running = previous["status"]?.list("containerStatuses").first { $0["state"]?["running"] != nil }
        if let running, running["resources"] == nil { issues.forbidden(spec, "Pod running on node without support for resize") }
        guard sameContainers(wanted, known, spec, &issues) else { return }
        for list in Self.lists {
            for (index, pair) in zip(wanted.list(list), known.list(list)).enumerated() {
                removed(pair.0, pair.1, spec.child(list).index(index).child("resources"), &issues)
            }
        }
        var munged = wanted
        for list in Self.lists where !known.list(list).isEmpty {
            munged[list] = .array(zip(wanted.list(list), known.list(list)).map(withResources))
        }
        munged["resources"] = known["resources"]
        if munged != known { issues.forbidden(spec, "only cpu and memory resources are mutable") }
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
        var resources = container["resources"] ?? [:]
        for list in ["requests", "limits"] {
            var amounts = resources.members(list)
            let theirs = known["resources"]?.members(list) ?? [:]
            for name in ["cpu", "memory"] { amounts[name] = theirs[name] }
            resources[list] = amounts.isEmpty ? nil : .object(amounts)
        }
        container["resources"] = resources == [:] && known["resources"] == nil ? nil : resources
        return container
    }
}
