import Schema
import Units
import Values

/// Checks the OpenAPI keywords of a schema: what Kubernetes does not support, and what does not go together.
///
/// Source: apiextensions validation.ValidateCustomResourceDefinitionOpenAPISchema.
struct SchemaCheck {
    /// What depends on where in the schema one is.
    struct Place {
        var allowsDefaults = true
        var whyNoDefaults = ""
        var isInMetadata = false
        /// The first ancestor whose elements cannot be told apart between two states of an object.
        var uncorrelated: FieldPath?
    }

    private(set) var issues: [FieldIssue] = []
    /// The rules found, for the check of their expressions.
    private(set) var ruleSites: [RuleSite] = []

    /// Where rules stand.
    struct RuleSite {
        var schema: JSONValue
        var path: FieldPath
        var uncorrelated: FieldPath?
        /// How to get there from the root.
        var steps: [RuleStep]
    }

    /// One step down in a schema.
    enum RuleStep: Hashable { case property(String), items, values }

    private static let types = ["array", "boolean", "integer", "number", "object", "string"]
    private static let identity: Set<String> = ["metadata", "kind", "apiVersion"]

    /// Checks the schema of a whole kind.
    mutating func run(_ schema: JSONValue, at path: FieldPath) {
        check(schema, path, Place(), isRoot: true, steps: [])
    }

    private mutating func forbid(_ path: FieldPath, _ words: String, if test: Bool) {
        if test { issues.append(.forbidden(path, words)) }
    }

    private mutating func check(_ schema: JSONValue, _ path: FieldPath, _ place: Place, isRoot: Bool = false, steps: [RuleStep]?) {
        keywords(schema, path, place)
        forbid(
            path.child("uniqueItems"),
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            if: schema["uniqueItems"]?.bool == true
        )
        members(schema, path, place, isRoot: isRoot, steps: steps)
        junctions(schema, path, place)
        if let items = schema["items"] {
            var inner = place
            if schema["x-kubernetes-list-type"]?.string != "map" { inner.uncorrelated = inner.uncorrelated ?? path }
            if items.object != nil { check(items, path.child("items"), inner, steps: steps.map { $0 + [.items] }) }
        }
        extensions(schema, path)
        lists(schema, path)
        rules(schema, path, place, steps)
    }

    private mutating func keywords(_ schema: JSONValue, _ path: FieldPath, _ place: Place) {
        let type = schema["type"]?.string ?? ""
        if !type.isEmpty, !Self.types.contains(type) {
            issues.append(.notSupported(path.child("type"), .string(type), Self.types))
        }
        if schema["default"] != nil, !place.allowsDefaults {
            let why = place.whyNoDefaults.isEmpty ? "" : " \(place.whyNoDefaults)"
            issues.append(.forbidden(path.child("default"), "must not be set\(why)"))
        }
        forbid(path.child("id"), "id is not supported", if: !(schema["id"]?.string ?? "").isEmpty)
        forbid(path.child("additionalItems"), "additionalItems is not supported", if: schema["additionalItems"] != nil)
        for name in ["patternProperties", "definitions"] {
            forbid(path.child(name), "\(name) is not supported", if: !(schema[name]?.object ?? [:]).isEmpty)
        }
        forbid(path.child("dependencies"), "dependencies is not supported", if: schema["dependencies"] != nil)
        forbid(path.child("$ref"), "$ref is not supported", if: schema["$ref"] != nil)
        forbid(path.child("type"), "type cannot be set to null, use nullable as an alternative", if: type == "null")
        forbid(path.child("items"), "items must be a schema object and not an array", if: schema["items"]?.array?.isEmpty == false)
        forbid(
            path.child("x-kubernetes-embedded-resource"),
            "must not be used inside of resource meta",
            if: place.isInMetadata && schema["x-kubernetes-embedded-resource"]?.bool == true
        )
    }

