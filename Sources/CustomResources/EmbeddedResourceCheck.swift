import APIModel
import APITypes
import Schema
import Units
import Values

/// Checks `apiVersion`, `kind` and `metadata` of the whole objects inside an object.
///
/// Source: apiextensions-apiserver schema/objectmeta.
enum EmbeddedResourceCheck {
    static func issues(_ value: JSONValue, _ node: SchemaNode, at path: FieldPath = .root) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        check(value, node, path, &issues)
        return issues
    }

    private static func check(_ value: JSONValue, _ node: SchemaNode, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard !node.body.isBuiltin else { return }
        switch value {
        case .object(let object):
            if node.body.structural?.isEmbeddedResource == true { identity(object, path, &issues) }
            for (key, item) in object {
                if let next = node.field(key)?.node {
                    check(item, next, path.child(key), &issues)
                } else if let next = node.element {
                    check(item, next, path.key(key), &issues)
                }
            }
        case .array(let list):
            guard let element = node.element else { return }
            for (index, item) in list.enumerated() { check(item, element, path.index(index), &issues) }
        default: break
        }
    }

    private static func identity(_ object: JSONObject, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for name in ["apiVersion", "kind"] where object[name] == nil { issues.append(.required(path.child(name))) }
        if let value = object["apiVersion"] {
            let field = path.child("apiVersion")
            if let text = value.string {
                if text.isEmpty {
                    issues.append(.invalid(field, "", "must not be empty"))
                } else if text.split(separator: "/", omittingEmptySubsequences: false).count > 2 {
                    issues.append(.invalid(field, value, "unexpected GroupVersion string: \(text)"))
                }
            } else {
                issues.append(.invalid(field, value, "must be a string"))
            }
        }
        if let value = object["kind"] {
            let field = path.child("kind")
            if let text = value.string {
                let wrong = text.isEmpty ? [] : Names.dns1035LabelIssues(text.lowercased())
                if text.isEmpty { issues.append(.invalid(field, "", "must not be empty")) }
                if !wrong.isEmpty {
                    let words = "may have mixed case, but should otherwise match: " + wrong.joined(separator: ",")
                    issues.append(.invalid(field, value, words))
                }
            } else {
                issues.append(.invalid(field, value, "must be a string"))
            }
        }
        metadata(object["metadata"], path.child("metadata"), &issues)
    }

    private static func metadata(_ value: JSONValue?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let value else { return }
        if let name = value["name"]?.string, !name.isEmpty {
            issues += Names.pathSegmentIssues(name).map { .invalid(path.child("name"), .string(name), $0) }
        }
        if let namespace = value["namespace"]?.string, !namespace.isEmpty {
            issues += Names.dns1123LabelIssues(namespace).map { .invalid(path.child("namespace"), .string(namespace), $0) }
        }
        for (key, item) in value["labels"]?.object ?? [:] {
            let field = path.child("labels")
            issues += Names.qualifiedNameIssues(key).map { .invalid(field, .string(key), $0) }
            let text = item.string ?? ""
            issues += Names.labelValueIssues(text).map { .invalid(field, .string(text), $0) }
        }
        for (key, _) in value["annotations"]?.object ?? [:] {
            let field = path.child("annotations")
            issues += Names.qualifiedNameIssues(key.lowercased()).map { .invalid(field, .string(key), $0) }
        }
    }
}
