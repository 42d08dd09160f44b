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

    private func applySchemaDefaults(_ value: inout JSONValue) {
        switch value {
        case .object(var object):
            value = .null
            for field in fields where field.node.body.defaultValue != nil {
                let given = object[field.name]
                if given == nil || (given == .null && !field.node.nullable) {
                    object[field.name] = field.node.body.defaultValue
                }
            }
            object.updateEach { key, item in
                (field(key)?.node ?? element)?.applySchemaDefaults(&item)
            }
            value = .object(object)
        case .array(var list):
            guard let element else { return }
            value = .null
            for index in list.indices { element.applySchemaDefaults(&list[index]) }
            value = .array(list)
        default: break
        }
    }

    /// Removes fields that the type does not have, and names them as upstream's strict decoder does: `unknown field
    /// "spec.containers[0].foo"`.
    public func prune(_ value: inout JSONValue) -> [String] {
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
