import Schema
import Units
import Values

/// Checks that the defaults of a schema are values the schema allows, without unknown fields.
///
/// Source: apiextensions-apiserver schema/defaulting/validation.go.
struct DefaultCheck {
    private let schema: JSONValue

    init(_ schema: JSONValue) { self.schema = schema }

    mutating func issues(at path: FieldPath) -> [FieldIssue] {
        guard SchemaWalk.has(schema, { $0["default"] != nil }) else { return [] }
        var issues: [FieldIssue] = []
        check(schema, path, isInMetadata: false, isRoot: true, &issues)
        return issues
    }

    private static let identity: Set<String> = ["metadata", "kind", "apiVersion"]

    private func check(
        _ schema: JSONValue,
        _ path: FieldPath,
        isInMetadata: Bool,
        isRoot: Bool,
        _ issues: inout [FieldIssue]
    ) {
        let isEmbedded = isRoot || schema["x-kubernetes-embedded-resource"]?.bool == true
        let isInside = isInMetadata && !isEmbedded
        if let value = schema["default"], !value.isNull { issues += Self.issues(value, schema, path.child("default"), isInside) }
        if let items = schema["items"], items.object != nil {
            check(items, path.child("items"), isInMetadata: isInside, isRoot: false, &issues)
        }
        for (name, property) in schema["properties"]?.object ?? [:] {
            check(
                property,
                path.child("properties").key(name),
                isInMetadata: isInside || (isEmbedded && Self.identity.contains(name)),
                isRoot: false,
                &issues
            )
        }
    }

    private static func issues(_ value: JSONValue, _ schema: JSONValue, _ path: FieldPath, _ isInMetadata: Bool) -> [FieldIssue] {
        var compiler = StructuralCompiler()
        let root = compiler.add(schema)
        let node = compiler.table().node(root)
        var issues: [FieldIssue] = []
        if !isInMetadata {
            var pruned = value
            if !node.prune(&pruned).isEmpty { issues.append(.invalid(path, value, "must not have unknown fields")) }
        }
        let embedded = EmbeddedResourceCheck.issues(value, node, at: path)
        guard embedded.isEmpty else { return issues + embedded }
        let invalid = StructuralValidator.issues(value, node, at: path)
        guard invalid.isEmpty else { return issues + invalid }
        let rules = RuleSet(node)
        guard !rules.isEmpty else { return issues }
        // A default has to hold for a new value as for one that stays.
        let kept = rules.issues(value, old: value, at: path)
        return issues + (kept.isEmpty ? rules.issues(value, old: nil, at: path) : kept)
    }
}
