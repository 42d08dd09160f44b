import Schema
import Units
import Values

/// Checks the schema of a version: its keywords, its structure, its defaults and its rules.
///
/// Source: apiextensions validation (validateCustomResourceDefinitionValidation).
struct KindSchemaCheck {
    private let schema: JSONValue
    private let hasStatus: Bool
    private let isUnchanged: Bool

    init(_ schema: JSONValue, hasStatus: Bool, isUnchanged: Bool) {
        self.schema = schema
        self.hasStatus = hasStatus
        self.isUnchanged = isUnchanged
    }

    /// Keyword and Go's name of it, in the order in which upstream lists them.
    private static let rootFields: [(key: String, name: String)] = [
        ("description", "Description"), ("type", "Type"), ("format", "Format"), ("title", "Title"), ("maximum", "Maximum"),
        ("exclusiveMaximum", "ExclusiveMaximum"), ("minimum", "Minimum"), ("exclusiveMinimum", "ExclusiveMinimum"),
        ("maxLength", "MaxLength"), ("minLength", "MinLength"), ("pattern", "Pattern"), ("maxItems", "MaxItems"),
        ("minItems", "MinItems"), ("uniqueItems", "UniqueItems"), ("multipleOf", "MultipleOf"), ("required", "Required"),
        ("items", "Items"), ("properties", "Properties"), ("externalDocs", "ExternalDocs"), ("example", "Example"),
        ("x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"), ("x-kubernetes-validations", "XValidations"),
    ]

    func issues(at path: FieldPath) -> [FieldIssue] {
        let field = path.child("openAPIV3Schema")
        var issues = rootIssues(field)
        if schema["nullable"]?.bool == true {
            issues.append(.forbidden(field.child("nullable"), "nullable cannot be true at the root"))
        }
        // Of what upstream cannot take for a structural schema, it says nothing more than that.
        let unsupported = Self.unsupported(schema)
        let structural = unsupported == nil ? StructuralRules.issues(schema, at: field) : []
        var isSound = false
        if unsupported == nil, structural.isEmpty {
            var check = DefaultCheck(schema)
            let defaults = check.issues(at: field)
            issues += defaults
            isSound = defaults.isEmpty
        } else {
            issues += structural
        }
        var keywords = SchemaCheck()
        keywords.run(schema, at: field)
        issues += keywords.issues
        if issues.isEmpty, let unsupported { return [.invalid(field, "", unsupported)] }
        guard isSound, keywords.issues.isEmpty, !keywords.ruleSites.isEmpty else { return issues }
        return issues + RuleCheck(schema, keywords.ruleSites, isUnchanged: isUnchanged).issues(at: field)
    }

    /// Why upstream cannot convert a schema to a structural one.
    ///
    /// Source: apiextensions-apiserver schema/convert.go.
    private static func unsupported(_ schema: JSONValue) -> String? {
        var found: String?
        SchemaWalk.visit(schema) { node in
            guard found == nil else { return }
            for (key, name) in [("id", "id"), ("$schema", "schema"), ("$ref", "$ref")] where !(node[key]?.string ?? "").isEmpty {
                found = "OpenAPIV3Schema '\(name)' is not supported"
            }
            for key in ["patternProperties", "dependencies", "definitions"] where node[key]?.object?.isEmpty == false {
                found = found ?? "OpenAPIV3Schema '\(key)' is not supported"
            }
            if node["additionalItems"] != nil { found = found ?? "OpenAPIV3Schema 'additionalItems' is not supported" }
            if node["items"]?.array?.isEmpty == false { found = found ?? "OpenAPIV3Schema 'items' must be a schema, but is an array" }
            if node["x-kubernetes-preserve-unknown-fields"]?.bool == false {
                found = found ?? "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
            }
        }
        return found
    }

    private func rootIssues(_ field: FieldPath) -> [FieldIssue] {
        guard hasStatus else { return [] }
        if schema["type"]?.string != "object" {
            let words = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled"
            if schema["type"] != nil { return [.invalid(field.child("type"), schema["type"], words)] }
        }
        let allowed = Set(Self.rootFields.map(\.key))
        guard let keys = schema.object?.keys, keys.contains(where: { !allowed.contains($0) }) else { return [] }
        let names = Self.rootFields.map(\.name).joined(separator: " ")
        let words = "only [\(names)] fields are allowed at the root of the schema if the status subresource is enabled"
        return [.invalid(field, schema, words)]
    }
}
