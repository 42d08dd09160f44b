import APIModel
import PodKinds
import Schema
import Units
import Values

/// The rules of small kinds: one value each.
enum ClusterKinds {
    private static let highestPriority: Int64 = 1_000_000_000
    private static let systemPriorities: [String: Int64] = [
        "system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000,
    ]

    static let lease = KindRules(
        check: { object, issues in
            let path = FieldPath("spec")
            let spec = object["spec"] ?? [:]
            if let seconds = spec["leaseDurationSeconds"]?.int, seconds <= 0 {
                issues.invalid(path.child("leaseDurationSeconds"), .integer(seconds), "must be greater than 0")
            }
            issues.nonNegative(spec["leaseTransitions"]?.int, path.child("leaseTransitions"))
            if let strategy = spec["strategy"]?.string { ServerKinds.leaseStrategy(strategy, path.child("strategy"), &issues) }
            if !spec.text("preferredHolder").isEmpty, spec.text("strategy").isEmpty {
                issues.forbidden(path.child("preferredHolder"), "may only be specified if `strategy` is defined")
            }
        },
        prepare: { object, old, _ in
            // Coordinated leader election is behind a gate that is off.
            for field in ["strategy", "preferredHolder"] where old?["spec"]?[field] == nil && object["spec"]?[field] != nil {
                object.remove(at: ["spec", field])
            }
        },
        row: { [$0.name, $0.spec["holderIdentity"] ?? "", $0.age] }
    )

    static let serviceAccount = KindRules(
        warn: { object in
            let mark = "kubernetes.io/enforce-mountable-secrets"
            guard object["metadata"]?["annotations"]?[mark] != nil else { return [] }
            return ["metadata.annotations[\(mark)]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"]
        },
        prepare: { object, _, _ in
            guard let secrets = object["secrets"]?.array else { return }
            // Of a reference to a secret its name alone counts.
            object["secrets"] = .array(secrets.map { secret in secret.text("name").isEmpty ? [:] : ["name": secret["name"] ?? ""] })
        },
        row: { [$0.name, $0.age] }
    )

    static let podTemplate = KindRules(
        generation: ["template"],
        complete: { PodSpecDefaults.apply(&$0, at: ["template", "spec"], isPod: false) },
        check: { PodTemplateValidation.check($0["template"] ?? [:], FieldPath("template"), &$1) },
        warn: { PodWarnings.of($0["template"] ?? [:], at: FieldPath("template")) },
        prepare: { object, old, _ in GatedPodFields.drop(&object, old: old, at: ["template", "spec"]) },
        row: { row in
            let template = row.object["template"]
            return [row.name] + Cells.containers(template?["spec"]) + [.string(Cells.labels(template?["metadata"]?["labels"]))]
        }
    )

    static let controllerRevision = KindRules(
        check: { object, issues in issues.nonNegative(object["revision"]?.int, FieldPath("revision")) },
        update: { issues_object, old, issues in issues.immutable(issues_object["data"], old["data"], FieldPath("data")) },
        create: { object, issues in
            let path = FieldPath("data")
            switch object["data"] ?? .null {
            case .null: issues.required(path, "data is mandatory")
            case .object: break
            default: issues.required(path, "data must be a valid JSON object")
            }
        },
        row: { row in
            let owner = row.object["metadata"]?.list("ownerReferences").first { $0.flag("controller") }
            let text = owner.map { owner -> String in
                let parts = owner.text("apiVersion").split(separator: "/")
                let group = parts.count == 2 ? ".\(parts[0])" : ""
                return "\(owner.text("kind"))\(group)".lowercased() + "/\(owner.text("name"))"
            }
            return [row.name, .string(text ?? "<none>"), .integer(row.object.number("revision")), row.age]
        }
    )

    static let resourceQuota = KindRules(
        status: [:],
        check: { QuotaValidation.quota($0, &$1) },
        update: { QuotaValidation.quotaUpdate($0, $1, &$2) },
        statusUpdate: { QuotaValidation.quotaStatus($0, $1, &$2) },
        row: { row in
            let used = row.status.members("used")
            var texts: [[String]] = [[], []]
            for (name, hard) in row.status.members("hard") {
                let text = "\(name): \(used[name]?.string ?? "0")/\(hard.string ?? "0")"
                texts[name.hasPrefix("limits.") ? 1 : 0].append(text)
            }
            return [row.name] + texts.map { .string($0.joined(separator: ", ")) } + [row.age]
        }
    )

    static let limitRange = KindRules(
        complete: { LimitRangeValidation.complete(&$0) },
        check: { LimitRangeValidation.check($0, &$1) }
    )

