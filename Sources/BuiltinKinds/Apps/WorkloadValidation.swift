import PodKinds
import Schema
import Units
import Values

/// What is wrong with a workload, in upstream's words.
struct WorkloadValidation {
    private let spec: JSONValue
    private let kind: WorkloadHooks.Kind

    private static let path = FieldPath("spec")

    init(_ object: JSONValue, _ kind: WorkloadHooks.Kind) {
        spec = object["spec"] ?? [:]
        self.kind = kind
    }

    func check(old: JSONValue?, _ issues: inout [FieldIssue]) {
        for field in ["replicas", "minReadySeconds"] { issues.nonNegative(spec[field]?.int, Self.path.child(field)) }
        if kind == .deployment || kind == .daemonSet {
            issues.nonNegative(spec["revisionHistoryLimit"]?.int, Self.path.child("revisionHistoryLimit"))
        }
        let selector = selector(&issues)
        template(selector, &issues)
        switch kind {
        case .deployment: deployment(&issues)
        case .daemonSet: daemonSet(&issues)
        case .statefulSet: statefulSet(isNew: old == nil, &issues)
        default: break
        }
    }

    private func selector(_ issues: inout [FieldIssue]) -> LabelSelector? {
        let place = Self.path.child("selector")
        if kind == .replicationController {
            let wanted = labels(spec["selector"])
            if wanted.isEmpty { issues.required(place) }
            return LabelSelector(matchLabels: wanted)
        }
        guard let json = spec["selector"] else {
            issues.required(place)
            return nil
        }
        SelectorValidation.selector(json, place, &issues)
        if json.members("matchLabels").isEmpty, json.list("matchExpressions").isEmpty {
            issues.invalid(place, json, "empty selector is invalid for \(kind.selectorName)")
        }
        do {
            return try LabelSelector(json: json)
        } catch {
            issues.invalid(place, json, "invalid label selector")
            return nil
        }
    }

