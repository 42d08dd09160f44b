import Units
import Values

extension SchemaNode {
    /// Adds what is missing: a kind's defaults by path, and, for custom resources, the defaults of the schema.
    public func applyDefaults(_ value: inout JSONValue) {
        if let rules = body.defaultRules, case .object(var object) = value {
            value = .null
            rules.apply(to: &object)
            value = .object(object)
        }
        if body.hasSchemaDefaults { applySchemaDefaults(&value) }
    }

    /// Upstream's order: first the members that are missing, then what is below each member. A null where none is allowed
    /// counts as missing.
    private func applySchemaDefaults(_ value: inout JSONValue) {
        switch value {
        case .object(var object):
            value = .null
            let body = body
            for field in body.fields {
                guard let added = field.node.body.defaultValue else { continue }
                let given = object[field.name]
                if given == nil || (given == .null && !field.node.nullable) { object[field.name] = added }
            }
            object.updateEach { key, item in
                if let node = body.field(key)?.node {
                    if node.body.hasSchemaDefaults { node.applySchemaDefaults(&item) }
                } else if let element = body.element {
                    element.applyElementDefaults(&item)
                }
            }
            value = .object(object)
        case .array(var list):
            guard let element else { return }
            value = .null
            for index in list.indices { element.applyElementDefaults(&list[index]) }
            value = .array(list)
        default: break
        }
    }

    private func applyElementDefaults(_ value: inout JSONValue) {
        if case .null = value, !nullable, let added = defaultValue { value = added }
        if body.hasSchemaDefaults { applySchemaDefaults(&value) }
    }

    /// Removes fields that the type does not have, and names them as upstream's strict decoder does: `unknown field
    /// "spec.containers[0].foo"`.
    public func prune(_ value: inout JSONValue) -> [String] {
        if body.structural != nil { return pruneStructural(&value) }
        var found: [String] = []
        prune(&value, path: "", &found)
        return found
    }

    private func prune(_ value: inout JSONValue, path: String, _ found: inout [String]) {
        switch value {
        case .object(var object) where shape == .object || shape == .map:
            value = .null
            var unknown: [String] = []
            object.updateEach { key, item in
                let here = path.isEmpty ? key : "\(path).\(key)"
                if let next = shape == .map ? element : field(key)?.node {
                    next.prune(&item, path: here, &found)
                } else if !body.preservesUnknownFields {
                    unknown.append(key)
                    found.append("unknown field \(GoQuote.quote(here))")
                }
            }
            for key in unknown { object[key] = nil }
            value = .object(object)
        case .object, .array:
            pruneOther(&value, path: path, &found)
        default: break
        }
    }

    private func pruneOther(_ value: inout JSONValue, path: String, _ found: inout [String]) {
        guard let element else { return }
        switch value {
        case .array(var list):
            value = .null
            for index in list.indices { element.prune(&list[index], path: "\(path)[\(index)]", &found) }
            value = .array(list)
        case .object where shape != .list: element.prune(&value, path: path, &found)
        default: break
        }
    }

    /// Checks types, required fields, allowed values and limits.
    public func validate(_ value: JSONValue, path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        StructuralCheck.run(self, value, path, &issues)
        return issues
    }
}