    private mutating func members(_ schema: JSONValue, _ path: FieldPath, _ place: Place, isRoot: Bool, steps: [RuleStep]?) {
        let properties = schema["properties"]?.object ?? [:]
        if let additional = schema["additionalProperties"] {
            let field = path.child("additionalProperties")
            forbid(
                field,
                "additionalProperties and properties are mutual exclusive",
                if: !properties.isEmpty && additional != true
            )
            var inner = place
            if place.isInMetadata {
                inner.allowsDefaults = false
                inner.whyNoDefaults = "inside additionalProperties applying to object metadata"
            }
            if additional.object != nil { check(additional, field, inner, steps: steps.map { $0 + [.values] }) }
        }
        let isResource = isRoot || schema["x-kubernetes-embedded-resource"]?.bool == true
        for (name, property) in properties {
            var inner = place
            if isResource, Self.identity.contains(name) {
                inner.isInMetadata = true
                if isRoot {
                    inner.allowsDefaults = false
                    inner.whyNoDefaults = "in top-level \(name)"
                }
            }
            check(property, path.child("properties").key(name), inner, steps: steps.map { $0 + [.property(name)] })
        }
    }

    private mutating func junctions(_ schema: JSONValue, _ path: FieldPath, _ place: Place) {
        if let not = schema["not"] { check(not, path.child("not"), place, steps: nil) }
        for key in ["allOf", "oneOf", "anyOf"] {
            for (index, item) in (schema[key]?.array ?? []).enumerated() {
                check(item, path.child(key).index(index), place, steps: nil)
            }
        }
    }

