import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of nodes.
struct NodeHooks: KindHooks {
    private static let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
    private static let notChanging = "node updates may not change podCIDR except from \"\" to valid"

    /// The one network is the first of all; what a node has is for pods unless it says otherwise.
    func defaults(_ object: inout JSONValue) {
        if let status = object["status"], status["allocatable"] == nil, let capacity = status["capacity"]?.object, !capacity.isEmpty {
            object.set(.object(capacity), at: ["status", "allocatable"])
        }
        let (one, all) = (object["spec"]?.text("podCIDR") ?? "", object["spec"]?.texts("podCIDRs") ?? [])
        if !one.isEmpty, all.first != one {
            object.set([.string(one)], at: ["spec", "podCIDRs"])
        } else if one.isEmpty, let first = all.first {
            object.set(.string(first), at: ["spec", "podCIDR"])
        }
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) { dropConfiguration(&object, nil) }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) { dropConfiguration(&object, old) }

    /// Kubelets are no longer configured through their nodes.
    private func dropConfiguration(_ object: inout JSONValue, _ old: JSONValue?) {
        if old?["spec"]?["configSource"] == nil, object["spec"]?["configSource"] != nil { object.remove(at: ["spec", "configSource"]) }
        if old == nil, object["status"]?["config"] != nil { object.remove(at: ["status", "config"]) }
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        whole(object, &issues)
        return issues
    }

    private func whole(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        taints(object, &issues)
        resources(object, &issues)
        NodeFeatures.check(object, &issues)
        let networks = object["spec"]?.texts("podCIDRs") ?? []
        let place = FieldPath("spec").child("podCIDRs")
        for (index, network) in networks.enumerated() { issues.network(network, place.index(index)) }
        guard networks.count > 1 else { return }
        let families = networks.map { CIDR($0)?.isIPv6 }
        if let index = families.firstIndex(of: nil) {
            let words =
                "invalid PodCIDRs. failed to check with dual stack with error:"
                + "invalid CIDR[\(index)]: <nil> (invalid CIDR address: \(networks[index]))"
            issues.append(FieldIssue(kind: .internalError, path: place, detail: words))
        }
        if networks.count > 2 || families.contains(nil) || families[0] == families[1] {
            issues.invalid(place, object["spec"]?["podCIDRs"], "may specify no more than one CIDR for each IP family")
        }
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let (spec, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        if spec == before { return issues }
        // An update is checked as a new node and as a change, and what both find is said twice.
        whole(object, &issues)
        resources(object, &issues)
        NodeFeatures.check(object, &issues)
        let path = FieldPath("spec")
        if !before.list("podCIDRs").isEmpty, spec["podCIDRs"] != before["podCIDRs"] {
            issues.forbidden(path.child("podCIDRs"), Self.notChanging)
        }
        if !before.text("providerID").isEmpty, spec["providerID"] != before["providerID"] {
            issues.forbidden(path.child("providerID"), "node updates may not change providerID except from \"\" to valid")
        }
        taints(object, &issues)
        if spec.text("externalID") != before.text("externalID") { issues.forbidden(path.child("externalID"), "may not be updated") }
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if object["status"] == old["status"] { return issues }
        resources(object, &issues)
        NodeFeatures.check(object, &issues)
        var seen: Set<JSONValue> = []
        for (index, address) in (object["status"]?.list("addresses") ?? []).enumerated() where !seen.insert(address).inserted {
            issues.append(.duplicate(FieldPath("status").child("addresses").index(index), address))
        }
        return issues
    }

    // Upstream says that taints stand in the metadata.
    private func taints(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("metadata").child("taints")
        var seen: Set<String> = []
        for (index, taint) in (object["spec"]?.list("taints") ?? []).enumerated() {
            let place = path.index(index)
            let (key, effect) = (taint.text("key"), taint.text("effect"))
            issues.qualifiedName(key, place.child("key"))
            let problems = Names.labelValueIssues(taint.text("value"))
            if !problems.isEmpty { issues.invalid(place.child("value"), taint["value"], problems.joined(separator: ";")) }
            issues.choice(effect, Self.effects, place.child("effect"))
            if seen.insert("\(key):\(effect)").inserted { continue }
            var issue = FieldIssue.duplicate(place, .null)
            issue.badValue = nil
            issue.shownValue = InternalForm.text(taint, as: "core.Taint")
            issue.detail = "taints must be unique by key and effect pair"
            issues.append(issue)
        }
    }

    private func resources(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        for list in ["capacity", "allocatable"] {
            for (name, value) in object["status"]?.members(list) ?? [:] {
                guard let quantity = Quantity.of(value) else { continue }
                ResourceValidation.amount(name, quantity, FieldPath("status").child(list, name), &issues)
            }
        }
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        let annotations = object["metadata"]?.members("annotations") ?? [:]
        var warnings: [String] = []
        if let spec = object["spec"] {
            if old?["spec"]?["configSource"] != nil, spec["configSource"] != nil {
                warnings.append("spec.configSource: the feature is no longer supported")
            }
            if !spec.text("externalID").isEmpty {
                warnings.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
            }
        }
        let mark = "scheduler.alpha.kubernetes.io/preferAvoidPods"
        if annotations[mark] != nil {
            warnings.append("metadata.annotations[\(mark)]: deprecated since v1.22; use Taints and Tolerations instead")
        }
        return warnings
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let info = object["status"]?["nodeInfo"] ?? [:]
        let machine = info.text("architecture")
        let kernel = info.text("kernelVersion").isEmpty ? "<unknown>" : info.text("kernelVersion")
        return [
            Cells.name(object), .string(status(object)), .string(roles(object)), Cells.age(object, now: now), info["kubeletVersion"] ?? "",
            .string(address(object, "InternalIP")), .string(address(object, "ExternalIP")), known(info, "osImage"),
            .string(machine.isEmpty ? kernel : "\(kernel) (\(machine))"), known(info, "containerRuntimeVersion"),
        ]
    }

    private func known(_ info: JSONValue, _ field: String) -> JSONValue {
        let text = info.text(field)
        return .string(text.isEmpty ? "<unknown>" : text)
    }

    private func status(_ object: JSONValue) -> String {
        let ready = object["status"]?.list("conditions").last { $0.text("type") == "Ready" }
        var texts = [ready == nil ? "Unknown" : (ready?.text("status") == "True" ? "Ready" : "NotReady")]
        if object["spec"]?.flag("unschedulable") == true { texts.append("SchedulingDisabled") }
        return texts.joined(separator: ",")
    }

    private func roles(_ object: JSONValue) -> String {
        let prefix = "node-role.kubernetes.io/"
        var roles: Set<String> = []
        for (key, value) in object["metadata"]?.members("labels") ?? [:] {
            if key.hasPrefix(prefix) {
                if key.count > prefix.count { roles.insert(String(key.dropFirst(prefix.count))) }
            } else if key == "kubernetes.io/role", let role = value.string, !role.isEmpty {
                roles.insert(role)
            }
        }
        return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
    }

    private func address(_ object: JSONValue, _ type: String) -> String {
        object["status"]?.list("addresses").first { $0.text("type") == type }?.text("address") ?? "<none>"
    }
}

