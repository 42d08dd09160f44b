import APIModel
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

    init(_ kind: Kind) {
        self.kind = kind
    }

    func defaults(_ object: inout JSONValue) {
        PodSpecDefaults.apply(&object, at: ["spec", "template", "spec"], isPod: false)
        switch kind {
        case .replicationController: takeLabelsFromTemplate(&object)
        case .deployment: defaultStrategy(&object)
        case .statefulSet, .daemonSet: defaultUpdateStrategy(&object)
        case .job: defaultCompletions(&object)
        case .replicaSet: break
        }
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
        if kind == .job { JobSelector.complete(&object, context) }
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        Generation.advance(&object, old: old)
        // Annotations of a Deployment reach its ReplicaSets, so they count as a change of what is asked for.
        guard kind == .deployment, object["spec"] == old["spec"],
            object.value(at: ["metadata", "annotations"]) != old.value(at: ["metadata", "annotations"])
        else { return }
        object.set(.integer((old.value(at: ["metadata", "generation"])?.int ?? 0) + 1), at: ["metadata", "generation"])
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        WorkloadValidation.issues(object, kind)
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        WorkloadValidation.issues(object, kind) + WorkloadValidation.updateIssues(object, old: old, kind)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        WorkloadCells(object, now: now).row(kind)
    }

    private func takeLabelsFromTemplate(_ object: inout JSONValue) {
        guard let labels = object.value(at: ["spec", "template", "metadata", "labels"])?.object, !labels.isEmpty else { return }
        if object.value(at: ["spec", "selector"])?.object?.isEmpty ?? true { object.set(.object(labels), at: ["spec", "selector"]) }
        if object.value(at: ["metadata", "labels"])?.object?.isEmpty ?? true { object.set(.object(labels), at: ["metadata", "labels"]) }
    }

    private func defaultStrategy(_ object: inout JSONValue) {
        guard object.value(at: ["spec", "strategy", "type"])?.string == "Recreate" else { return }
        // The schema's defaults are those of a rolling update; a Recreate has no such part.
        let rolling = object.value(at: ["spec", "strategy", "rollingUpdate"])
        if rolling == ["maxSurge": "25%", "maxUnavailable": "25%"] || rolling?.object?.isEmpty == true {
            object.remove(at: ["spec", "strategy", "rollingUpdate"])
        }
    }

    private func defaultUpdateStrategy(_ object: inout JSONValue) {
        guard object.value(at: ["spec", "updateStrategy", "type"])?.string == "OnDelete" else { return }
        object.remove(at: ["spec", "updateStrategy", "rollingUpdate"])
    }

    private func defaultCompletions(_ object: inout JSONValue) {
        let isIndexed = object.value(at: ["spec", "completionMode"])?.string == "Indexed"
        if object.value(at: ["spec", "completions"]) == nil, object.value(at: ["spec", "parallelism"]) == nil, !isIndexed {
            object.set(.integer(1), at: ["spec", "completions"])
        }
        if object.value(at: ["spec", "parallelism"]) == nil { object.set(.integer(1), at: ["spec", "parallelism"]) }
    }
}

/// The selector a Job gets from the server unless it brings one: its own uid.
enum JobSelector {
    static func complete(_ object: inout JSONValue, _ context: HookContext) {
        guard object.value(at: ["spec", "manualSelector"])?.bool != true, object.value(at: ["spec", "selector"]) == nil,
            let uid = object.value(at: ["metadata", "uid"])?.string
        else { return }
        let name = object.value(at: ["metadata", "name"]) ?? ""
        let labels: [(String, JSONValue)] = [
            ("batch.kubernetes.io/controller-uid", .string(uid)), ("batch.kubernetes.io/job-name", name),
            ("controller-uid", .string(uid)), ("job-name", name),
        ]
        for (key, value) in labels { object.set(value, at: ["spec", "template", "metadata", "labels", key]) }
        object.set(["matchLabels": ["batch.kubernetes.io/controller-uid": .string(uid)]], at: ["spec", "selector"])
    }
}
