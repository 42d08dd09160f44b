import PodKinds
import Schema
import Units
import Values

/// What is wrong with jobs.
struct JobValidation {
    private let spec: JSONValue
    private let path: FieldPath

    private static let root = FieldPath("spec")
    private static let indexedParallelism: Int64 = 100_000
    private static let indexedFailures: Int64 = 100_000
    private static let softCompletions: Int64 = 100_000
    private static let highCompletionParallelism: Int64 = 10_000
    private static let highCompletionFailures: Int64 = 10_000
    private static let managedByLimit = 63

    /// A whole job.
    static func job(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        template(spec, at: root, &issues)
        let place = root.child("selector")
        let labels = spec["template"]?["metadata"]?["labels"]
        var isMatching = false
        if let selector = spec["selector"], selector != .null {
            SelectorValidation.selector(selector, place, &issues)
            guard let parsed = try? LabelSelector(json: selector) else { return }
            isMatching = parsed.matches(strings(labels))
        } else {
            issues.required(place)
        }
        if !isMatching {
            issues.invalid(root.child("template", "metadata", "labels"), labels ?? .null, "`selector` does not match template `labels`")
        }
    }

    private static func strings(_ json: JSONValue?) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in json?.object ?? [:] { result[key] = value.string ?? "" }
        return result
    }

    /// A job as a new one is checked: with the labels and the selector it got from the server, and names its pods can have.
    static func whole(_ object: JSONValue, old: JSONValue?, _ issues: inout [FieldIssue]) {
        generated(object, old: old, &issues)
        job(object, &issues)
        hostname(object, &issues)
    }

    private static func generated(_ object: JSONValue, old: JSONValue?, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let (name, uid) = (object["metadata"]?.text("name") ?? "", object["metadata"]?.text("uid") ?? "")
        guard !spec.flag("manualSelector"), let selector = spec["selector"], selector != .null else { return }
        var expected = [("controller-uid", uid), ("job-name", name)]
        let prefixed = [(JobSelector.controller, uid), ("batch.kubernetes.io/job-name", name)]
        // A job from the time before these labels needs none.
        let known = old.map { $0["spec"]?["template"]?["metadata"]?["labels"] ?? [:] }
        if prefixed.allSatisfy({ known == nil || known?[$0.0] != nil }) { expected += prefixed }
        let labels = spec["template"]?["metadata"]?["labels"]
        let place = root.child("template", "metadata", "labels")
        for (key, value) in expected {
            if labels?[key] == nil {
                issues.required(place.key(key), "must be '\(value)'")
            } else if labels?[key]?.string != value {
                issues.invalid(place.key(key), labels, "must be '\(value)'")
            }
        }
        if let parsed = try? LabelSelector(json: selector), !parsed.matches(Dictionary(uniqueKeysWithValues: expected)) {
            issues.invalid(root.child("selector"), selector, "`selector` not auto-generated")
        }
    }

    private static func hostname(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let name = object["metadata"]?.text("name") ?? ""
        guard spec.text("completionMode") == "Indexed", spec.number("completions") > 0 else { return }
        let hostname = "\(name)-\(spec.number("completions") - 1)"
        if !Names.dns1123LabelIssues(hostname).isEmpty {
            let words = "will not able to create pod with invalid DNS label: \(hostname)"
            issues.invalid(FieldPath("metadata").child("name"), .string(name), words)
        }
    }

    /// The spec of a job or of a job template.
    static func template(_ spec: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        JobValidation(spec: spec, path: path).run(&issues)
    }

    private func run(_ issues: inout [FieldIssue]) {
        let counts = [
            "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex",
            "maxFailedIndexes",
        ]
        for field in counts { issues.nonNegative(spec[field]?.int, path.child(field)) }
        if spec["maxFailedIndexes"]?.int != nil, spec["backoffLimitPerIndex"]?.int == nil {
            issues.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified")
        }
        if let manager = spec["managedBy"]?.string { managedBy(manager, path.child("managedBy"), &issues) }
        let mode = spec["completionMode"]?.string
        if let mode { issues.oneOf(mode, ["NonIndexed", "Indexed"], path.child("completionMode")) }
        if mode == "Indexed" {
            indexed(&issues)
        } else if mode == nil || mode == "NonIndexed" {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                guard let value = spec[field]?.int else { continue }
                issues.invalid(path.child(field), .integer(value), "requires indexed completion mode")
            }
        }
        JobPolicyValidation(spec: spec, path: path).check(&issues)
        let place = path.child("template")
        PodTemplateValidation.check(spec["template"] ?? [:], place, &issues)
        restartPolicy(place.child("spec", "restartPolicy"), &issues)
    }

    private func managedBy(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if name.isEmpty {
            issues.required(path)
        } else if parts.count != 2 || parts[0].isEmpty || parts[1].isEmpty {
            issues.invalid(path, .string(name), "must be a domain-prefixed path (such as \"acme.io/foo\")")
        } else {
            issues.add(Names.dns1123SubdomainIssues(parts[0]), path, parts[0])
        }
        if name.utf8.count > Self.managedByLimit { issues.append(.tooLong(path, maximum: Self.managedByLimit)) }
    }

    private func indexed(_ issues: inout [FieldIssue]) {
        let (completions, parallelism) = (spec["completions"]?.int, spec["parallelism"]?.int)
        let failures = spec["maxFailedIndexes"]?.int
        if completions == nil { issues.required(path.child("completions"), "when completion mode is Indexed") }
        if let parallelism, parallelism > Self.indexedParallelism {
            let words = "must be less than or equal to \(Self.indexedParallelism) when completion mode is Indexed"
            issues.invalid(path.child("parallelism"), .integer(parallelism), words)
        }
        if let failures {
            if let completions, failures > completions {
                issues.invalid(path.child("maxFailedIndexes"), .integer(failures), "must be less than or equal to completions")
            }
            if failures > Self.indexedFailures {
                issues.invalid(path.child("maxFailedIndexes"), .integer(failures), "must be less than or equal to \(Self.indexedFailures)")
            }
        }
        guard let completions, completions > Self.softCompletions, spec["backoffLimitPerIndex"]?.int != nil else { return }
        let above = "when completions are above \(Self.softCompletions) and used with backoff limit per index"
        if failures == nil {
            issues.required(path.child("maxFailedIndexes"), "must be specified when completions is above \(Self.softCompletions)")
        }
        if let parallelism, parallelism > Self.highCompletionParallelism {
            let words = "must be less than or equal to \(Self.highCompletionParallelism) \(above)"
            issues.invalid(path.child("parallelism"), .integer(parallelism), words)
        }
        if let failures, failures > Self.highCompletionFailures {
            let words = "must be less than or equal to \(Self.highCompletionFailures) \(above)"
            issues.invalid(path.child("maxFailedIndexes"), .integer(failures), words)
        }
    }

    private func restartPolicy(_ path: FieldPath, _ issues: inout [FieldIssue]) {
        let policy = spec["template"]?["spec"]?.text("restartPolicy") ?? ""
        switch policy {
        case "Always", "": issues.required(path, "valid values: \"OnFailure\", \"Never\"")
        case "OnFailure":
            if spec["podFailurePolicy"] == nil { return }
            issues.invalid(path, .string(policy), "only \"Never\" is supported when podFailurePolicy is specified")
        case "Never": return
        default: issues.append(.notSupported(path, .string(policy), ["OnFailure", "Never"]))
        }
    }

    /// What an update may not change.
    static func update(_ new: JSONValue, _ before: JSONValue, _ issues: inout [FieldIssue]) {
        if new.text("completionMode") != "Indexed" {
            issues.immutable(new["completions"], before["completions"], root.child("completions"))
        } else if let completions = new["completions"], completions != before["completions"], completions != new["parallelism"] {
            issues.invalid(root.child("completions"), completions, "can only be modified in tandem with spec.parallelism")
        }
        issues.immutable(new["selector"], before["selector"], root.child("selector"))
        templateUpdate(new, before, &issues)
        for field in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
            issues.immutable(new[field], before[field], root.child(field))
        }
    }

    private static func templateUpdate(_ new: JSONValue, _ before: JSONValue, _ issues: inout [FieldIssue]) {
        let template = new["template"] ?? [:]
        var known = before["template"] ?? [:]
        if template == known { return }
        if before.flag("suspend") {
            // A suspended job has no pods, so where they would run and what they would ask for can still change.
            for field in ["nodeSelector", "tolerations", "schedulingGates"] { known.put(template["spec"]?[field], at: ["spec", field]) }
            let wanted = template["spec"]?["affinity"]
            var affinity = known["spec"]?["affinity"] ?? [:]
            affinity["nodeAffinity"] = wanted?["nodeAffinity"]
            // An affinity of nothing else comes and goes with that of nodes.
            known.put(wanted == nil && affinity.object?.isEmpty == true ? nil : affinity, at: ["spec", "affinity"])
            for list in ["containers", "initContainers"] { takeResources(template, &known, list) }
            return issues.immutable(template["spec"], known["spec"], root.child("template", "spec"))
        }
        issues.immutable(template, known, root.child("template"))
    }

    private static func takeResources(_ template: JSONValue, _ known: inout JSONValue, _ list: String) {
        let mine = template["spec"]?.list(list) ?? []
        guard var theirs = known["spec"]?[list]?.array, mine.count == theirs.count else { return }
        for (index, container) in mine.enumerated() where container.text("name") == theirs[index].text("name") {
            theirs[index]["resources"] = container["resources"]
        }
        known.set(.array(theirs), at: ["spec", list])
    }
}

extension JSONValue {
    /// Sets the value at `path`, or removes what is there when there is none.
    mutating func put(_ value: JSONValue?, at path: [String]) {
        if let value { set(value, at: path) } else { remove(at: path) }
    }
}
