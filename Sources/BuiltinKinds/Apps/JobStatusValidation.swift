import PodKinds
import Schema
import Units
import Values

/// What the writer of a job's status may not do. Each rule holds only for what the write changes, so that a status of
/// old does not stop its next writer.
struct JobStatusValidation {
    private let job: JSONValue
    private let status: JSONValue
    private let before: JSONValue

    private static let path = FieldPath("status")

    init(_ job: JSONValue, old: JSONValue) {
        self.job = job
        status = job["status"] ?? [:]
        before = old["status"] ?? [:]
    }

    func check(_ issues: inout [FieldIssue]) {
        for field in ["active", "succeeded", "failed", "ready", "terminating"] {
            issues.nonNegative(status[field]?.int, Self.path.child(field))
        }
        uncounted(&issues)
        conditions(&issues)
        times(&issues)
        finished(&issues)
        indexes(&issues)
        counters(&issues)
    }

    private func isTrue(_ type: String, _ status: JSONValue) -> Bool {
        status.list("conditions").contains { $0.text("type") == type && $0.text("status") == "True" }
    }

    private func has(_ type: String) -> Bool { isTrue(type, status) }
    private func changes(_ types: String...) -> Bool { types.contains { isTrue($0, status) != isTrue($0, before) } }
    private func changesField(_ field: String) -> Bool { status[field] != before[field] }
    private var isFinished: Bool { has("Complete") || has("Failed") }
    private var changesFinished: Bool { isFinished != (isTrue("Complete", before) || isTrue("Failed", before)) }

    private func refuse(_ words: String, _ issues: inout [FieldIssue]) {
        issues.append(FieldIssue(kind: .invalid, path: Self.path.child("conditions"), detail: words))
    }

    private func uncounted(_ issues: inout [FieldIssue]) {
        guard let pods = status["uncountedTerminatedPods"] else { return }
        var seen: Set<String> = []
        for list in ["succeeded", "failed"] {
            for (index, uid) in pods.texts(list).enumerated() {
                let place = Self.path.child("uncountedTerminatedPods", list).index(index)
                if uid.isEmpty {
                    issues.invalid(place, "", "must not be empty")
                } else if !seen.insert(uid).inserted {
                    issues.append(.duplicate(place, .string(uid)))
                }
            }
        }
    }

    private func conditions(_ issues: inout [FieldIssue]) {
        let met = "SuccessCriteriaMet"
        if has("Complete"), has("Failed"), changes("Complete", "Failed") {
            refuse("cannot set Complete=True and Failed=true conditions", &issues)
        }
        if has("Complete"), has("FailureTarget"), changes("Complete", "FailureTarget") {
            refuse("cannot set Complete=True and FailureTarget=true conditions", &issues)
        }
        if has("Failed"), !has("FailureTarget"), changes("Failed") || changesField("failedIndexes") {
            refuse("cannot set Failed=True condition without the FailureTarget=true condition", &issues)
        }
        if has("Complete"), !has(met), changes("Complete", met) {
            refuse("cannot set Complete=True condition without the SuccessCriteriaMet=true condition", &issues)
        }
        if has(met), has("Failed") { refuse("cannot set SuccessCriteriaMet=True and Failed=true conditions", &issues) }
        if has(met), has("FailureTarget") { refuse("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions", &issues) }
        if job["spec"]?["successPolicy"] != nil, has("Complete"), !has(met) {
            refuse("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True", &issues)
        }
        for type in ["Failed", "Complete", "FailureTarget"] where isTrue(type, before) && !has(type) {
            refuse("cannot disable the terminal \(type)=True condition", &issues)
        }
        if isTrue(met, before), !has(met) { refuse("cannot disable the SuccessCriteriaMet=True condition", &issues) }
        if isTrue("Complete", before), !isTrue(met, before), has(met) {
            refuse("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions", &issues)
        }
    }

    private func times(_ issues: inout [FieldIssue]) {
        let (start, end) = (status["startTime"], status["completionTime"])
        let place = Self.path.child("completionTime")
        if changes("Complete") || changesField("completionTime") {
            if end != nil, !has("Complete") {
                issues.invalid(place, end, "cannot set completionTime when there is no Complete=True condition")
            } else if end == nil, has("Complete") {
                issues.required(place, "completionTime is required for Complete jobs")
            }
        }
        if changesField("startTime") || changesField("completionTime"),
            let first = start?.string.flatMap({ Timestamp($0) }), let last = end?.string.flatMap({ Timestamp($0) }), last < first
        {
            issues.invalid(place, end, "must be equal to or after `startTime`")
        }
        if let known = before["completionTime"], let end, known != end { issues.invalid(place, end, "field is immutable") }
        let isResuming =
            isTrue("Suspended", before)
            && status.list("conditions").contains { $0.text("type") == "Suspended" && $0.text("status") == "False" }
        if let known = before["startTime"], known != start, !isResuming, job["spec"]?.flag("suspend") != true {
            issues.invalid(Self.path.child("startTime"), start, "field is immutable for unsuspended job once set")
        }
    }

