import Schema
import Units
import Values

/// Checks that a schema is structural: every field is described where it stands, and what is said elsewhere (allOf, anyOf,
/// oneOf, not) only restricts values.
///
/// Source: apiextensions-apiserver apiserver/schema/validation.go, complete.go.
enum StructuralRules {
    private enum Level { case root, item, field }

    /// What is wrong with the schema of a kind, sorted.
    static func issues(_ schema: JSONValue, at path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        invariants(schema, .root, path, &issues)
        completeness(schema, schema, path, path, &issues)
        return issues.sorted { $0.message < $1.message }
    }

    private static func flag(_ schema: JSONValue, _ name: String) -> Bool { schema[name]?.bool == true }
    private static func type(_ schema: JSONValue) -> String { schema["type"]?.string ?? "" }

    private static func invariants(_ schema: JSONValue, _ level: Level, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if type(schema) == "array", schema["items"]?.object == nil {
            issues.append(.required(path.child("items"), "must be specified"))
        }
        if let items = schema["items"], items.object != nil { invariants(items, .item, path.child("items"), &issues) }
        for (name, property) in schema["properties"]?.object ?? [:] {
            invariants(property, .field, path.child("properties").key(name), &issues)
        }
        if let additional = schema["additionalProperties"] {
            let field = path.child("additionalProperties")
            if level == .root { issues.append(.forbidden(field, "must not be used at the root")) }
            if additional.object != nil { invariants(additional, .field, field, &issues) }
        }
        extensions(schema, path, &issues)
        let skipsAny = isIntOrString(schema["anyOf"])
        let skipsFirst = isIntOrString(schema["allOf"]?[0]?["anyOf"])
        values(schema, skipsAny: skipsAny, skipsFirst: skipsFirst, level, path, &issues)
        types(schema, level, path, &issues)
        identity(schema, level, path, &issues)
    }

