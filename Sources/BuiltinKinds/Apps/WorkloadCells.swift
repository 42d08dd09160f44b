import PodKinds
import Units
import Values

/// The rows of workloads. Source: pkg/printers/internalversion.
struct WorkloadCells {
    private let object: JSONValue
    private let now: Timestamp

    init(_ object: JSONValue, now: Timestamp) {
        self.object = object
        self.now = now
    }

    func row(_ kind: WorkloadHooks.Kind) -> [JSONValue] {
        switch kind {
        case .deployment:
            [name, ready, n(status("updatedReplicas")), n(status("availableReplicas")), age] + images + [deploymentSelector]
        case .replicaSet: [name, n(spec("replicas")), n(status("replicas")), n(status("readyReplicas")), age] + template
        case .replicationController:
            [name, n(spec("replicas")), n(status("replicas")), n(status("readyReplicas")), age] + images + [plainSelector]
        case .statefulSet: [name, ready, age] + images
        case .daemonSet:
            [
                name, n(status("desiredNumberScheduled")), n(status("currentNumberScheduled")), n(status("numberReady")),
                n(status("updatedNumberScheduled")), n(status("numberAvailable")),
                .string(Cells.labels(object.value(at: ["spec", "template", "spec", "nodeSelector"]))), age,
            ] + template
        case .job: [name, .string(jobStatus), .string(completions), .string(duration), age] + template
        }
    }

    private var name: JSONValue { Cells.name(object) }
    private var age: JSONValue { Cells.age(object, now: now) }
    private var images: [JSONValue] { Cells.containers(object.value(at: ["spec", "template", "spec"])) }
    private var template: [JSONValue] { images + [.string(Cells.selector(object.value(at: ["spec", "selector"])))] }
    private var ready: JSONValue { .string("\(status("readyReplicas"))/\(spec("replicas"))") }
    // A Deployment's selector is shown as a selector, where an empty one is an empty text.
    private var deploymentSelector: JSONValue {
        guard let parsed = try? LabelSelector(json: object["spec"]?["selector"]) else { return "<invalid>" }
        return .string(parsed.description)
    }
    private var plainSelector: JSONValue { .string(Cells.labels(object.value(at: ["spec", "selector"]))) }

    private func n(_ value: Int64) -> JSONValue { .integer(value) }
    private func spec(_ field: String) -> Int64 { object.value(at: ["spec", field])?.int ?? 0 }
    private func status(_ field: String) -> Int64 { object.value(at: ["status", field])?.int ?? 0 }

    private func hasCondition(_ type: String) -> Bool {
        (object.value(at: ["status", "conditions"])?.array ?? []).contains { $0["type"]?.string == type && $0["status"]?.string == "True" }
    }

    private var jobStatus: String {
        if hasCondition("Complete") { return "Complete" }
        if hasCondition("Failed") { return "Failed" }
        if object.value(at: ["metadata", "deletionTimestamp"])?.string != nil { return "Terminating" }
        if hasCondition("Suspended") { return "Suspended" }
        if hasCondition("FailureTarget") { return "FailureTarget" }
        if hasCondition("SuccessCriteriaMet") { return "SuccessCriteriaMet" }
        return "Running"
    }

    private var completions: String {
        if let wanted = object.value(at: ["spec", "completions"])?.int { return "\(status("succeeded"))/\(wanted)" }
        let parallelism = object.value(at: ["spec", "parallelism"])?.int ?? 0
        return parallelism > 1 ? "\(status("succeeded"))/1 of \(parallelism)" : "\(status("succeeded"))/1"
    }

    private var duration: String {
        guard let start = object.value(at: ["status", "startTime"])?.string.flatMap({ Timestamp($0) }) else { return "" }
        let end = object.value(at: ["status", "completionTime"])?.string.flatMap { Timestamp($0) }
        return humanDuration((end ?? now) - start)
    }
}