    static let disruptionBudget = KindRules(
        generation: ["spec"],
        status: ["disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0],
        check: { object, issues in
            let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
            let fields = ["minAvailable", "maxUnavailable"].filter { spec[$0] != nil }
            if fields.count == 2 { issues.invalid(path, spec, "minAvailable and maxUnavailable cannot be both set") }
            for field in fields {
                let amount = Amount(spec[field])
                amount.check(path.child(field), &issues)
                amount.checkWhole(path.child(field), &issues)
            }
            SelectorValidation.selector(spec["selector"], path.child("selector"), &issues)
            if let policy = spec["unhealthyPodEvictionPolicy"]?.string {
                issues.oneOf(policy, ["AlwaysAllow", "IfHealthyBudget"], path.child("unhealthyPodEvictionPolicy"))
            }
        },
        statusUpdate: { object, _, issues in
            ConditionValidation.check(object["status"]?.list("conditions") ?? [], FieldPath("status.conditions"), &issues)
            for field in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
                issues.nonNegative(object["status"]?[field]?.int, FieldPath("status").child(field))
            }
        },
        row: { row in
            let amount = { (field: String) -> JSONValue in
                switch row.spec[field] {
                case .integer(let value)?: .string("\(value)")
                case .string(let text)?: .string(text)
                default: "N/A"
                }
            }
            return [row.name, amount("minAvailable"), amount("maxUnavailable"), .integer(row.status.number("disruptionsAllowed")), row.age]
        }
    )

    static let priorityClass = KindRules(
        generation: ["value"],
        check: { priorityClass($0, &$1) },
        update: { object, old, issues in
            if object.number("value") != old.number("value") { issues.forbidden(FieldPath("value"), "may not be changed in an update.") }
            issues.immutable(object["preemptionPolicy"], old["preemptionPolicy"], FieldPath("preemptionPolicy"))
        },
        checksUpdates: false,
        row: { row in
            let object = row.object
            return [
                row.name, .integer(object.number("value")), .bool(object.flag("globalDefault")), row.age, object["preemptionPolicy"] ?? "",
            ]
        }
    )

    private static func priorityClass(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let (name, value) = (object["metadata"]?.text("name") ?? "", object.number("value"))
        if name.hasPrefix("system-") {
            var problem: String?
            if let known = systemPriorities[name] {
                if known != value { problem = "value of \(name) PriorityClass must be \(known)" }
                if problem == nil, object.flag("globalDefault") { problem = "globalDefault of \(name) PriorityClass must be false" }
            } else {
                problem = "\(name) is not a known system priority class"
            }
            if let problem {
                let words = "priority class names with 'system-' prefix are reserved for system use only. error: \(problem)"
                issues.forbidden(FieldPath("metadata").child("name"), words)
            }
        } else if value > highestPriority {
            issues.forbidden(FieldPath("value"), "maximum allowed value of a user defined priority is \(highestPriority)")
        }
        if let policy = object["preemptionPolicy"]?.string {
            issues.choice(policy, ["PreemptLowerPriority", "Never"], FieldPath("preemptionPolicy"))
        }
    }

    static let runtimeClass = KindRules(
        check: { object, issues in
            let handler = object.text("handler")
            if handler.isEmpty {
                issues.required(FieldPath("handler"))
            } else {
                issues.label(handler, FieldPath("handler"))
            }
            if let overhead = object["overhead"]?["podFixed"] {
                ResourceValidation.requirements(["limits": overhead], claims: [], FieldPath("overhead"), &issues)
            }
            guard let scheduling = object["scheduling"] else { return }
            SelectorValidation.labels(scheduling["nodeSelector"], FieldPath("scheduling").child("nodeSelector"), &issues)
            let (tolerations, place) = (scheduling.list("tolerations"), FieldPath("scheduling").child("tolerations"))
            for (index, toleration) in tolerations.enumerated() {
                PlacementValidation.toleration(toleration, place.index(index), &issues)
                if tolerations[..<index].contains(toleration) {
                    issues.append(.duplicate(place.index(index), toleration, as: "core.Toleration"))
                }
            }
        },
        update: { object, old, issues in issues.immutable(object["handler"], old["handler"], FieldPath("handler")) },
        warn: { object in
            (object["scheduling"]?.members("nodeSelector") ?? [:]).compactMap { key, _ in
                NodeLabels.deprecation(key).map { "scheduling.nodeSelector: \($0)" }
            }
        },
        row: { [$0.name, $0.object["handler"] ?? "", $0.age] }
    )

    /// A pod goes to a node, and the node has a name.
    static func binding(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let target = object["target"] ?? [:]
        let place = FieldPath("target")
        let kind = target.text("kind")
        if !kind.isEmpty { issues.oneOf(kind, ["Node", "<empty>"], place.child("kind")) }
        issues.need(target.text("name"), place.child("name"))
    }
}