    private func finished(_ issues: inout [FieldIssue]) {
        guard isFinished else { return }
        if status.number("active") > 0, changesFinished || changesField("active") {
            issues.invalid(Self.path.child("active"), status["active"], "active>0 is invalid for finished job")
        }
        if status.number("terminating") > 0, changesFinished || changesField("terminating") {
            issues.invalid(Self.path.child("terminating"), status["terminating"], "terminating>0 is invalid for finished job")
        }
        let isEmptySuspended = job["spec"]?.flag("suspend") == true && job["spec"]?["completions"]?.int == 0
        if status["startTime"] == nil, changesFinished || changesField("startTime"), !isEmptySuspended {
            issues.required(Self.path.child("startTime"), "startTime is required for finished job")
        }
        if let pods = status["uncountedTerminatedPods"], !pods.list("failed").isEmpty || !pods.list("succeeded").isEmpty,
            changesFinished || changesField("uncountedTerminatedPods")
        {
            issues.invalid(Self.path.child("uncountedTerminatedPods"), pods, "must be empty for finished job")
        }
    }

    private func indexes(_ issues: inout [FieldIssue]) {
        let spec = job["spec"] ?? [:]
        if changesField("completedIndexes") {
            let text = status.text("completedIndexes")
            form(text, "completedIndexes", spec, &issues)
            if !text.isEmpty, spec.text("completionMode") != "Indexed" {
                let words = "cannot set non-empty completedIndexes when non-indexed completion mode"
                issues.invalid(Self.path.child("completedIndexes"), .string(text), words)
            }
        }
        guard changesField("failedIndexes"), let text = status["failedIndexes"]?.string else { return }
        if spec["backoffLimitPerIndex"]?.int == nil {
            let words = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            issues.invalid(Self.path.child("failedIndexes"), .string(text), words)
        } else {
            form(text, "failedIndexes", spec, &issues)
        }
    }

    private func form(_ text: String, _ field: String, _ spec: JSONValue, _ issues: inout [FieldIssue]) {
        guard let completions = spec["completions"]?.int,
            case .failure(let problem) = CompletionIndexes.count(text, completions: completions)
        else { return }
        issues.invalid(Self.path.child(field), .string(text), "error parsing \(field): \(problem.words)")
    }

    private func counters(_ issues: inout [FieldIssue]) {
        let spec = job["spec"] ?? [:]
        if changesField("ready") || changesField("active"), let ready = status["ready"]?.int, ready > status.number("active") {
            issues.invalid(Self.path.child("ready"), .integer(ready), "cannot set more ready pods than active")
        }
        if status.number("failed") < before.number("failed") {
            issues.invalid(Self.path.child("failed"), .integer(status.number("failed")), "cannot decrease the failed counter")
        }
        let isElastic = spec.text("completionMode") == "Indexed" && spec["completions"] == spec["parallelism"]
        if !isElastic, status.number("succeeded") < before.number("succeeded") {
            issues.invalid(Self.path.child("succeeded"), .integer(status.number("succeeded")), "cannot decrease the succeeded counter")
        }
    }
}

/// Warnings about jobs.
enum JobWarnings {
    private static let softLimit: Int64 = 100_000
    private static let highParallelism: Int64 = 10_000

    /// A name that is no label makes names of pods that surprise.
    static func name(_ object: JSONValue) -> [String] {
        let problems = Names.dns1123LabelIssues(object["metadata"]?.text("name") ?? "")
        if problems.isEmpty { return [] }
        let words = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
        return ["metadata.name: \(words): [\(problems.joined(separator: " "))]"]
    }

    /// Sizes that do not work well.
    static func spec(_ spec: JSONValue, _ path: FieldPath) -> [String] {
        guard spec.text("completionMode") == "Indexed", spec.number("completions") > softLimit, spec.number("parallelism") > highParallelism
        else { return [] }
        let words =
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            + "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        return ["\(path): \(words)"]
    }
}
