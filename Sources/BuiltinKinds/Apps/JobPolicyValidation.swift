import PodKinds
import Schema
import Units
import Values

/// What is wrong with the policies of a job: when it fails, when it succeeds, when pods are replaced.
struct JobPolicyValidation {
    let spec: JSONValue
    let path: FieldPath

    private static let ruleLimit = 20
    private static let codeLimit = 255
    private static let actions = ["Count", "FailIndex", "FailJob", "Ignore"]
    private static let indexesLimit = 64 * 1024

    func check(_ issues: inout [FieldIssue]) {
        if let policy = spec["podFailurePolicy"] { failure(policy, path.child("podFailurePolicy", "rules"), &issues) }
        if let policy = spec["successPolicy"] {
            if spec.text("completionMode") == "Indexed" {
                success(policy, path.child("successPolicy", "rules"), &issues)
            } else {
                issues.invalid(path.child("successPolicy"), policy, "requires indexed completion mode")
            }
        }
        guard let replacement = spec["podReplacementPolicy"]?.string else { return }
        let allowed = spec["podFailurePolicy"] == nil ? ["Failed", "TerminatingOrFailed"] : ["Failed"]
        issues.oneOf(replacement, allowed, path.child("podReplacementPolicy"))
    }

    private func quoted(_ words: [String]) -> String { "valid values: [\(words.map { "\"\($0)\"" }.joined(separator: " "))]" }

    private func failure(_ policy: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let rules = policy.list("rules")
        if rules.count > Self.ruleLimit { issues.append(.tooMany(path, actual: rules.count, maximum: Self.ruleLimit)) }
        for (index, rule) in rules.enumerated() {
            let place = path.index(index)
            let action = rule.text("action")
            if action.isEmpty {
                issues.required(place.child("action"), quoted(Self.actions))
            } else if action == "FailIndex", spec["backoffLimitPerIndex"]?.int == nil {
                issues.invalid(place.child("action"), .string(action), "requires the backoffLimitPerIndex to be set")
            } else {
                issues.oneOf(action, Self.actions, place.child("action"))
            }
            let conditions = rule.list("onPodConditions")
            if let codes = rule["onExitCodes"] { exitCodes(codes, place.child("onExitCodes"), &issues) }
            if !conditions.isEmpty { self.conditions(conditions, place.child("onPodConditions"), &issues) }
            if (rule["onExitCodes"] == nil) == conditions.isEmpty {
                let words =
                    conditions.isEmpty
                    ? "specifying one of OnExitCodes and OnPodConditions is required"
                    : "specifying both OnExitCodes and OnPodConditions is not supported"
                issues.append(FieldIssue(kind: .invalid, path: place, detail: words))
            }
        }
    }

    private func conditions(_ patterns: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if patterns.count > Self.ruleLimit { issues.append(.tooMany(path, actual: patterns.count, maximum: Self.ruleLimit)) }
        let states = ["False", "True", "Unknown"]
        for (index, pattern) in patterns.enumerated() {
            let place = path.index(index)
            issues.qualifiedName(pattern.text("type"), place.child("type"))
            let status = pattern.text("status")
            if status.isEmpty {
                issues.required(place.child("status"), quoted(states))
            } else {
                issues.oneOf(status, states, place.child("status"))
            }
        }
    }

    private func exitCodes(_ codes: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let op = codes.text("operator")
        if op.isEmpty {
            issues.required(path.child("operator"), quoted(["In", "NotIn"]))
        } else {
            issues.oneOf(op, ["In", "NotIn"], path.child("operator"))
        }
        if let name = codes["containerName"]?.string {
            let podSpec = spec["template"]?["spec"] ?? [:]
            let known = podSpec.list("containers") + podSpec.list("initContainers")
            if !known.contains(where: { $0.text("name") == name }) {
                let words = "must be one of the container or initContainer names in the pod template"
                issues.invalid(path.child("containerName"), .string(name), words)
            }
        }
        let values = codes.list("values").map { $0.int ?? 0 }
        let place = path.child("values")
        if values.isEmpty {
            issues.invalid(place, codes["values"] ?? [], "at least one value is required")
        } else if values.count > Self.codeLimit {
            issues.append(.tooMany(place, actual: values.count, maximum: Self.codeLimit))
        }
        var seen: Set<Int64> = []
        for (index, value) in values.enumerated() {
            if op == "In", value == 0 { issues.invalid(place.index(index), 0, "must not be 0 for the In operator") }
            if !seen.insert(value).inserted { issues.append(.duplicate(place.index(index), .integer(value))) }
        }
        if zip(values, values.dropFirst()).contains(where: { $0 > $1 }) { issues.invalid(place, codes["values"], "must be ordered") }
    }

    private func success(_ policy: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let rules = policy.list("rules")
        if rules.isEmpty { issues.required(path, "at least one rules must be specified when the successPolicy is specified") }
        if rules.count > Self.ruleLimit { issues.append(.tooMany(path, actual: rules.count, maximum: Self.ruleLimit)) }
        for (index, rule) in rules.enumerated() { successRule(rule, path.index(index), &issues) }
    }

    private func successRule(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let completions = spec.number("completions")
        let (count, indexes) = (rule["succeededCount"]?.int, rule["succeededIndexes"]?.string)
        if count == nil, indexes == nil { issues.required(path, "at least one of succeededCount or succeededIndexes must be specified") }
        var total: Int64 = 0
        if let indexes {
            let place = path.child("succeededIndexes")
            if indexes.utf8.count > Self.indexesLimit { issues.append(.tooLong(place, maximum: Self.indexesLimit)) }
            switch CompletionIndexes.count(indexes, completions: completions) {
            case .success(let count): total = count
            case .failure(let problem): issues.invalid(place, .string(indexes), "error parsing succeededIndexes: \(problem.words)")
            }
        }
        guard let count else { return }
        let place = path.child("succeededCount")
        issues.nonNegative(count, place)
        if count > completions {
            let words = "must be less than or equal to \(completions) (the number of specified completions)"
            issues.invalid(place, .integer(count), words)
        }
        if indexes != nil, count > total {
            let words = "must be less than or equal to \(total) (the number of indexes in the specified succeededIndexes field)"
            issues.invalid(place, .integer(count), words)
        }
    }
}