/// The behaviour of namespaces.
struct NamespaceHooks: KindHooks {
    private static let mark = "kubernetes.io/metadata.name"
    private static let standard = ["kubernetes", "orphan", "foregroundDeletion"]

    func defaults(_ object: inout JSONValue) {
        guard let name = object["metadata"]?["name"]?.string, !name.isEmpty else { return }
        object.set(.string(name), at: ["metadata", "labels", Self.mark])
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        defaults(&object)
        object["status"] = ["phase": "Active"]
        var finalizers = object["spec"]?.list("finalizers") ?? []
        if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
        object.set(.array(finalizers), at: ["spec", "finalizers"])
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        object.set(old["spec"]?["finalizers"] ?? [], at: ["spec", "finalizers"])
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.label.check(object, &issues)
        let place = FieldPath("spec").child("finalizers")
        for finalizer in object["spec"]?.texts("finalizers") ?? [] {
            issues.qualifiedName(finalizer, place)
            if !finalizer.contains("/"), !Self.standard.contains(finalizer) {
                let words = "name is neither a standard finalizer name nor is it fully qualified"
                issues.invalid(place, .string(finalizer), words)
            }
        }
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let isDeleting = object["metadata"]?["deletionTimestamp"]?.string != nil
        let phase = object["status"]?.text("phase") ?? ""
        let expected = isDeleting ? "Terminating" : "Active"
        if phase == expected { return [] }
        let words = "may only be '\(expected)' if `deletionTimestamp` is \(isDeleting ? "not empty" : "empty")"
        return [.invalid(FieldPath("status").child("Phase"), .string(phase), words)]
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), object["status"]?["phase"] ?? "", Cells.age(object, now: now)]
    }
}
