import PodKinds
import Schema
import Units
import Values

/// What is wrong with the rules and conditions by which admission chooses requests.
///
/// Source: pkg/apis/admissionregistration/validation.
enum MatchRuleValidation {
    private static let operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
    private static let scopes = ["*", "Cluster", "Namespaced"]
    private static let mostConditions = 64

    /// Operations on resources.
    static func rule(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = rule.texts("operations")
        let place = path.child("operations")
        if given.isEmpty { issues.required(place) }
        if given.count > 1, given.contains("*") {
            issues.invalid(place, rule["operations"], "if '*' is present, must not specify other operations")
        }
        for (index, operation) in given.enumerated() { issues.oneOf(operation, operations, place.index(index)) }
        groups(rule, path, &issues)
        resources(rule, path.child("resources"), &issues)
        if let scope = rule["scope"]?.string { issues.oneOf(scope, scopes, path.child("scope")) }
    }

    private static func groups(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (field, words) in [("apiGroups", "API groups"), ("apiVersions", "API versions")] {
            let given = rule.texts(field)
            if given.isEmpty { issues.required(path.child(field)) }
            if given.count > 1, given.contains("*") {
                issues.invalid(path.child(field), rule[field], "if '*' is present, must not specify other \(words)")
            }
        }
        for (index, version) in rule.texts("apiVersions").enumerated() {
            issues.need(version, path.child("apiVersions").index(index))
        }
    }

    private static func resources(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = rule.texts("resources")
        if given.isEmpty { issues.required(path) }
        var (whole, below) = (Set<String>(), Set<String>())
        var hasPlain = false
        for (index, text) in given.enumerated() {
            if text.isEmpty {
                issues.required(path.index(index))
                continue
            }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                hasPlain = text != "*"
                continue
            }
            let (resource, part) = (parts[0], parts[1])
            if whole.contains(resource) {
                issues.invalid(path.index(index), .string(text), "if '\(resource)/*' is present, must not specify \(text)")
            }
            if below.contains(part) {
                issues.invalid(path.index(index), .string(text), "if '*/\(part)' is present, must not specify \(text)")
            }
            if part == "*" { whole.insert(resource) }
            if resource == "*" { below.insert(part) }
        }
        if given.count > 1, given.contains("*/*") {
            issues.invalid(path, rule["resources"], "if '*/*' is present, must not specify other resources")
        }
        if given.contains("*"), hasPlain {
            let words = "if '*' is present, must not specify other resources without subresources"
            issues.invalid(path, rule["resources"], words)
        }
    }

    /// What a policy or binding is about.
    static func resources(matching match: JSONValue?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let match else { return }
        issues.oneOf(match.text("matchPolicy"), ["Equivalent", "Exact"], path.child("matchPolicy"))
        for field in ["namespaceSelector", "objectSelector"] {
            if match[field] == nil { issues.required(path.child(field)) }
            SelectorValidation.selector(match[field], path.child(field), &issues)
        }
        for field in ["resourceRules", "excludeResourceRules"] {
            for (index, rule) in match.list(field).enumerated() {
                let place = path.child(field).index(index)
                names(rule.texts("resourceNames"), place.child("resourceNames"), &issues)
                self.rule(rule, place, &issues)
            }
        }
    }

    private static func names(_ names: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, name) in names.enumerated() {
            issues.add(Names.pathSegmentIssues(name), path.index(index), name)
            if !seen.insert(name).inserted { issues.append(.duplicate(path.index(index), .string(name))) }
        }
    }

    /// Conditions that a request has to meet before anybody is asked.
    static func conditions(_ conditions: [JSONValue], _ scope: ExpressionScope, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var names: Set<String> = []
        if conditions.count > mostConditions {
            issues.append(.tooMany(path, actual: conditions.count, maximum: mostConditions))
        }
        for (index, condition) in conditions.enumerated() {
            let place = path.index(index)
            let expression = condition.text("expression").trimmed
            if expression.isEmpty {
                issues.required(place.child("expression"))
            } else {
                scope.check(expression, for: .condition, place.child("expression"), &issues)
            }
            let name = condition.text("name")
            if name.isEmpty {
                issues.required(place.child("name"))
            } else {
                issues.qualifiedName(name, place.child("name"))
                if !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            }
        }
    }
}

extension String {
    /// The text without the white space around it.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[first...last])
    }
}
