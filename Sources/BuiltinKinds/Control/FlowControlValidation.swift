import PodKinds
import Schema
import Units
import Values

/// What is wrong with flow schemas and priority levels.
///
/// Source: pkg/apis/flowcontrol/validation.
enum FlowControlValidation {
    private static let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"]
    private static let lastPrecedence: Int64 = 10_000
    private static let mostQueues: Int64 = 10_000_000
    private static let hashBits: Int64 = 60
    private static let zeroSharesKey = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"

    // MARK: Flow schemas

    /// A FlowSchema.
    static func schema(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
        let name = object["metadata"]?.text("name") ?? ""
        precedence(spec.number("matchingPrecedence"), name, path.child("matchingPrecedence"), &issues)
        if let method = spec["distinguisherMethod"], !["ByNamespace", "ByUser"].contains(method.text("type")) {
            // Upstream shows the whole method here.
            var issue = FieldIssue.notSupported(path.child("distinguisherMethod", "type"), method, ["ByNamespace", "ByUser"])
            issue.shownValue = InternalForm.text(method, as: "flowcontrol.FlowDistinguisherMethod")
            issue.badValue = nil
            issues.append(issue)
        }
        let level = spec["priorityLevelConfiguration"]?.text("name") ?? ""
        let place = path.child("priorityLevelConfiguration", "name")
        if level.isEmpty {
            issues.required(place, "must reference a priority level")
        } else {
            issues.subdomain(level, place)
        }
        for (index, rule) in spec.list("rules").enumerated() { self.rule(rule, path.child("rules").index(index), &issues) }
        if let fixed = MandatoryFlowControl.schemas[name], !MandatoryFlowControl.same(spec, fixed) {
            issues.invalid(path, spec, "spec of '\(name)' must equal the fixed value")
        }
        conditions(object, &issues)
    }

    private static func precedence(_ value: Int64, _ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if value <= 0 { issues.invalid(path, .integer(value), "must be a positive value") }
        if value > lastPrecedence { issues.invalid(path, .integer(value), "must not be greater than \(lastPrecedence)") }
        if value == 1, name != "exempt" {
            issues.invalid(path, .integer(value), "only the schema named 'exempt' may have matchingPrecedence 1")
        }
    }

    private static func rule(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let subjects = rule.list("subjects")
        if subjects.isEmpty { issues.required(path.child("subjects"), "subjects must contain at least one value") }
        for (index, subject) in subjects.enumerated() { self.subject(subject, path.child("subjects").index(index), &issues) }
        let (resources, others) = (rule.list("resourceRules"), rule.list("nonResourceRules"))
        if resources.isEmpty, others.isEmpty {
            issues.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
        }
        for (index, rule) in resources.enumerated() { resourceRule(rule, path.child("resourceRules").index(index), &issues) }
        for (index, rule) in others.enumerated() { pathRule(rule, path.child("nonResourceRules").index(index), &issues) }
    }

    private static func subject(_ subject: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let fields = ["ServiceAccount": "serviceAccount", "User": "user", "Group": "group"]
        let kind = subject.text("kind")
        guard let field = fields[kind] else { return issues.oneOf(kind, ["Group", "ServiceAccount", "User"], path.child("kind")) }
        let place = path.child(field)
        if let named = subject[field] {
            let name = named.text("name")
            issues.need(name, place.child("name"))
            if kind == "ServiceAccount" { account(named, name, place, &issues) }
        } else {
            issues.required(place, "\(field) is required when subject kind is '\(kind)'")
        }
        for other in ["ServiceAccount", "User", "Group"] where other != kind {
            guard let field = fields[other], subject[field] != nil else { continue }
            issues.forbidden(path.child(field), "\(field) is forbidden when subject kind is not '\(other)'")
        }
    }

    private static func account(_ account: JSONValue, _ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if !name.isEmpty, name != "*" { issues.subdomain(name, path.child("name")) }
        let namespace = account.text("namespace")
        if namespace.isEmpty { return issues.required(path.child("namespace"), "must specify namespace for service account") }
        issues.label(namespace, path.child("namespace"))
    }

    private static func allOr(
        _ rule: JSONValue,
        _ field: String,
        _ words: String,
        missing: String,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let given = rule.texts(field)
        if given.isEmpty {
            issues.required(path.child(field), missing)
        } else if given.count > 1, given.contains("*") {
            issues.invalid(path.child(field), rule[field], "if '*' is present, must not specify other \(words)")
        }
    }

    private static func verbs(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        allOr(rule, "verbs", "verbs", missing: "verbs must contain at least one value", path, &issues)
        let given = rule.texts("verbs")
        if !given.contains("*"), !given.allSatisfy(verbs.contains) {
            issues.append(.notSupported(path.child("verbs"), rule["verbs"] ?? [], verbs))
        }
    }

