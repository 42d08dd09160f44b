import Schema
import Units
import Values

/// What is wrong with a workload, in upstream's words.
enum WorkloadValidation {
    private static let spec = FieldPath("spec")

    static func issues(_ object: JSONValue, _ kind: WorkloadHooks.Kind) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        for field in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", "parallelism", "completions", "backoffLimit"] {
            if let value = object.value(at: ["spec", field])?.int, value < 0 {
                issues.append(.invalid(spec.child(field), .integer(value), "must be greater than or equal to 0"))
            }
        }
        issues += selectorIssues(object, kind)
        issues += templateIssues(object, kind)
        if kind == .deployment { issues += strategyIssues(object) }
        return issues
    }

    static func updateIssues(_ object: JSONValue, old: JSONValue, _ kind: WorkloadHooks.Kind) -> [FieldIssue] {
        guard kind != .replicationController else { return [] }
        if kind == .statefulSet { return statefulSetUpdateIssues(object, old: old) }
        var issues: [FieldIssue] = []
        let fixed = kind == .job ? ["selector", "completionMode", "template"] : ["selector"]
        for field in fixed where object.value(at: ["spec", field]) != old.value(at: ["spec", field]) {
            if kind == .job, field == "template", old.value(at: ["spec", "suspend"])?.bool == true { continue }
            issues.append(.invalid(spec.child(field), object.value(at: ["spec", field]), "field is immutable"))
        }
        return issues
    }

    private static func statefulSetUpdateIssues(_ object: JSONValue, old: JSONValue) -> [FieldIssue] {
        let free = ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"]
        var (new, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        for field in free {
            new[field] = nil
            before[field] = nil
        }
        if new == before { return [] }
        let words = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            + "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        return [.forbidden(spec, words)]
    }

    private static func selectorIssues(_ object: JSONValue, _ kind: WorkloadHooks.Kind) -> [FieldIssue] {
        let path = spec.child("selector")
        let labels = labels(object.value(at: ["spec", "template", "metadata", "labels"]))
        let selector: LabelSelector
        if kind == .replicationController {
            let wanted = self.labels(object.value(at: ["spec", "selector"]))
            if wanted.isEmpty { return [.required(path, "")] }
            selector = LabelSelector(matchLabels: wanted)
        } else {
            guard let json = object.value(at: ["spec", "selector"]) else { return kind == .job ? [] : [.required(path, "")] }
            if json.object?.isEmpty ?? true, kind != .job {
                return [.invalid(path, json, "empty selector is invalid for \(name(kind))")]
            }
            do {
                selector = try LabelSelector(json: json)
            } catch {
                return [.invalid(path, json, "invalid label selector")]
            }
        }
        if selector.matches(labels) { return [] }
        let value = object.value(at: ["spec", "template", "metadata", "labels"]) ?? .object([:])
        return [.invalid(spec.child("template", "metadata", "labels"), value, "`selector` does not match template `labels`")]
    }

    private static func name(_ kind: WorkloadHooks.Kind) -> String {
        switch kind {
        case .deployment: "deployment"
        case .replicaSet: "replica set"
        case .statefulSet: "statefulset"
        case .daemonSet: "daemonset"
        case .job: "job"
        case .replicationController: "replication controller"
        }
    }

    private static func templateIssues(_ object: JSONValue, _ kind: WorkloadHooks.Kind) -> [FieldIssue] {
        let path = spec.child("template")
        guard let template = object.value(at: ["spec", "template"]) else { return [.required(path, "")] }
        var issues = PodSpecValidation.labelIssues(template.value(at: ["metadata", "labels"]), path.child("labels"))
        let policies = kind == .job ? ["OnFailure", "Never"] : ["Always"]
        issues += PodSpecValidation.issues(template["spec"] ?? [:], at: path.child("spec"), restartPolicies: policies)
        if kind != .job, template.value(at: ["spec", "activeDeadlineSeconds"]) != nil {
            issues.append(.forbidden(path.child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in \(upstreamName(kind)) is not Supported"))
        }
        return issues
    }

    private static func upstreamName(_ kind: WorkloadHooks.Kind) -> String {
        switch kind {
        case .statefulSet: "StatefulSet"
        case .daemonSet: "DaemonSet"
        case .replicationController: "ReplicationController"
        default: "ReplicaSet"
        }
    }

    private static func strategyIssues(_ object: JSONValue) -> [FieldIssue] {
        let path = spec.child("strategy")
        let type = object.value(at: ["spec", "strategy", "type"])?.string ?? ""
        let rolling = object.value(at: ["spec", "strategy", "rollingUpdate"])
        var issues: [FieldIssue] = []
        switch type {
        case "Recreate":
            if rolling != nil {
                issues.append(.forbidden(path.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'"))
            }
        case "RollingUpdate":
            guard let rolling else { return [.required(path.child("rollingUpdate"), "this should be defaulted and never be nil")] }
            let surge = rolling["maxSurge"].flatMap { IntOrString(json: $0) }
            let unavailable = rolling["maxUnavailable"].flatMap { IntOrString(json: $0) }
            issues += amountIssues(surge, path.child("rollingUpdate", "maxSurge"))
            issues += amountIssues(unavailable, path.child("rollingUpdate", "maxUnavailable"))
            if issues.isEmpty, isZero(surge), isZero(unavailable) {
                issues.append(.invalid(path.child("rollingUpdate", "maxUnavailable"), rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"))
            }
        default:
            issues.append(.notSupported(path.child("type"), .string(type), ["Recreate", "RollingUpdate"]))
        }
        if let deadline = object.value(at: ["spec", "progressDeadlineSeconds"])?.int,
            deadline <= (object.value(at: ["spec", "minReadySeconds"])?.int ?? 0)
        {
            issues.append(.invalid(spec.child("progressDeadlineSeconds"), .integer(deadline), "must be greater than minReadySeconds"))
        }
        return issues
    }

    private static func amountIssues(_ amount: IntOrString?, _ path: FieldPath) -> [FieldIssue] {
        switch amount {
        case .int(let value)? where value < 0: return [.invalid(path, .integer(value), "must be greater than or equal to 0")]
        case .string(let text)?: return Names.percentIssues(text).map { .invalid(path, .string(text), $0) }
        default: return []
        }
    }

    private static func isZero(_ amount: IntOrString?) -> Bool {
        switch amount {
        case .int(let value)?: value == 0
        case .string(let text)?: text == "0%"
        case nil: true
        }
    }

    private static func labels(_ json: JSONValue?) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in json?.object ?? [:] { result[key] = value.string ?? "" }
        return result
    }
}