    private static func extensions(_ schema: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard flag(schema, "x-kubernetes-int-or-string") else { return }
        for name in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] where flag(schema, name) {
            issues.append(.invalid(path.child(name), true, "must be false if x-kubernetes-int-or-string is true"))
        }
    }

    private static func types(_ schema: JSONValue, _ level: Level, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let type = type(schema)
        let field = path.child("type")
        let isEmbedded = flag(schema, "x-kubernetes-embedded-resource")
        let keeps = flag(schema, "x-kubernetes-preserve-unknown-fields")
        if isEmbedded, type != "object" {
            let words = "must be object if x-kubernetes-embedded-resource is true"
            issues.append(type.isEmpty ? .required(field, words) : .invalid(field, .string(type), words))
        } else if type.isEmpty, !flag(schema, "x-kubernetes-int-or-string"), !keeps {
            switch level {
            case .root: issues.append(.required(field, "must not be empty at the root"))
            case .item: issues.append(.required(field, "must not be empty for specified array items"))
            case .field: issues.append(.required(field, "must not be empty for specified object fields"))
            }
        }
        if isEmbedded, schema["additionalProperties"] != nil {
            let words = "must not be used if x-kubernetes-embedded-resource is set"
            issues.append(.forbidden(path.child("additionalProperties"), words))
        }
        if level == .root, !type.isEmpty, type != "object" {
            issues.append(.invalid(field, .string(type), "must be object at the root"))
        }
        if isEmbedded, !keeps, (schema["properties"]?.object ?? [:]).isEmpty {
            let words =
                "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
            issues.append(.required(path.child("properties"), words))
        }
    }

    /// `kind`, `apiVersion` and `metadata` say no more than they must.
    private static func identity(_ schema: JSONValue, _ level: Level, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let isResource = level == .root || flag(schema, "x-kubernetes-embedded-resource")
        let properties = path.child("properties")
        for name in ["kind", "apiVersion"] where isResource {
            guard let property = schema["properties"]?[name], type(property) != "string" else { continue }
            issues.append(.invalid(properties.key(name).child("type"), .string(type(property)), "must be string"))
        }
        guard let metadata = schema["properties"]?["metadata"] else { return }
        let field = properties.key("metadata")
        if isResource, type(metadata) != "object" {
            issues.append(.invalid(field.child("type"), .string(type(metadata)), "must be object"))
        }
        guard level == .root else { return }
        var rest = metadata.object ?? [:]
        let names = Set((rest["properties"]?.object ?? [:]).keys)
        if names.isEmpty || names.isSubset(of: ["name", "generateName"]) { rest["properties"] = nil }
        rest["type"] = nil
        rest["default"] = nil
        if !rest.isEmpty {
            let words = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            issues.append(.forbidden(field, words))
        }
    }

    private static func isIntOrString(_ value: JSONValue?) -> Bool { value == [["type": "integer"], ["type": "string"]] }

    // MARK: Values

    private static func values(
        _ schema: JSONValue,
        skipsAny: Bool,
        skipsFirst: Bool,
        _ level: Level,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        if !skipsAny {
            for (index, item) in (schema["anyOf"]?.array ?? []).enumerated() {
                nested(item, level, path.child("anyOf").index(index), &issues)
            }
        }
        for (index, item) in (schema["allOf"]?.array ?? []).enumerated() {
            nested(item, skipsAny: skipsFirst && index == 0, level, path.child("allOf").index(index), &issues)
        }
        for (index, item) in (schema["oneOf"]?.array ?? []).enumerated() {
            nested(item, level, path.child("oneOf").index(index), &issues)
        }
        if let not = schema["not"] { nested(not, level, path.child("not"), &issues) }
        guard let pattern = schema["pattern"]?.string, !pattern.isEmpty, let problem = Patterns.problem(pattern) else { return }
        let words = "must be a valid regular expression, but isn't: \(problem)"
        issues.append(.invalid(path.child("pattern"), .string(pattern), words))
    }

    private static func nested(
        _ schema: JSONValue,
        skipsAny: Bool = false,
        _ level: Level,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        values(schema, skipsAny: skipsAny, skipsFirst: false, level, path, &issues)
        if let items = schema["items"], items.object != nil { nested(items, level, path.child("items"), &issues) }
        for (name, property) in schema["properties"]?.object ?? [:] {
            nested(property, .field, path.child("properties").key(name), &issues)
        }
        func forbid(_ name: String, _ words: String, if test: Bool) {
            if test { issues.append(.forbidden(path.child(name), "must be \(words) to be structural")) }
        }
        forbid("type", "empty", if: !type(schema).isEmpty)
        forbid("additionalProperties", "undefined", if: schema["additionalProperties"].map { $0 != false } ?? false)
        forbid("default", "undefined", if: schema["default"] != nil)
        forbid("title", "empty", if: !(schema["title"]?.string ?? "").isEmpty)
        forbid("description", "empty", if: !(schema["description"]?.string ?? "").isEmpty)
        forbid("nullable", "false", if: flag(schema, "nullable"))
        for name in ["preserve-unknown-fields", "embedded-resource", "int-or-string"].map({ "x-kubernetes-" + $0 }) {
            forbid(name, "false", if: flag(schema, name))
        }
        forbid("x-kubernetes-list-map-keys", "empty", if: !(schema["x-kubernetes-list-map-keys"]?.array ?? []).isEmpty)
        forbid("x-kubernetes-list-type", "undefined", if: schema["x-kubernetes-list-type"] != nil)
        forbid("x-kubernetes-map-type", "undefined", if: schema["x-kubernetes-map-type"] != nil)
        forbid("x-kubernetes-validations", "empty", if: !(schema["x-kubernetes-validations"]?.array ?? []).isEmpty)
        if schema["properties"]?["metadata"] != nil {
            issues.append(.forbidden(path.child("properties").key("metadata"), "must not be specified in a nested context"))
        }
    }

    // MARK: Completeness

    /// What is restricted must also be described.
    private static func completeness(
        _ values: JSONValue,
        _ schema: JSONValue?,
        _ schemaPath: FieldPath,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        if let not = values["not"] { nestedCompleteness(not, schema, schemaPath, path.child("not"), &issues) }
        for key in ["allOf", "anyOf", "oneOf"] {
            for (index, item) in (values[key]?.array ?? []).enumerated() {
                nestedCompleteness(item, schema, schemaPath, path.child(key).index(index), &issues)
            }
        }
    }

    private static func nestedCompleteness(
        _ values: JSONValue,
        _ schema: JSONValue?,
        _ schemaPath: FieldPath,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        guard let schema else {
            issues.append(.required(schemaPath, "because it is defined in \(path)"))
            return
        }
        completeness(values, schema, schemaPath, path, &issues)
        if let items = values["items"], items.object != nil {
            let own = schema["items"].flatMap { $0.object == nil ? nil : $0 }
            nestedCompleteness(items, own, schemaPath.child("items"), path.child("items"), &issues)
        }
        for (name, property) in values["properties"]?.object ?? [:] {
            let here = path.child("properties").key(name)
            let there = schemaPath.child("properties").key(name)
            if let own = schema["properties"]?[name] {
                nestedCompleteness(property, own, there, here, &issues)
            } else {
                issues.append(.required(there, "because it is defined in \(here)"))
            }
        }
    }
}
