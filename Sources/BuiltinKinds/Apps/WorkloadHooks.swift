import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of the kinds that make pods from a template.
struct WorkloadHooks: KindHooks {
    /// Which workload.
    enum Kind: Sendable {
        case replicationController, deployment, replicaSet, statefulSet, daemonSet, job
    }

    private let kind: Kind

    /// Where the number of a DaemonSet's templates lives since the field for it is gone.
    private static let templateGeneration = ["metadata", "annotations", "deprecated.daemonset.template.generation"]

    init(_ kind: Kind) {
        self.kind = kind
    }

    func defaults(_ object: inout JSONValue) {
        PodSpecDefaults.apply(&object, at: ["spec", "template", "spec"], isPod: false)
        switch kind {
        case .replicationController: WorkloadDefaults.replicationController(&object)
        case .deployment: WorkloadDefaults.deployment(&object)
        case .statefulSet: WorkloadDefaults.statefulSet(&object)
        case .job:
            WorkloadDefaults.job(&object)
            WorkloadDefaults.jobLabels(&object)
        case .daemonSet:
            // Upstream's conversion writes a zero, and so its writers own it; what is stored is counted below.
            if object.value(at: Self.templateGeneration) == nil { object.set("0", at: Self.templateGeneration) }
        case .replicaSet: break
        }
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
        GatedPodFields.drop(&object, old: nil, at: ["spec", "template", "spec"])
        object["status"] = kind.firstStatus
        if kind == .job, object["spec"]?.flag("manualSelector") != true {
            // Labels taken from the template follow it; none are taken from it when the job is read again.
            let follows = JobSelector.hasLabelsOfTemplate(object)
            JobSelector.complete(&object)
            if follows { object.put(object["spec"]?["template"]?["metadata"]?["labels"], at: ["metadata", "labels"]) }
        }
        if kind == .statefulSet { dropUnavailable(&object, nil) }
        if kind == .daemonSet { object.set("1", at: Self.templateGeneration) }
    }

    /// How many pods of a StatefulSet may be missing is behind a gate that is off.
    private func dropUnavailable(_ object: inout JSONValue, _ old: JSONValue?) {
        let path = ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]
        if old?.value(at: path) == nil { object.remove(at: path) }
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        if kind == .statefulSet { dropUnavailable(&object, old) }
        GatedPodFields.drop(&object, old: old, at: ["spec", "template", "spec"])
        Generation.advance(&object, old: old)
        if kind == .daemonSet { countTemplates(&object, old) }
        // Annotations of a Deployment reach its ReplicaSets, so they count as a change of what is asked for.
        guard kind == .deployment, object["spec"] == old["spec"],
            object["metadata"]?["annotations"] != old["metadata"]?["annotations"]
        else { return }
        object.set(.integer((old["metadata"]?.number("generation") ?? 0) + 1), at: ["metadata", "generation"])
    }

    private func countTemplates(_ object: inout JSONValue, _ old: JSONValue) {
        let known = old.value(at: Self.templateGeneration)?.string.flatMap { Int64($0) } ?? 0
        let isNew = object["spec"]?["template"] != old["spec"]?["template"]
        object.set(.string(String(isNew ? known + 1 : known)), at: Self.templateGeneration)
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        (kind == .statefulSet ? NameRule.label : .subdomain).check(object, &issues)
        kind == .job ? JobValidation.whole(object, old: nil, &issues) : check(object, old: nil, &issues)
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        // What did not change was valid when it was stored; most updates by controllers touch the metadata alone.
        if object["spec"] == old["spec"] { return issues }
        if kind == .job {
            // A changed job is checked as a new one and as a change; what both find is a cause twice.
            JobValidation.whole(object, old: old, &issues)
        }
        if kind != .daemonSet { check(object, old: old, &issues) }
        WorkloadValidation.update(object, old: old, kind, &issues)
        if kind == .daemonSet { check(object, old: old, &issues) }
        return issues
    }

    /// Upstream's deployments keep their labels whoever writes the status.
    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        guard kind == .deployment else { return }
        let path = ["metadata", "labels"]
        if let labels = old.value(at: path) { object.set(labels, at: path) } else { object.remove(at: path) }
    }

    private func check(_ object: JSONValue, old: JSONValue?, _ issues: inout [FieldIssue]) {
        if kind == .job {
            JobValidation.job(object, &issues)
        } else {
            WorkloadValidation(object, kind).check(old: old, &issues)
        }
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if object["status"] == old["status"] { return issues }
        if kind == .job {
            JobStatusValidation(object, old: old).check(&issues)
        } else {
            WorkloadStatusValidation.check(object, old: old, kind, &issues)
        }
        return issues
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        var warnings: [String] = []
        if kind == .job {
            if old == nil { warnings += JobWarnings.name(object) }
            guard PodTemplateWarnings.isDue(object, old) else { return warnings }
            warnings += JobWarnings.spec(object["spec"] ?? [:], FieldPath("spec"))
            return warnings + PodTemplateWarnings.of(object, ["spec", "template"])
        }
        let name = object["metadata"]?.text("name") ?? ""
        if old == nil, kind == .replicaSet || kind == .deployment || kind == .replicationController, !name.isEmpty {
            warnings += nameWarnings(name)
        }
        // A daemon set counts the changes of its template, the others those of all that is wanted.
        let isSame = kind == .daemonSet && object["spec"]?["template"] == old?["spec"]?["template"]
        // Of a changed replication controller upstream looks at the template before the change.
        let warned = kind == .replicationController ? old ?? object : object
        if !isSame, PodTemplateWarnings.isDue(object, old) { warnings += PodTemplateWarnings.of(warned, ["spec", "template"]) }
        if kind == .statefulSet { warnings += WorkloadWarnings.statefulSet(object, isNew: old == nil) }
        return warnings
    }

    private func nameWarnings(_ name: String) -> [String] {
        let problems = Names.dns1123LabelIssues(name)
        if problems.isEmpty { return [] }
        let words = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
        return ["metadata.name: \(words): [\(problems.joined(separator: " "))]"]
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        WorkloadCells(object, now: now).row(kind)
    }
}

/// Warnings about the template of a workload.
enum PodTemplateWarnings {
    /// Whether it is time to warn: upstream does when an object is new or has a new generation.
    static func isDue(_ object: JSONValue, _ old: JSONValue?) -> Bool {
        let path = ["metadata", "generation"]
        return old.map { $0.value(at: path) != object.value(at: path) } ?? true
    }

    /// The warnings about the template at `path`.
    static func of(_ object: JSONValue, _ path: [String]) -> [String] {
        guard let template = object.value(at: path) else { return [] }
        return PodWarnings.of(template, at: path.dropFirst().reduce(FieldPath(path[0])) { $0.child($1) })
    }
}

/// Warnings about workloads themselves.
enum WorkloadWarnings {
    static func statefulSet(_ object: JSONValue, isNew: Bool) -> [String] {
        var warnings: [String] = []
        for (index, claim) in (object["spec"]?.list("volumeClaimTemplates") ?? []).enumerated() {
            let template = FieldPath("spec").child("volumeClaimTemplates").index(index)
            // Upstream names the place otherwise for a new set and for a changed one.
            let place = isNew ? template : template.child("Spec")
            warnings += StorageWarnings.claim(claim["spec"] ?? [:], place)
        }
        if object["spec"]?["revisionHistoryLimit"]?.int ?? 0 < 0 {
            warnings.append("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")
        }
        return warnings
    }
}