/// Indexes of a job in their short form: `0,2-5,7`.
enum CompletionIndexes {
    /// Why a text is none.
    struct Problem: Error {
        let words: String
    }

    /// How many indexes a text names; they rise, and stay below the completions.
    static func count(_ text: String, completions: Int64) -> Result<Int64, Problem> {
        if text.isEmpty { return .success(0) }
        var last: Int64?
        var total: Int64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard ends.count <= 2 else {
                return .failure(
                    Problem(
                        words:
                            "the fragment \"\(part)\" violates the requirement that an index interval can have at most two parts separated by '-'"
                    )
                )
            }
            guard let first = Int64(ends[0]) else {
                return .failure(Problem(words: "cannot convert string to integer for index: \"\(ends[0])\""))
            }
            guard first < completions else { return .failure(Problem(words: "too large index: \"\(ends[0])\"")) }
            var end = first
            if ends.count == 2 {
                guard let value = Int64(ends[1]) else {
                    return .failure(Problem(words: "cannot convert string to integer for index: \"\(ends[1])\""))
                }
                guard value < completions else { return .failure(Problem(words: "too large index: \"\(ends[1])\"")) }
                guard first < value else {
                    return .failure(Problem(words: "non-increasing order, previous: \(first), current: \(value)"))
                }
                end = value
            }
            if let last, last >= first {
                return .failure(Problem(words: "non-increasing order, previous: \(last), current: \(first)"))
            }
            total += end - first + 1
            last = end
        }
        return .success(total)
    }
}
