import Units
import Values

/// What a pod takes of a quota, and which quotas it falls under.
enum PodUsage {
    static let count = "count/pods"
    private static let fixed: Set<String> = [
        count, "pods", "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage",
        "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    ]
    /// What every container has to state where a quota limits it.
    private static let demanded: Set<String> = [
        "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
    ]

    static func tracks(_ name: String) -> Bool {
        fixed.contains(name) || name.hasPrefix("hugepages-") || name.hasPrefix("requests.hugepages-")
            || DeviceNames.isExtendedRequest(name)
    }

    /// What the pod takes: every pod is an object; only one that is not at its end takes resources.
    static func usage(of pod: JSONValue, now: Timestamp) -> ResourceAmounts {
        var usage = ResourceAmounts([count: Quantity(value: 1)])
        guard isAlive(pod, now: now) else { return usage }
        usage.add(computed(requests: PodAmounts.total(of: pod, .requests), limits: PodAmounts.total(of: pod, .limits)))
        return usage
    }

    /// Neither at its end, nor overdue to be gone: a lost node must not use up the quota.
    static func isAlive(_ pod: JSONValue, now: Timestamp) -> Bool {
        let phase = pod["status"]?["phase"]?.string
        if phase == "Failed" || phase == "Succeeded" { return false }
        guard let text = pod.value(at: ["metadata", "deletionTimestamp"])?.string, let deletion = Timestamp(text),
            let grace = pod.value(at: ["metadata", "deletionGracePeriodSeconds"])?.int
        else { return true }
        return now <= deletion + .seconds(grace)
    }

    private static func computed(requests: ResourceAmounts, limits: ResourceAmounts) -> ResourceAmounts {
        var result = ResourceAmounts(["pods": Quantity(value: 1)])
        for name in ["cpu", "memory", "ephemeral-storage"] {
            if let request = requests[name] {
                result[name] = request
                result["requests.\(name)"] = request
            }
            if let limit = limits[name] { result["limits.\(name)"] = limit }
        }
        for (name, request) in requests.entries {
            if name.hasPrefix("hugepages-") {
                result[name] = request
                result["requests.\(name)"] = request
            }
            if DeviceNames.isExtended(name) { result["requests.\(name)"] = request }
        }
        return result
    }

    /// What containers fail to state although the quota limits it.
    static func omissions(_ pod: JSONValue, limited: [String]) -> String? {
        if PodAmounts.areSet(pod) { return nil }
        let needed = demanded.intersection(limited)
        if needed.isEmpty { return nil }
        var missing: [String: Set<String>] = [:]
        for list in ["containers", "initContainers"] {
            for container in pod["spec"]?[list]?.array ?? [] {
                let resources = container["resources"]
                let stated = computed(
                    requests: ResourceAmounts(json: resources?["requests"]),
                    limits: ResourceAmounts(json: resources?["limits"])
                )
                for name in needed where stated[name] == nil {
                    missing[name, default: []].insert(container["name"]?.string ?? "")
                }
            }
        }
        if missing.isEmpty { return nil }
        let parts = missing.sorted { $0.key < $1.key }.map { "\($0.key) for: \($0.value.sorted().joined(separator: ","))" }
        return "must specify \(parts.joined(separator: "; "))"
    }

    // MARK: Scopes

    static func matches(_ requirement: ScopeRequirement, _ pod: JSONValue) -> Bool {
        switch requirement.scope {
        case "Terminating": isTimed(pod)
        case "NotTerminating": !isTimed(pod)
        case "BestEffort": isBestEffort(pod)
        case "NotBestEffort": !isBestEffort(pod)
        case "PriorityClass":
            requirement.accepts(pod["spec"]?["priorityClassName"]?.string.flatMap { $0.isEmpty ? nil : $0 })
        case "CrossNamespacePodAffinity": reachesOut(pod)
        default: false
        }
    }

    /// Whether the pod has a deadline.
    static func isTimed(_ pod: JSONValue) -> Bool {
        pod["spec"]?["activeDeadlineSeconds"]?.int.map { $0 >= 0 } ?? false
    }

    private static func isBestEffort(_ pod: JSONValue) -> Bool {
        if let known = pod["status"]?["qosClass"]?.string, !known.isEmpty { return known == "BestEffort" }
        let spec = pod["spec"]
        let own = spec?["resources"]
        let stated =
            PodAmounts.areSet(pod)
            ? [own] : ((spec?["containers"]?.array ?? []) + (spec?["initContainers"]?.array ?? [])).map { $0["resources"] }
        return !stated.contains { resources in
            ["requests", "limits"].contains { list in
                let amounts = ResourceAmounts(json: resources?[list])
                return ["cpu", "memory"].contains { amounts[$0].map { $0 > .zero } ?? false }
            }
        }
    }

    private static func reachesOut(_ pod: JSONValue) -> Bool {
        ["podAffinity", "podAntiAffinity"].contains { kind in
            let affinity = pod.value(at: ["spec", "affinity", kind])
            let required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            let preferred = affinity?["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            return (required + preferred.compactMap { $0["podAffinityTerm"] }).contains { term in
                term["namespaces"]?.array?.isEmpty == false || term["namespaceSelector"]?.object != nil
            }
        }
    }
}
