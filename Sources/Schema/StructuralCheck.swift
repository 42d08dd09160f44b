import Units
import Values

/// Checks a value against its type, worded as upstream words the validation of custom resources.
enum StructuralCheck {
    static func run(_ node: SchemaNode, _ value: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if case .null = value, node.nullable { return }
        if let expected = node.expectedType(for: value) {
            issues.append(typeIssue(path, value, expected))
            return
        }
        allowedValues(node, value, path, &issues)
        if let limits = node.body.limits { check(limits, node, value, path, &issues) }
        switch value {
        case .object(let object): members(node, object, path, &issues)
        case .array(let list): elements(node, list, path, &issues)
        default: break
        }
    }

    private static func typeIssue(_ path: FieldPath, _ value: JSONValue, _ expected: String) -> FieldIssue {
        let found = value.schemaTypeName
        return .typeInvalid(
            path,
            .string(found),
            "\(path.description) in body must be of type \(expected): \(GoQuote.quote(found))"
        )
    }

    private static func allowedValues(
        _ node: SchemaNode,
        _ value: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let allowed = node.body.enumValues
        guard !allowed.isEmpty, !allowed.contains(value) else { return }
        // To Go the empty string is no value; whether there must be one is for the kind's own validation.
        if node.body.isBuiltin, value == "" { return }
        let words = allowed.map { item -> String in
            if case .string(let text) = item { text } else { item.description }
        }
        issues.append(.notSupported(path, value, words))
    }

    private static func members(
        _ node: SchemaNode,
        _ object: JSONObject,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        if node.shape == .object {
            for field in node.fields where field.traits.contains(.required) && !field.isThere(in: object, node) {
                issues.append(.required(path.child(field.name)))
            }
        }
        for (key, item) in object {
            if node.shape == .map {
                guard let element = node.element else { continue }
                run(element, item, path.key(key), &issues)
            } else if let field = node.field(key) {
                if case .null = item, !field.node.nullable, !field.traits.contains(.required) { continue }
                if case .null = item, field.traits.contains(.required) { continue }
                run(field.node, item, path.child(key), &issues)
            }
        }
    }

    private static func elements(
        _ node: SchemaNode,
        _ list: [JSONValue],
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        guard let element = node.element, node.shape == .list || node.shape == .schemaOrList else { return }
        for (index, item) in list.enumerated() { run(element, item, path.index(index), &issues) }
        // Upstream tolerates duplicates in many of its own keyed lists (`env`); its hooks know in which not.
        if node.body.isBuiltin { return }
        switch node.listType {
        case .atomic: break
        case .set: duplicates(list, path, &issues) { $0 }
        case .map(let keys):
            duplicates(list, path, &issues) { item in
                var identity = JSONObject()
                for key in keys { identity[key] = item[key] ?? .null }
                return .object(identity)
            }
        }
    }

    private static func duplicates(
        _ list: [JSONValue],
        _ path: FieldPath,
        _ issues: inout [FieldIssue],
        _ identity: (JSONValue) -> JSONValue
    ) {
        var seen: Set<JSONValue> = []
        for (index, item) in list.enumerated() {
            let key = identity(item)
            if !seen.insert(key).inserted { issues.append(.duplicate(path.index(index), key)) }
        }
    }

    private static func check(
        _ limits: SchemaLimits,
        _ node: SchemaNode,
        _ value: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        switch value {
        case .string(let text): count(text.unicodeScalars.count, limits, value, path, "should be", "chars long", &issues)
        case .array(let list): size(list.count, limits, path, &issues)
        case .object(let object):
            for name in limits.required where object[name] == nil { issues.append(.required(path.child(name))) }
            size(object.count, limits, path, &issues)
        case .integer(let number): range(Double(number), limits, value, path, &issues)
        case .number(let number): range(number, limits, value, path, &issues)
        default: break
        }
    }

    private static func size(_ count: Int, _ limits: SchemaLimits, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let maximum = limits.maximumCount, count > maximum {
            issues.append(.tooMany(path, actual: count, maximum: maximum))
        }
        if let minimum = limits.minimumCount, count < minimum {
            let detail = "\(path.description) in body should have at least \(minimum) items"
            issues.append(.invalid(path, .integer(Int64(count)), detail))
        }
    }

    private static func count(
        _ count: Int,
        _ limits: SchemaLimits,
        _ value: JSONValue,
        _ path: FieldPath,
        _ verb: String,
        _ unit: String,
        _ issues: inout [FieldIssue]
    ) {
        if let maximum = limits.maximumCount, count > maximum {
            issues.append(.tooLong(path, maximum: maximum))
        }
        if let minimum = limits.minimumCount, count < minimum {
            issues.append(.invalid(path, value, "\(path.description) in body \(verb) at least \(minimum) \(unit)"))
        }
    }

    private static func range(
        _ number: Double,
        _ limits: SchemaLimits,
        _ value: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let name = path.description
        if let maximum = limits.maximum, limits.exclusiveMaximum ? number >= maximum : number > maximum {
            let words = limits.exclusiveMaximum ? "less than" : "less than or equal to"
            issues.append(.invalid(path, value, "\(name) in body should be \(words) \(JSONValue.number(maximum))"))
        }
        if let minimum = limits.minimum, limits.exclusiveMinimum ? number <= minimum : number < minimum {
            let words = limits.exclusiveMinimum ? "greater than" : "greater than or equal to"
            issues.append(.invalid(path, value, "\(name) in body should be \(words) \(JSONValue.number(minimum))"))
        }
    }
}

extension SchemaField {
    /// A null list, map or struct of a built-in type is empty, not missing: Go clients write them.
    fileprivate func isThere(in object: JSONObject, _ owner: SchemaNode) -> Bool {
        guard let value = object[name] else { return false }
        return value != .null || node.nullable || (owner.body.isBuiltin && !isPointer)
    }
}

extension JSONValue {
    fileprivate var schemaTypeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension SchemaNode {
    /// The OpenAPI type that a value should have; nil when it has one that fits.
    fileprivate func expectedType(for value: JSONValue) -> String? {
        switch shape {
        case .any, .schemaOrBool, .schemaOrList, .schemaOrStrings: return nil
        case .object, .map, .anyObject: if case .object = value { return nil } else { return "object" }
        case .list: if case .array = value { return nil } else { return "array" }
        case .boolean: if case .bool = value { return nil } else { return "boolean" }
        case .integer: if case .integer = value { return nil } else { return "integer" }
        case .number:
            if case .number = value { return nil }
            if case .integer = value { return nil }
            return "number"
        case .intOrString:
            if case .string = value { return nil }
            if case .integer = value { return nil }
            return "integer,string"
        case .quantity:
            if case .string = value { return nil }
            if case .integer = value { return nil }
            if case .number = value { return nil }
            return "string"
        case .string, .bytes, .time, .microTime, .duration:
            if case .string = value { return nil } else { return "string" }
        }
    }
}
