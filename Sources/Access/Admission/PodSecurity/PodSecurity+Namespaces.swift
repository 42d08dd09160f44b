import APIModel
import Schema
import Units
import Values

extension PodSecurity {
    /// How many pods of a namespace are looked at when it asks for more than before.
    private static let mostPods = 3000
    /// For how long.
    private static let longestCheck = Duration.seconds(1)

    /// Refuses labels that mean nothing, and warns of pods that would not pass any more.
    func checkNamespace(_ object: JSONValue, _ request: AdmissionRequest) throws(APIError) {
        let labels = object.value(at: ["metadata", "labels"])
        let (policy, issues) = PodSecurityPolicy.read(labels, defaults: defaults)
        let name = object.value(at: ["metadata", "name"])?.string ?? request.name
        let isExempt = exemptions.namespaces.contains(name)
        guard request.operation == .update else {
            if !issues.isEmpty { throw .invalid(GroupKind(group: "", kind: "Namespace"), name, issues) }
            if isExempt { warnOfExemption(name, policy, labels, request) }
            return
        }
        let (old, oldIssues) = PodSecurityPolicy.read(request.oldObject?.value(at: ["metadata", "labels"]), defaults: defaults)
        if !issues.isEmpty, issues != oldIssues { throw .invalid(GroupKind(group: "", kind: "Namespace"), name, issues) }
        if policy.enforce == old.enforce || policy.enforce.level == .privileged { return }
        if policy.enforce.version == old.enforce.version, policy.enforce.level <= old.enforce.level { return }
        if isExempt { return warnOfExemption(name, policy, labels, request) }
        for warning in warnings(of: name, policy.enforce) { request.warn(warning) }
    }

    /// What is said of the pods of a namespace that do not meet a standard.
    private func warnings(of namespace: String, _ standard: PodSecurityStandard) -> [String] {
        let pods = prioritized(lookup.objects(Self.pods, namespace: namespace))
        let deadline = clock.monotonic + Self.longestCheck
        var found: [String: (first: String, count: Int)] = [:]
        var checked = 0
        for pod in pods.prefix(Self.mostPods) {
            checked += 1
            let reviewed = ReviewedPod(metadata: pod["metadata"], spec: pod["spec"] ?? [:])
            let violations = PodSecurityCheck.violations(standard, reviewed)
            if !violations.isEmpty {
                let name = pod.value(at: ["metadata", "name"])?.string ?? ""
                let reasons = PodSecurityCheck.reasons(violations)
                let known = found[reasons]
                found[reasons] = (min(known?.first ?? name, name), (known?.count ?? 0) + 1)
            }
            if clock.monotonic > deadline { break }
        }
        var warnings: [String] = []
        if checked < pods.count {
            warnings.append("new PodSecurity enforce level only checked against the first \(checked) of \(pods.count) existing pods")
        }
        if found.isEmpty { return warnings }
        warnings.append("existing pods in namespace \"\(namespace)\" violate the new PodSecurity enforce level \"\(standard)\"")
        let lines = found.map { reasons, pods in
            switch pods.count {
            case 1: "\(pods.first): \(reasons)"
            case 2: "\(pods.first) (and 1 other pod): \(reasons)"
            default: "\(pods.first) (and \(pods.count - 1) other pods): \(reasons)"
            }
        }
        return warnings + lines.sorted()
    }

    /// One pod of each controller before the others: they are all alike.
    private func prioritized(_ pods: [JSONValue]) -> [JSONValue] {
        var controllers: Set<String> = []
        var first: [JSONValue] = []
        var rest: [JSONValue] = []
        for pod in pods where !isExempt(ReviewedPod(metadata: nil, spec: pod["spec"] ?? [:])) {
            let owners = pod.value(at: ["metadata", "ownerReferences"])?.array ?? []
            let controller = owners.first { $0["controller"]?.bool == true }?["uid"]?.string
            if let controller, !controllers.insert(controller).inserted { rest.append(pod) } else { first.append(pod) }
        }
        return first + rest
    }

    private func warnOfExemption(_ name: String, _ policy: PodSecurityPolicy, _ labels: JSONValue?, _ request: AdmissionRequest) {
        func alike(_ one: PodSecurityStandard, _ other: PodSecurityStandard) -> Bool {
            one == other || one.level == .privileged && other.level == .privileged
        }
        let isDefault =
            alike(policy.enforce, defaults.enforce) && alike(policy.audit, defaults.audit) && alike(policy.warn, defaults.warn)
        guard !policy.isPrivileged, !isDefault else { return }
        let modes: [(String, PodSecurityStandard)] = [("enforce", policy.enforce), ("audit", policy.audit), ("warn", policy.warn)]
        let shown = modes.compactMap { mode, standard -> String? in
            let key = PodSecurityPolicy.prefix + mode
            guard standard.level != .privileged, labels?[key] != nil || labels?[key + "-version"] != nil else { return nil }
            return "\(mode)=\(standard)"
        }
        let policyWords = shown.joined(separator: ", ")
        request.warn("namespace \"\(name)\" is exempt from Pod Security, and the policy (\(policyWords)) will be ignored")
    }
}
