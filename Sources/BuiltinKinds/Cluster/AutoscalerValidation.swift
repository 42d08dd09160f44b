import PodKinds
import Schema
import Units
import Values

/// Defaults of horizontal pod autoscalers, what is wrong with them, and their rows.
enum AutoscalerValidation {
    private static let longestPeriod: Int64 = 1800
    private static let longestWindow: Int64 = 3600
    private static let sources = [
        ("Object", "object"), ("External", "external"), ("Pods", "pods"), ("Resource", "resource"),
        ("ContainerResource", "containerResource"),
    ]
    private static let defaultCPU: JSONValue = [
        ["type": "Resource", "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]]]
    ]
    private static let scaleUp: JSONValue = [
        "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
        "policies": [["type": "Pods", "value": 4, "periodSeconds": 15], ["type": "Percent", "value": 100, "periodSeconds": 15]],
    ]
    private static let scaleDown: JSONValue = [
        "selectPolicy": "Max", "policies": [["type": "Percent", "value": 100, "periodSeconds": 15]],
    ]

    static func complete(_ object: inout JSONValue) {
        guard var spec = object["spec"] else { return }
        // The older version has one percentage instead of a list of metrics.
        let isOld = object.text("apiVersion") == "autoscaling/v1"
        if spec["minReplicas"]?.int == nil { spec["minReplicas"] = 1 }
        if !isOld, spec.list("metrics").isEmpty { spec["metrics"] = defaultCPU }
        if !isOld, spec["behavior"] != nil {
            for (field, rules) in [("scaleUp", scaleUp), ("scaleDown", scaleDown)] {
                var own = spec["behavior"]?[field] ?? [:]
                for (name, value) in rules.object ?? [:] where own[name] == nil { own[name] = value }
                spec.set(own, at: ["behavior", field])
            }
        }
        object["spec"] = spec
    }

    static func check(_ object: JSONValue, old: JSONValue?, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec")
        let (low, high) = (spec["minReplicas"]?.int, spec.number("maxReplicas"))
        if let low, low < 1 { issues.invalid(path.child("minReplicas"), .integer(low), "must be greater than or equal to 1") }
        if high == 0 {
            issues.required(path.child("maxReplicas"), "must be set and greater than 0")
        } else if high < 0 {
            issues.invalid(path.child("maxReplicas"), .integer(high), "must be greater than or equal to 1")
        }
        if let low, high < low {
            issues.invalid(path.child("maxReplicas"), .integer(high), "must be greater than or equal to `minReplicas`")
        }
        let (target, known) = (spec["scaleTargetRef"] ?? [:], old.map { $0["spec"]?["scaleTargetRef"] ?? [:] })
        // A version that was let pass once stays accepted; core has one kind that scales.
        let isKnown = known.map { $0.text("apiVersion") == target.text("apiVersion") && $0.text("kind") == target.text("kind") } ?? false
        let groups: GroupRule = isKnown ? .any : target.text("kind") == "ReplicationController" ? .maybe : .needed
        reference(target, groups, path.child("scaleTargetRef"), &issues)
        for (index, metric) in spec.list("metrics").enumerated() { self.metric(metric, path.child("metrics").index(index), &issues) }
        if low == 0, !spec.list("metrics").contains(where: { ["Object", "External"].contains($0.text("type")) }) {
            let words = "must specify at least one Object or External metric to support scaling to zero replicas"
            issues.forbidden(path.child("metrics"), words)
        }
        for field in ["scaleUp", "scaleDown"] {
            guard let rules = spec["behavior"]?[field] else { continue }
            self.rules(rules, path.child("behavior", field), &issues)
        }
    }

    static func statusUpdate(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        for field in ["currentReplicas", "desiredReplicas"] {
            issues.nonNegative(object["status"]?[field]?.int, FieldPath("status").child(field))
        }
    }

    /// Whether a reference has to name an API group.
    private enum GroupRule { case any, maybe, needed }

    private static func reference(_ reference: JSONValue, _ groups: GroupRule, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for field in ["kind", "name"] { segment(reference.text(field), path.child(field), &issues) }
        let version = reference.text("apiVersion")
        if groups == .any { return }
        let parts = version.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count > 2 {
            issues.invalid(path.child("apiVersion"), .string(version), "unexpected GroupVersion string: \(version)")
        } else if groups == .needed, parts.count < 2 || parts[0].isEmpty {
            issues.invalid(path.child("apiVersion"), .string(version), "apiVersion must specify API group")
        }
    }

    private static func segment(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if text.isEmpty { return issues.required(path) }
        issues.add(Names.pathSegmentIssues(text), path, text)
    }

    private static func rules(_ rules: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let window = rules["stabilizationWindowSeconds"]?.int {
            let place = path.child("stabilizationWindowSeconds")
            if window < 0 { issues.invalid(place, .integer(window), "must be greater than or equal to zero") }
            if window > longestWindow { issues.invalid(place, .integer(window), "must be less than or equal to \(longestWindow)") }
        }
        if let policy = rules["selectPolicy"]?.string { issues.oneOf(policy, ["Disabled", "Max", "Min"], path.child("selectPolicy")) }
        let policies = rules.list("policies")
        if policies.isEmpty { issues.required(path.child("policies"), "must specify at least one Policy") }
        for (index, policy) in policies.enumerated() {
            let place = path.child("policies").index(index)
            issues.oneOf(policy.text("type"), ["Percent", "Pods"], place.child("type"))
            issues.positive(policy.number("value"), place.child("value"))
            let period = policy.number("periodSeconds")
            issues.positive(period, place.child("periodSeconds"))
            if period > longestPeriod {
                issues.invalid(place.child("periodSeconds"), .integer(period), "must be less than or equal to \(longestPeriod)")
            }
        }
        issues.nonNegativeQuantity(rules.quantity("tolerance"), path.child("tolerance"))
    }

    private static func metric(_ metric: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let type = metric.text("type")
        if type.isEmpty { issues.required(path.child("type"), "must specify a metric source type") }
        issues.oneOf(type, sources.map(\.0).sorted(), path.child("type"))
        let given = sources.map(\.1).filter { metric[$0] != nil }
        if let first = given.first, let source = metric[first] { self.source(source, first, path.child(first), &issues) }
        let expected = sources.first { $0.0 == type }?.1
        if let expected, metric[expected] == nil {
            issues.required(path.child(expected), "must populate information for the given metric source")
        }
        // A type that is not known is met again here.
        if expected == nil { issues.append(.notSupported(path.child("type"), .string(type), sources.map(\.0).sorted())) }
        guard given.count != 1 else { return }
        for extra in given where extra != expected { issues.forbidden(path.child(extra), "must populate the given metric source only") }
    }

    private static func source(_ source: JSONValue, _ kind: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let target = source["target"] ?? [:]
        let place = path.child("target")
        switch kind {
        case "object", "external", "pods":
            if kind == "object" { reference(source["describedObject"] ?? [:], .maybe, path.child("describedObject"), &issues) }
            let name = source["metric"]?.text("name") ?? ""
            if name.isEmpty {
                issues.required(path.child("metric", "name"), "must specify a metric name")
            } else {
                issues.add(Names.pathSegmentIssues(name), path.child("metric", "name"), name)
            }
        default:
            if source.text("name").isEmpty {
                issues.required(path.child("name"), "must specify a resource name")
            } else if kind == "containerResource" {
                ResourceValidation.containerResourceName(source.text("name"), path.child("name"), &issues)
            }
            if kind == "containerResource" {
                let container = source.text("container")
                if container.isEmpty {
                    issues.required(path.child("container"), "must specify a container")
                } else {
                    issues.label(container, path.child("container"))
                }
            }
        }
        self.target(target, place, &issues)
        let has = { (field: String) in target[field] != nil }
        switch kind {
        case "object":
            if !has("value"), !has("averageValue") {
                issues.required(place.child("averageValue"), "must set either a target value or averageValue")
            }
        case "external":
            let words = "a target value for metric \(has("value") ? "and" : "or") a per-pod target"
            if !has("value"), !has("averageValue") { issues.required(place.child("averageValue"), "must set either \(words)") }
            if has("value"), has("averageValue") { issues.forbidden(place.child("value"), "may not set both \(words)") }
        case "pods":
            if !has("averageValue") { issues.required(place.child("averageValue"), "must specify a positive target averageValue") }
        default:
            if !has("averageUtilization"), !has("averageValue") {
                issues.required(place.child("averageUtilization"), "must set either a target raw value or a target utilization")
            }
            if has("averageUtilization"), has("averageValue") {
                issues.forbidden(place.child("averageValue"), "may not set both a target raw value and a target utilization")
            }
        }
    }

    private static func target(_ target: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let type = target.text("type")
        if type.isEmpty { issues.required(path.child("type"), "must specify a metric target type") }
        if !["Utilization", "Value", "AverageValue"].contains(type) {
            issues.invalid(path.child("type"), .string(type), "must be either Utilization, Value, or AverageValue")
        }
        for field in ["value", "averageValue"] {
            guard let quantity = target.quantity(field), quantity <= .zero else { continue }
            issues.invalid(path.child(field), .string(quantity.description), "must be positive")
        }
        if let share = target["averageUtilization"]?.int, share < 1 {
            issues.invalid(path.child("averageUtilization"), .integer(share), "must be greater than 0")
        }
    }

    /// Name, reference, targets, min, max, replicas, age.
    static func row(_ row: TableRow) -> [JSONValue] {
        let target = row.spec["scaleTargetRef"] ?? [:]
        let low = row.spec["minReplicas"]?.int
        return [
            row.name, .string("\(target.text("kind"))/\(target.text("name"))"), .string(targets(row.spec, row.status)),
            .string(low.map { "\($0)" } ?? "<unset>"), .integer(row.spec.number("maxReplicas")),
            .integer(row.status.number("currentReplicas")), row.age,
        ]
    }

    private static func targets(_ spec: JSONValue, _ status: JSONValue) -> String {
        if let percent = spec["targetCPUUtilizationPercentage"]?.int {
            let now = status["currentCPUUtilizationPercentage"]?.int.map { "\($0)%" } ?? "<unknown>"
            return "cpu: \(now)/\(percent)%"
        }
        let metrics = spec.list("metrics")
        if metrics.isEmpty { return "<none>" }
        let current = status.list("currentMetrics")
        let texts = metrics.enumerated().map { index, metric in
            text(metric, index < current.count ? current[index] : [:])
        }
        let shown = 2
        return texts.prefix(shown).joined(separator: ", ") + (texts.count > shown ? " + \(texts.count - shown) more..." : "")
    }

    private static func text(_ metric: JSONValue, _ status: JSONValue) -> String {
        guard let kind = sources.first(where: { $0.0 == metric.text("type") })?.1, let source = metric[kind] else {
            return "<unknown type>"
        }
        let target = source["target"] ?? [:]
        let now = status[kind]?["current"]
        let unknown = "<unknown>"
        if kind == "resource" || kind == "containerResource" {
            let name = source.text("name")
            if let wanted = target["averageValue"]?.string { return "\(name): \(now?["averageValue"]?.string ?? unknown)/\(wanted)" }
            let share = now?["averageUtilization"]?.int.map { "\($0)%" } ?? unknown
            return "\(name): \(share)/\(target["averageUtilization"]?.int.map { "\($0)%" } ?? "<auto>")"
        }
        if let wanted = target["averageValue"]?.string {
            let text = "\(now?["averageValue"]?.string ?? unknown)/\(wanted)"
            return kind == "pods" ? text : text + " (avg)"
        }
        return "\(now?["value"]?.string ?? unknown)/\(target.text("value"))"
    }
}