    private static func resourceRule(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        verbs(rule, path, &issues)
        allOr(rule, "apiGroups", "api groups", missing: "resource rules must supply at least one api group", path, &issues)
        allOr(rule, "resources", "resources", missing: "resource rules must supply at least one resource", path, &issues)
        let namespaces = rule.texts("namespaces")
        if namespaces.isEmpty, !rule.flag("clusterScope") {
            let words = "resource rules that are not cluster scoped must supply at least one namespace"
            issues.required(path.child("namespaces"), words)
        } else if namespaces.contains("*") {
            if namespaces.count > 1 {
                let words = "if '*' is present, must not specify other namespaces"
                issues.invalid(path.child("namespaces"), rule["namespaces"], words)
            }
        } else {
            for (index, name) in namespaces.enumerated() {
                for problem in Names.dns1123LabelIssues(name) {
                    let words = "each member of this list must be '*' or a DNS-1123 label; \(problem)"
                    issues.invalid(path.child("namespaces").index(index), .string(name), words)
                }
            }
        }
    }

    private static func pathRule(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        verbs(rule, path, &issues)
        let field = "nonResourceURLs"
        let missing = "nonResourceURLs must contain at least one value"
        allOr(rule, field, "non-resource URLs", missing: missing, path, &issues)
        let given = rule.texts(field)
        if given.contains("*") { return }
        for (index, text) in given.enumerated() {
            guard let problem = pathProblem(text) else { continue }
            issues.invalid(path.child(field).index(index), .string(text), problem)
        }
    }

    private static func pathProblem(_ text: String) -> String? {
        if text.isEmpty { return "must not be empty" }
        if text == "/" { return nil }
        if !text.hasPrefix("/") { return "must start with slash" }
        if text.contains(" ") { return "must not contain white-space" }
        if text.contains("//") { return "must not contain double slash" }
        let stars = text.count { $0 == "*" }
        return stars > 1 || (stars == 1 && !text.hasSuffix("/*")) ? "wildcard can only do suffix matching" : nil
    }

    // MARK: Priority levels

    /// A PriorityLevelConfiguration.
    static func level(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
        let name = object["metadata"]?.text("name") ?? ""
        if object["metadata"]?["annotations"]?[zeroSharesKey] != nil {
            issues.forbidden(FieldPath("metadata.annotations"), "annotation '\(zeroSharesKey)' is forbidden")
        }
        let type = spec.text("type")
        if (name == "exempt") != (type == "Exempt") {
            issues.invalid(path.child("type"), .string(type), "must be 'Exempt' if and only if `name` is 'exempt'")
        }
        switch type {
        case "Exempt":
            if spec["limited"] != nil { issues.forbidden(path.child("limited"), "must be nil if the type is not Limited") }
            if let exempt = spec["exempt"] { shares(exempt, path.child("exempt"), &issues) }
        case "Limited":
            if spec["exempt"] != nil { issues.forbidden(path.child("exempt"), "must be nil if the type is Limited") }
            if let limited = spec["limited"] {
                self.limited(limited, path.child("limited"), &issues)
            } else {
                issues.required(path.child("limited"), "must not be empty when type is Limited")
            }
        default: issues.oneOf(type, ["Exempt", "Limited"], path.child("type"))
        }
        fixedLevel(spec, name, path, &issues)
        conditions(object, &issues)
    }

    private static func fixedLevel(_ spec: JSONValue, _ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let fixed = MandatoryFlowControl.levels[name] else { return }
        var own = spec
        if name == "exempt" {
            own["exempt"] = fixed["exempt"]
            if own != fixed {
                issues.invalid(path, spec, "spec of '\(name)' except the 'spec.exempt' field must equal the fixed value")
            }
        } else if !MandatoryFlowControl.same(own, fixed) {
            issues.invalid(path, spec, "spec of '\(name)' must equal the fixed value")
        }
    }

    private static func shares(_ level: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let shares = level["nominalConcurrencyShares"]?.int, shares < 0 {
            issues.invalid(path.child("nominalConcurrencyShares"), .integer(shares), "must be a non-negative integer")
        }
        if path.description.hasSuffix("limited") {
            response(level["limitResponse"] ?? [:], path.child("limitResponse"), &issues)
        }
        if let percent = level["lendablePercent"]?.int { issues.range(percent, 0, 100, path.child("lendablePercent")) }
    }

    private static func limited(_ level: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        shares(level, path, &issues)
        if let percent = level["borrowingLimitPercent"]?.int, percent < 0 {
            let words = "if specified, must be a non-negative integer"
            issues.invalid(path.child("borrowingLimitPercent"), .integer(percent), words)
        }
    }

    private static func response(_ response: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        switch response.text("type") {
        case "Reject":
            if response["queuing"] != nil {
                issues.forbidden(path.child("queuing"), "must be nil if limited.limitResponse.type is not Limited")
            }
        case "Queue":
            if let queuing = response["queuing"] {
                self.queuing(queuing, path.child("queuing"), &issues)
            } else {
                issues.required(path.child("queuing"), "must not be empty if limited.limitResponse.type is Limited")
            }
        default: issues.oneOf(response.text("type"), ["Queue", "Reject"], path.child("type"))
        }
    }

