import Values

/// Makes a schema of the past structural, as today's rules want it: every value has a type, logic carries no types, and
/// what is not understood is left out rather than refused. Validates less than the original at worst, never more.
struct StructuralForm {
    /// Fields outside the schema are kept.
    let keepsAll: Bool
    /// Deeper schemas are replaced by "anything".
    private static let maxDepth = 64

    private static let forbidden = ["$ref", "$schema", "id", "definitions", "dependencies", "patternProperties", "additionalItems"]
    private static let logic = ["allOf", "anyOf", "oneOf"]
    /// What logic may not say.
    private static let outsideLogic = [
        "description", "type", "default", "additionalProperties", "nullable", "title",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource",
    ]
    private static let anything: JSONValue = ["x-kubernetes-preserve-unknown-fields": true]

    init(keepsAll: Bool) {
        self.keepsAll = keepsAll
    }

    /// The schema of a whole object.
    func root(_ schema: JSONValue) -> JSONValue {
        var schema = schema.object == nil ? [:] : schema
        let isUnknown = schema["properties"]?.isEmptyObject ?? true
        schema["type"] = "object"
        schema = value(schema, depth: 0)
        // Metadata is everybody's; only restrictions of the name are allowed.
        if schema.value(at: ["properties", "metadata"]) != nil { schema.set(["type": "object"], at: ["properties", "metadata"]) }
        if isUnknown { schema["x-kubernetes-preserve-unknown-fields"] = true }
        return schema
    }

    private func value(_ schema: JSONValue, depth: Int) -> JSONValue {
        guard depth < Self.maxDepth, schema.object != nil else { return Self.anything }
        var schema = schema
        for name in Self.forbidden { schema[name] = nil }
        if schema["uniqueItems"]?.bool == true { schema["uniqueItems"] = nil }
        resolveType(&schema)
        resolveLogic(&schema)
        resolveProperties(&schema, depth)
        if case .object(let items)? = schema["items"] {
            schema["items"] = value(.object(items), depth: depth + 1)
        } else if schema["type"]?.string == "array" {
            let first = schema["items"]?.array?.first
            schema["items"] = first.map { value($0, depth: depth + 1) } ?? Self.anything
        }
        return schema
    }

    private func resolveType(_ schema: inout JSONValue) {
        guard schema["type"]?.string?.isEmpty ?? true, schema["x-kubernetes-int-or-string"]?.bool != true else { return }
        schema["type"] = nil
        let choices = Set((schema["anyOf"]?.array ?? schema["oneOf"]?.array ?? []).compactMap { $0["type"]?.string })
        if choices == ["integer", "string"] {
            schema["x-kubernetes-int-or-string"] = true
            schema["anyOf"] = nil
            schema["oneOf"] = nil
        } else if schema["properties"]?.object != nil || schema["additionalProperties"] != nil {
            schema["type"] = "object"
        } else if schema["items"] != nil {
            schema["type"] = "array"
        } else {
            schema["x-kubernetes-preserve-unknown-fields"] = true
        }
    }

    private func resolveLogic(_ schema: inout JSONValue) {
        for name in Self.logic {
            guard let branches = schema[name]?.array else { continue }
            if branches.contains(where: mentionsStructure) { schema[name] = nil }
        }
        if let branch = schema["not"], mentionsStructure(branch) { schema["not"] = nil }
    }

    private func mentionsStructure(_ branch: JSONValue) -> Bool {
        guard let members = branch.object else { return true }
        if Self.outsideLogic.contains(where: { members.contains($0) }) { return true }
        // What logic names has to be in the schema itself, which is too much to repair: such branches go.
        return ["properties", "items", "allOf", "anyOf", "oneOf", "not"].contains { members.contains($0) }
    }

    private func resolveProperties(_ schema: inout JSONValue, _ depth: Int) {
        if let properties = schema["properties"]?.object {
            schema["properties"] = .object(properties.mapValues { value($0, depth: depth + 1) })
            schema["additionalProperties"] = nil
        } else if let rest = schema["additionalProperties"] {
            schema["additionalProperties"] = rest.object == nil ? nil : value(rest, depth: depth + 1)
        }
        guard schema["type"]?.string == "object", schema["additionalProperties"] == nil else { return }
        if keepsAll { schema["x-kubernetes-preserve-unknown-fields"] = true }
    }
}