    private mutating func extensions(_ schema: JSONValue, _ path: FieldPath) {
        let type = schema["type"]?.string ?? ""
        if let keeps = schema["x-kubernetes-preserve-unknown-fields"]?.bool, !keeps {
            issues.append(.invalid(path.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"))
        }
        func demand(_ wanted: String, _ words: String) {
            guard type != wanted else { return }
            let field = path.child("type")
            issues.append(type.isEmpty ? .required(field, words) : .invalid(field, .string(type), words))
        }
        if let mapType = schema["x-kubernetes-map-type"] {
            demand("object", "must be object if x-kubernetes-map-type is specified")
            if !["atomic", "granular"].contains(mapType.string ?? "") {
                issues.append(.notSupported(path.child("x-kubernetes-map-type"), mapType, ["atomic", "granular"]))
            }
        }
        guard let listType = schema["x-kubernetes-list-type"] else { return }
        if type != "array" {
            demand("array", "must be array if x-kubernetes-list-type is specified")
        } else if listType.string == "set", let items = schema["items"] {
            let words = "must be atomic as item of a list with x-kubernetes-list-type=set"
            let inner = items["x-kubernetes-list-type"]
            let field = path.child("items")
            if items["type"]?.string == "array", let inner, inner.string != "atomic" {
                issues.append(.invalid(field.child("x-kubernetes-list-type"), inner, words))
            }
            if items["type"]?.string == "object", items["x-kubernetes-map-type"]?.string != "atomic" {
                issues.append(.invalid(field.child("x-kubernetes-map-type"), inner ?? .null, words))
            }
        }
        if !["atomic", "set", "map"].contains(listType.string ?? "") {
            issues.append(.notSupported(path.child("x-kubernetes-list-type"), listType, ["atomic", "set", "map"]))
        }
    }

    private mutating func lists(_ schema: JSONValue, _ path: FieldPath) {
        let keys = schema["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string) ?? []
        let listType = schema["x-kubernetes-list-type"]?.string
        let keysPath = path.child("x-kubernetes-list-map-keys")
        let items = schema["items"]
        let itemsPath = path.child("items")
        if !keys.isEmpty, listType != "map" {
            let words = "must be map if x-kubernetes-list-map-keys is non-empty"
            let field = path.child("x-kubernetes-list-type")
            issues.append(listType.map { .invalid(field, .string($0), words) } ?? .required(field, words))
        }
        if listType == "map" {
            if keys.isEmpty { issues.append(.required(keysPath, "must not be empty if x-kubernetes-list-type is map")) }
            if items == nil { issues.append(.required(itemsPath, "must have a schema if x-kubernetes-list-type is map")) }
            if let items, items.object == nil {
                issues.append(.invalid(itemsPath, items, "must only have a single schema if x-kubernetes-list-type is map"))
            }
            if let items, items.object != nil { mapKeys(keys, items, keysPath, itemsPath) }
        }
        guard let items, items.object != nil, listType == "map" || listType == "set" else { return }
        if items["nullable"]?.bool == true {
            let words = "cannot be nullable when x-kubernetes-list-type is \(listType ?? "")"
            issues.append(.forbidden(itemsPath.child("nullable"), words))
        }
        guard listType == "map" else { return }
        let required = Set(items["required"]?.array?.compactMap(\.string) ?? [])
        for key in keys {
            guard let property = items["properties"]?[key] else { continue }
            let field = itemsPath.child("properties").key(key)
            if !required.contains(key), property["default"] == nil {
                let words =
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
                issues.append(.required(field.child("default"), words))
            }
            if property["nullable"]?.bool == true {
                let words = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
                issues.append(.forbidden(field.child("nullable"), words))
            }
        }
    }

    private mutating func mapKeys(_ keys: [String], _ items: JSONValue, _ keysPath: FieldPath, _ itemsPath: FieldPath) {
        let type = items["type"] ?? ""
        guard type == "object" else {
            let words = "must be object if parent array's x-kubernetes-list-type is map"
            issues.append(.invalid(itemsPath.child("type"), type, words))
            return
        }
        var seen: Set<String> = []
        for key in keys {
            if let property = items["properties"]?[key] {
                if ["array", "object"].contains(property["type"]?.string ?? "") {
                    let words = "must be a scalar type if parent array's x-kubernetes-list-type is map"
                    issues.append(.invalid(itemsPath.child("properties").key(key).child("type"), type, words))
                }
            } else {
                issues.append(.invalid(keysPath, JSONValue(keys), "entries must all be names of item properties"))
            }
            if !seen.insert(key).inserted {
                issues.append(.invalid(keysPath, JSONValue(keys), "must not contain duplicate entries"))
            }
        }
    }

    private static let reasons = [
        "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
    ]

    private mutating func rules(_ schema: JSONValue, _ path: FieldPath, _ place: Place, _ steps: [RuleStep]?) {
        let rules = schema["x-kubernetes-validations"]?.array ?? []
        guard !rules.isEmpty else { return }
        for (index, json) in rules.enumerated() {
            rule(StructuralRule(json), schema, path.child("x-kubernetes-validations").index(index))
        }
        guard let steps else { return }
        ruleSites.append(RuleSite(schema: schema, path: path, uncorrelated: place.uncorrelated, steps: steps))
    }

    private mutating func rule(_ rule: StructuralRule, _ schema: JSONValue, _ path: FieldPath) {
        func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }
        func hasLines(_ text: String) -> Bool { text.unicodeScalars.contains { $0 == "\n" || $0 == "\r" } }
        func trimmed(_ text: String) -> String {
            String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
        if isBlank(rule.rule) {
            issues.append(.required(path.child("rule"), "rule is not specified"))
        } else if !rule.message.isEmpty, isBlank(rule.message) {
            issues.append(.invalid(path.child("message"), .string(rule.message), "must be non-empty if specified"))
        } else if hasLines(trimmed(rule.message)) {
            issues.append(.invalid(path.child("message"), .string(rule.message), "must not contain line breaks"))
        } else if hasLines(trimmed(rule.rule)), isBlank(rule.message) {
            issues.append(.required(path.child("message"), "message must be specified if rule contains line breaks"))
        }
        if !rule.messageExpression.isEmpty, isBlank(rule.messageExpression) {
            issues.append(.required(path.child("messageExpression"), "messageExpression must be non-empty if specified"))
        }
        if !rule.reason.isEmpty, !Self.reasons.contains(rule.reason) {
            issues.append(.notSupported(path.child("reason"), .string(rule.reason), Self.reasons))
        }
        guard !rule.fieldPath.isEmpty else { return }
        let field = path.child("fieldPath")
        if isBlank(rule.fieldPath) {
            issues.append(.invalid(field, .string(rule.fieldPath), "must be non-empty if specified"))
        }
        if hasLines(rule.fieldPath) {
            issues.append(.invalid(field, .string(rule.fieldPath), "must not contain line breaks"))
        }
        if (try? SchemaPath.follow(rule.fieldPath, in: schema)) == nil {
            issues.append(.invalid(field, .string(rule.fieldPath), "must be a valid path"))
        }
    }
}
