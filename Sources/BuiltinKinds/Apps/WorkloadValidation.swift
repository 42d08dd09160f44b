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

    /// The checks of each kind stand in the order in which upstream makes them.
    func check(old: JSONValue?, _ issues: inout [FieldIssue]) {
        switch kind {
        case .replicationController:
            counts(["minReadySeconds"], &issues)
            let selector = requiredLabels(&issues)
            counts(["replicas"], &issues)
            template(selector, &issues)
        case .statefulSet:
            statefulSet(isNew: old == nil, &issues)
            if let selector = selector(&issues) { template(selector, &issues) }
        case .daemonSet:
            template(daemonSetSelector(&issues), &issues)
            counts(["minReadySeconds"], &issues)
            daemonSet(&issues)
            counts(["revisionHistoryLimit"], &issues)
        default:
            counts(kind == .deployment ? ["replicas"] : ["replicas", "minReadySeconds"], &issues)
            if let selector = selector(&issues) { template(selector, &issues) }
            if kind == .deployment { deployment(&issues) }
        }
    }

    private func counts(_ fields: [String], _ issues: inout [FieldIssue]) {
        for field in fields { issues.nonNegative(spec[field]?.int, Self.path.child(field)) }
    }

    /// What a template's labels are held against.
    private enum Labels {
        case matching(LabelSelector)
        /// No selector was given: it selects nothing.
        case none
        /// They were checked already.
        case checked
    }

    private func requiredLabels(_ issues: inout [FieldIssue]) -> Labels {
        let wanted = labels(spec["selector"])
        if wanted.isEmpty { issues.required(Self.path.child("selector")) }
        return .matching(LabelSelector(matchLabels: wanted))
    }

    /// The selector; nil when it cannot be read, so that there is nothing to hold the template against.
    private func selector(_ issues: inout [FieldIssue]) -> Labels? {
        let place = Self.path.child("selector")
        guard let json = spec["selector"], json != .null else {
            issues.required(place)
            return Labels.none
        }
        SelectorValidation.selector(json, place, &issues)
        if isEmpty(json) { issues.invalid(place, json, "empty selector is invalid for \(kind.selectorName)") }
        do {
            return .matching(try LabelSelector(json: json))
        } catch {
            issues.invalid(place, json, kind == .statefulSet ? "" : "invalid label selector")
            return nil
        }
    }

    private func isEmpty(_ selector: JSONValue) -> Bool {
        selector.members("matchLabels").isEmpty && selector.list("matchExpressions").isEmpty
    }

    private func daemonSetSelector(_ issues: inout [FieldIssue]) -> Labels {
        let place = Self.path.child("selector")
        let json = spec["selector"].flatMap { $0 == .null ? nil : $0 }
        if let json { SelectorValidation.selector(json, place, &issues) }
        if json == nil {
            mismatch(&issues)
        } else if let json, let selector = try? LabelSelector(json: json), !selector.isEverything,
            !selector.matches(labels(spec["template"]?["metadata"]?["labels"]))
        {
            mismatch(&issues)
        }
        if let json, isEmpty(json) { issues.invalid(place, json, "empty selector is invalid for daemonset") }
        return .checked
    }

    private func mismatch(_ issues: inout [FieldIssue]) {
        let own = spec["template"]?["metadata"]?["labels"]
        let place = Self.path.child("template", "metadata", "labels")
        issues.invalid(place, own, "`selector` does not match template `labels`")
    }

    private func labels(_ json: JSONValue?) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in json?.object ?? [:] { result[key] = value.string ?? "" }
        return result
    }

    private func template(_ selector: Labels, _ issues: inout [FieldIssue]) {
        let place = Self.path.child("template")
        guard var template = spec["template"] else { return issues.required(place) }
        switch selector {
        case .none: mismatch(&issues)
        case .matching(let selector) where !selector.isEverything && !selector.matches(labels(template["metadata"]?["labels"])):
            mismatch(&issues)
        default: break
        }
        if kind == .statefulSet { addClaims(&template) }
        PodTemplateValidation.check(template, place, &issues)
        if kind == .statefulSet, let metadata = template["metadata"] {
            // Upstream looks at these twice.
            SelectorValidation.labels(metadata["labels"], place.child("labels"), &issues)
            TemplateMetadataValidation.annotations(metadata, place.child("annotations"), &issues)
            PodAnnotationValidation.check(metadata, spec: template["spec"] ?? [:], place.child("annotations"), &issues)
        }
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
        // A name given twice makes one volume.
        let names = Set(spec.list("volumeClaimTemplates").map { $0["metadata"]?.text("name") ?? "" })
        if !names.isEmpty {
            let made = names.sorted().map { name -> JSONValue in
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
        counts(["minReadySeconds", "revisionHistoryLimit"], &issues)
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
        for (index, template) in spec.list("volumeClaimTemplates").enumerated() where isNew {
            ClaimValidation.spec(template["spec"] ?? [:], Self.path.child("volumeClaimTemplates").index(index).child("spec"), &issues)
        }
        counts(["replicas", "minReadySeconds"], &issues)
        issues.nonNegative(spec["ordinals"]?["start"]?.int, Self.path.child("ordinals.start"))
        guard isNew else { return }
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