    private static func queuing(_ queuing: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (length, queues, hand) = (queuing.number("queueLengthLimit"), queuing.number("queues"), queuing.number("handSize"))
        if length <= 0 { issues.invalid(path.child("queueLengthLimit"), .integer(length), "must be positive") }
        if queues <= 0 {
            issues.invalid(path.child("queues"), .integer(queues), "must be positive")
        } else if queues > mostQueues {
            issues.invalid(path.child("queues"), .integer(queues), "must not be greater than \(mostQueues)")
        }
        let place = path.child("handSize")
        if hand <= 0 {
            issues.invalid(place, .integer(hand), "must be positive")
        } else if hand > queues {
            issues.invalid(place, .integer(hand), "should not be greater than queues (\(queues))")
        } else if entropy(queues, hand) > hashBits {
            let words = "required entropy bits of deckSize \(queues) and handSize \(hand) should not be greater than \(hashBits)"
            issues.invalid(place, .integer(hand), words)
        }
    }

    /// The bits of a hash that dealing a hand out of a deck takes; more than a hash has counts as one more.
    static func entropy(_ deck: Int64, _ hand: Int64) -> Int64 {
        var product = 1.0
        for _ in 0..<hand {
            product *= Double(deck)
            if product.exponent > Int(hashBits) { return hashBits + 1 }
        }
        return Int64(product.exponent) + (product.significand == 1 ? 0 : 1)
    }

    /// The conditions of either kind: a type each, none twice.
    static func conditions(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("status.conditions")
        var types: Set<String> = []
        for (index, condition) in (object["status"]?.list("conditions") ?? []).enumerated() {
            let type = condition.text("type")
            if !types.insert(type).inserted { issues.append(.duplicate(path.index(index).child("type"), .string(type))) }
            issues.need(type, path.index(index).child("type"))
        }
    }

    // MARK: Defaults

    /// A schema's place among others.
    static func completeSchema(_ object: inout JSONValue) {
        guard object["spec"] != nil, object["spec"]?.number("matchingPrecedence") == 0 else { return }
        object.set(1000, at: ["spec", "matchingPrecedence"])
    }

    /// A level's shares and queues.
    static func completeLevel(_ object: inout JSONValue) {
        if let exempt = object["spec"]?["exempt"] {
            for field in ["nominalConcurrencyShares", "lendablePercent"] where exempt[field] == nil {
                object.set(0, at: ["spec", "exempt", field])
            }
        }
        guard let limited = object["spec"]?["limited"] else { return }
        if limited["nominalConcurrencyShares"] == nil { object.set(30, at: ["spec", "limited", "nominalConcurrencyShares"]) }
        if limited["lendablePercent"] == nil { object.set(0, at: ["spec", "limited", "lendablePercent"]) }
        guard let queuing = limited["limitResponse"]?["queuing"] else { return }
        let defaults: [(String, JSONValue)] = [("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)]
        for (field, value) in defaults where queuing.number(field) == 0 {
            object.set(value, at: ["spec", "limited", "limitResponse", "queuing", field])
        }
    }
}

/// The objects of flow control that every cluster has, and that stay as they are.
enum MandatoryFlowControl {
    static let schemas: [String: JSONValue] = [
        "exempt": [
            "priorityLevelConfiguration": ["name": "exempt"], "matchingPrecedence": 1,
            "rules": [
                [
                    "subjects": [["kind": "Group", "group": ["name": "system:masters"]]], "resourceRules": resources,
                    "nonResourceRules": paths,
                ]
            ],
        ],
        "catch-all": [
            "priorityLevelConfiguration": ["name": "catch-all"], "matchingPrecedence": 10000,
            "distinguisherMethod": ["type": "ByUser"],
            "rules": [
                [
                    "subjects": [
                        ["kind": "Group", "group": ["name": "system:unauthenticated"]],
                        ["kind": "Group", "group": ["name": "system:authenticated"]],
                    ], "resourceRules": resources, "nonResourceRules": paths,
                ]
            ],
        ],
    ]

    static let levels: [String: JSONValue] = [
        "exempt": ["type": "Exempt", "exempt": ["nominalConcurrencyShares": 0, "lendablePercent": 0]],
        "catch-all": [
            "type": "Limited",
            "limited": ["nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": ["type": "Reject"]],
        ],
    ]

    private static let resources: JSONValue = [
        ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": true, "namespaces": ["*"]]
    ]
    private static let paths: JSONValue = [["verbs": ["*"], "nonResourceURLs": ["*"]]]

    /// Whether two specs mean the same: what is absent reads as its zero value.
    static func same(_ one: JSONValue, _ other: JSONValue) -> Bool { bare(one) == bare(other) }

    private static func bare(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            var kept = JSONObject()
            for (key, item) in object {
                let item = bare(item)
                if item == .null || item == [] || item == [:] || item == false { continue }
                kept[key] = item
            }
            return .object(kept)
        case .array(let list): return .array(list.map(bare))
        default: return value
        }
    }
}