    private func labels(_ json: JSONValue?) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in json?.object ?? [:] { result[key] = value.string ?? "" }
        return result
    }

    private func template(_ selector: LabelSelector?, _ issues: inout [FieldIssue]) {
        let place = Self.path.child("template")
        guard var template = spec["template"] else { return issues.required(place) }
        let own = template["metadata"]?["labels"]
        if let selector, !selector.isEverything, !selector.matches(labels(own)) {
            let words = "`selector` does not match template `labels`"
            issues.invalid(place.child("metadata", "labels"), own ?? [:], words)
        }
        if kind == .statefulSet { addClaims(&template) }
        PodTemplateValidation.check(template, place, &issues)
        let policy = template["spec"]?.text("restartPolicy") ?? ""
        if policy != "Always" { issues.append(.notSupported(place.child("spec", "restartPolicy"), .string(policy), ["Always"])) }
        if template["spec"]?["activeDeadlineSeconds"]?.int != nil {
            let words = "activeDeadlineSeconds in \(kind.templateName) is not Supported"
            issues.forbidden(place.child("spec", "activeDeadlineSeconds"), words)
        }
    }

    /// The pods of a StatefulSet also have the volumes of its claim templates; their host names are their own.
    private func addClaims(_ template: inout JSONValue) {
        guard var podSpec = template["spec"] else { return }
        podSpec["subdomain"] = nil
        podSpec["hostname"] = nil
        let names = spec.list("volumeClaimTemplates").map { $0["metadata"]?.text("name") ?? "" }
        if !names.isEmpty {
            let made = names.map { name -> JSONValue in
                ["name": .string(name), "persistentVolumeClaim": ["claimName": .string(name)]]
            }
            podSpec["volumes"] = .array(made + podSpec.list("volumes").filter { !names.contains($0.text("name")) })
        }
        template["spec"] = podSpec
    }

    private func deployment(_ issues: inout [FieldIssue]) {
        let place = Self.path.child("strategy")
        let strategy = spec["strategy"] ?? [:]
        let rolling = strategy["rollingUpdate"]
        switch strategy.text("type") {
        case "Recreate":
            if rolling != nil {
                issues.forbidden(place.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")
            }
        case "RollingUpdate":
            if let rolling {
                rollingDeployment(rolling, place.child("rollingUpdate"), &issues)
            } else {
                issues.required(place.child("rollingUpdate"), "this should be defaulted and never be nil")
            }
        default: issues.append(.notSupported(place, strategy, ["Recreate", "RollingUpdate"]))
        }
        guard let deadline = spec["progressDeadlineSeconds"]?.int else { return }
        issues.nonNegative(deadline, Self.path.child("progressDeadlineSeconds"))
        if deadline <= spec.number("minReadySeconds") {
            issues.invalid(Self.path.child("progressDeadlineSeconds"), .integer(deadline), "must be greater than minReadySeconds")
        }
    }

    private func rollingDeployment(_ rolling: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (unavailable, surge) = (Amount(rolling["maxUnavailable"]), Amount(rolling["maxSurge"]))
        unavailable.check(path.child("maxUnavailable"), &issues)
        surge.check(path.child("maxSurge"), &issues)
        if unavailable.number == 0, surge.number == 0 {
            issues.invalid(path.child("maxUnavailable"), rolling["maxUnavailable"] ?? 0, "may not be 0 when `maxSurge` is 0")
        }
        unavailable.checkWhole(path.child("maxUnavailable"), &issues)
    }

    private func daemonSet(_ issues: inout [FieldIssue]) {
        let place = Self.path.child("updateStrategy")
        let strategy = spec["updateStrategy"] ?? [:]
        switch strategy.text("type") {
        case "OnDelete": return
        case "RollingUpdate":
            let path = place.child("rollingUpdate")
            guard let rolling = strategy["rollingUpdate"] else { return issues.required(path) }
            let (unavailable, surge) = (Amount(rolling["maxUnavailable"]), Amount(rolling["maxSurge"]))
            for (amount, field) in [(unavailable, "maxUnavailable"), (surge, "maxSurge")] { amount.check(path.child(field), &issues) }
            for (amount, field) in [(unavailable, "maxUnavailable"), (surge, "maxSurge")] { amount.checkWhole(path.child(field), &issues) }
            if unavailable.number != 0, surge.number != 0 {
                issues.invalid(path.child("maxSurge"), rolling["maxSurge"], "may not be set when maxUnavailable is non-zero")
            } else if unavailable.number == 0, surge.number == 0 {
                issues.required(path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0")
            }
        default: issues.append(.notSupported(place, strategy, ["RollingUpdate", "OnDelete"]))
        }
    }

    private func statefulSet(isNew: Bool, _ issues: inout [FieldIssue]) {
        let management = spec.text("podManagementPolicy")
        let place = Self.path.child("podManagementPolicy")
        if management.isEmpty {
            issues.required(place)
        } else if !["OrderedReady", "Parallel"].contains(management) {
            issues.invalid(place, .string(management), "must be 'OrderedReady' or 'Parallel'")
        }
        statefulSetStrategy(&issues)
        if let policy = spec["persistentVolumeClaimRetentionPolicy"] {
            for field in ["whenDeleted", "whenScaled"] {
                let path = Self.path.child("persistentVolumeClaimRetentionPolicy", field)
                issues.oneOf(policy.text(field), ["Retain", "Delete"], path)
            }
        }
        issues.nonNegative(spec["ordinals"]?["start"]?.int, Self.path.child("ordinals.start"))
        guard isNew else { return }
        for (index, template) in spec.list("volumeClaimTemplates").enumerated() {
            ClaimValidation.spec(template["spec"] ?? [:], Self.path.child("volumeClaimTemplates").index(index).child("spec"), &issues)
        }
        let service = spec.text("serviceName")
        if !service.isEmpty { issues.label(service, Self.path.child("serviceName")) }
    }

    private func statefulSetStrategy(_ issues: inout [FieldIssue]) {
        let place = Self.path.child("updateStrategy")
        let strategy = spec["updateStrategy"] ?? [:]
        let rolling = strategy["rollingUpdate"]
        switch strategy.text("type") {
        case "": issues.required(place)
        case "OnDelete":
            if let rolling { issues.invalid(place.child("rollingUpdate"), rolling, "only allowed for updateStrategy 'RollingUpdate'") }
        case "RollingUpdate":
            issues.nonNegative(rolling?["partition"]?.int, place.child("rollingUpdate", "partition"))
            guard let value = rolling?["maxUnavailable"] else { return }
            let path = place.child("rollingUpdate", "maxUnavailable")
            let amount = Amount(value)
            amount.check(path, &issues)
            if amount.number == 0 { issues.invalid(path, value, "cannot be 0") }
            amount.checkWhole(path, &issues)
        default: issues.invalid(place, strategy, "must be 'RollingUpdate' or 'OnDelete'")
        }
    }

    /// What an update may not change.
    static func update(_ object: JSONValue, old: JSONValue, _ kind: WorkloadHooks.Kind, _ issues: inout [FieldIssue]) {
        let (new, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        switch kind {
        case .replicationController: return
        case .job: JobValidation.update(new, before, &issues)
        case .statefulSet: statefulSetUpdate(new, before, &issues)
        default: issues.immutable(new["selector"], before["selector"], path.child("selector"))
        }
    }

    private static func statefulSetUpdate(_ new: JSONValue, _ before: JSONValue, _ issues: inout [FieldIssue]) {
        let free = [
            "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ]
        var (new, before) = (new, before)
        for field in free {
            new[field] = nil
            before[field] = nil
        }
        if new == before { return }
        let words =
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            + "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        issues.forbidden(path, words)
    }
}

extension WorkloadHooks.Kind {
    /// The status of a new object: the counts that are always shown.
    var firstStatus: JSONValue {
        switch self {
        case .replicationController, .replicaSet: ["replicas": 0]
        case .statefulSet: ["replicas": 0, "availableReplicas": 0]
        case .daemonSet: ["currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0]
        case .deployment, .job: [:]
        }
    }

    /// What upstream calls the kind where it speaks of empty selectors; a ReplicaSet is a deployment there.
    var selectorName: String {
        switch self {
        case .statefulSet: "statefulset"
        case .daemonSet: "daemonset"
        default: "deployment"
        }
    }

    /// What upstream calls the kind where it speaks of deadlines; a Deployment is a ReplicaSet there.
    var templateName: String {
        switch self {
        case .statefulSet: "StatefulSet"
        case .daemonSet: "DaemonSet"
        case .replicationController: "ReplicationController"
        default: "ReplicaSet"
        }
    }
}
