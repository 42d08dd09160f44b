import Schema
import Units
import Values

/// Checks that the elements of sets differ, and those of maps by their keys.
///
/// Source: apiextensions-apiserver schema/listtype.
enum ListTypeCheck {
    static func issues(_ value: JSONValue, _ node: SchemaNode, at path: FieldPath = .root) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        check(value, node, path, &issues)
        return issues
    }

    private static func check(_ value: JSONValue, _ node: SchemaNode, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard !node.body.isBuiltin else { return }
        switch value {
        case .object(let object):
            for (key, item) in object {
                if let next = node.field(key)?.node {
                    check(item, next, path.child(key), &issues)
                } else if let next = node.element {
                    check(item, next, path.key(key), &issues)
                }
            }
        case .array(let list):
            switch node.listType {
            case .atomic: break
            case .set: duplicates(list, path, &issues) { $0 }
            case .map(let keys): map(list, keys, path, &issues)
            }
            guard let element = node.element else { return }
            for (index, item) in list.enumerated() { check(item, element, path.index(index), &issues) }
        default: break
        }
    }

    private static func map(_ list: [JSONValue], _ keys: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (index, item) in list.enumerated() where item.object == nil && !item.isNull {
            issues.append(.invalid(path.index(index), item, "must be an object for an array of list-type map"))
            return
        }
        duplicates(list, path, &issues) { item in
            var identity = JSONObject()
            for key in keys { identity[key] = item[key] }
            return .object(identity)
        }
    }

    /// Of elements that occur several times the second is reported.
    private static func duplicates(
        _ list: [JSONValue],
        _ path: FieldPath,
        _ issues: inout [FieldIssue],
        _ identity: (JSONValue) -> JSONValue
    ) {
        guard list.count > 1 else { return }
        var seen: [JSONValue: Int] = [:]
        for (index, item) in list.enumerated() {
            let key = identity(item)
            seen[key, default: 0] += 1
            if seen[key] == 2 { issues.append(.duplicate(path.index(index), key)) }
        }
    }
}
