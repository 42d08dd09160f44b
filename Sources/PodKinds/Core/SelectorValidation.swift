import Schema
import Units
import Values

/// What is wrong with labels and with the ways to select by them, in upstream's words.
///
/// Source: apimachinery meta/v1/validation and pkg/apis/core/validation.
package enum SelectorValidation {
    /// Whether a text is a label's key: an optional DNS prefix and a name.
    package static func isQualifiedName(_ text: String) -> Bool {
        let bytes = text.utf8
        var start = bytes.startIndex
        if let slash = bytes.firstIndex(of: UInt8(ascii: "/")) {
            let prefix = bytes[..<slash]
            guard !prefix.isEmpty, prefix.count <= 253, isSubdomain(prefix) else { return false }
            start = bytes.index(after: slash)
        }
        let name = bytes[start...]
        guard let first = name.first, let last = name.last, name.count <= 63 else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && name.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isSubdomain(_ bytes: Substring.UTF8View) -> Bool {
        var previous = UInt8(ascii: ".")
        for byte in bytes {
            let isWord = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            switch byte {
            case UInt8(ascii: "."): if previous == UInt8(ascii: ".") || previous == UInt8(ascii: "-") { return false }
            case UInt8(ascii: "-"): if previous == UInt8(ascii: ".") { return false }
            default: if !isWord { return false }
            }
            previous = byte
        }
        return previous != UInt8(ascii: ".") && previous != UInt8(ascii: "-")
    }

    /// A map of labels.
    package static func labels(_ labels: JSONValue?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let labels = labels?.object else { return }
        for (key, value) in labels {
            issues.qualifiedName(key, path)
            let text = value.string ?? ""
            issues.add(Names.labelValueIssues(text), path, text)
        }
    }

    /// A LabelSelector; `allowsAnyValue` is for what was stored before values were checked.
    package static func selector(
        _ selector: JSONValue?,
        allowsAnyValue: Bool = false,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        guard let selector else { return }
        labels(selector["matchLabels"], path.child("matchLabels"), &issues)
        for (index, expression) in selector.list("matchExpressions").enumerated() {
            let place = path.child("matchExpressions").index(index)
            requirement(expression, allowsAnyValue: allowsAnyValue, place, &issues)
        }
    }

    /// One requirement of a LabelSelector; an access review may come with operators of a later version.
    package static func requirement(
        _ expression: JSONValue,
        allowsAnyValue: Bool = false,
        allowsAnyOperator: Bool = false,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let values = expression.texts("values")
        presence(of: values, expression.text("operator"), allowsAny: allowsAnyOperator, path, &issues)
        issues.qualifiedName(expression.text("key"), path.child("key"))
        if !allowsAnyValue { labelValues(values, path, &issues) }
    }

    /// One requirement of a field selector in an access review.
    package static func fieldRequirement(_ expression: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if expression.text("key").isEmpty { issues.required(path.child("key"), "must be specified") }
        presence(of: expression.texts("values"), expression.text("operator"), allowsAny: true, path, &issues)
    }

    private static func labelValues(_ values: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (index, value) in values.enumerated() {
            issues.add(Names.labelValueIssues(value), path.child("values").index(index), value)
        }
    }

    private static func presence(
        of values: [String],
        _ op: String,
        allowsAny: Bool = false,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        switch op {
        case "In", "NotIn":
            if values.isEmpty { issues.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'") }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                issues.forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
            }
        default:
            if !allowsAny { issues.invalid(path.child("operator"), .string(op), "not a valid selector operator") }
        }
    }

    /// A selector of nodes: at least one term.
    package static func nodeSelector(_ selector: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let place = path.child("nodeSelectorTerms")
        let terms = selector.list("nodeSelectorTerms")
        if terms.isEmpty { return issues.required(place, "must have at least one node selector term") }
        for (index, term) in terms.enumerated() { nodeTerm(term, strictValues: true, place.index(index), &issues) }
    }

    /// One term of a node selector.
    package static func nodeTerm(_ term: JSONValue, strictValues: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (index, expression) in term.list("matchExpressions").enumerated() {
            nodeRequirement(expression, strictValues: strictValues, path.child("matchExpressions").index(index), &issues)
        }
        for (index, field) in term.list("matchFields").enumerated() {
            nodeField(field, path.child("matchFields").index(index), &issues)
        }
    }

    private static func nodeRequirement(
        _ expression: JSONValue,
        strictValues: Bool,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let values = expression.texts("values")
        let op = expression.text("operator")
        if op == "Gt" || op == "Lt" {
            if values.count != 1 {
                issues.required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'")
            }
        } else {
            presence(of: values, op, path, &issues)
        }
        issues.qualifiedName(expression.text("key"), path.child("key"))
        if strictValues { labelValues(values, path, &issues) }
    }

    private static func nodeField(_ field: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let values = field.texts("values")
        let op = field.text("operator")
        if op == "In" || op == "NotIn" {
            if values.count != 1 {
                issues.required(path.child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
            }
        } else {
            issues.invalid(path.child("operator"), .string(op), "not a valid selector operator")
        }
        guard field.text("key") == "metadata.name" else {
            return issues.invalid(path.child("key"), field["key"] ?? "", "not a valid field selector key")
        }
        for (index, value) in values.enumerated() { issues.subdomain(value, path.child("values").index(index)) }
    }
}
