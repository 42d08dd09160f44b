import Schema
import Values

/// Renders types.
struct OpenAPISchema: Sendable {
    let dialect: OpenAPIDialect
    let groupVersions: [GroupVersion]

    /// A named type, in full.
    func definition(_ definition: OpenAPIDefinition) -> JSONValue {
        if let document = definition.document, let gvk = definition.kinds.first {
            return OpenAPICustom(dialect: dialect).definition(document, gvk, selectable: definition.selectable)
        }
        let node = definition.node
        let body = node.body
        var out = contents(node)
        if !body.description.isEmpty { out["description"] = .string(body.description) }
        var kinds = definition.kinds
        kinds += body.kinds.map { GroupVersionKind(group: $0.group, version: $0.version, kind: $0.kind) }
        if body.isKindOfEveryVersion {
            let kind = definition.name.split(separator: ".").last.map(String.init) ?? ""
            kinds += groupVersions.map { $0.kind(kind) }
        }
        if !kinds.isEmpty {
            out["x-kubernetes-group-version-kind"] = .array(
                kinds.map {
                    ["group": .string($0.group), "kind": .string($0.kind), "version": .string($0.version)]
                }
            )
        }
        if body.atomicMap { out["x-kubernetes-map-type"] = "atomic" }
        if !definition.selectable.isEmpty { out[OpenAPICustom.selectableKey] = OpenAPICustom.shown(definition.selectable) }
        if let unions = body.unions { out["x-kubernetes-unions"] = Self.unions(unions) }
        return .object(out)
    }

    /// A type where it is used: a reference, or its contents.
    private func use(_ node: SchemaNode, asProperty: Bool) -> JSONObject {
        guard !node.name.isEmpty else { return contents(node) }
        let reference: JSONObject = ["$ref": dialect.reference(node.name)]
        // What stands beside a reference does not count in v3.
        guard dialect == .v3, asProperty else { return reference }
        return ["allOf": [.object(reference)]]
    }

    /// What a type holds.
    func contents(_ node: SchemaNode) -> JSONObject {
        let body = node.body
        var out: JSONObject
        switch node.shape {
        case .object: out = object(node)
        case .map:
            out = ["type": "object"]
            if let element = body.element {
                out["additionalProperties"] = .object(use(element, asProperty: false))
            }
        case .list:
            out = ["type": "array"]
            if let element = body.element { out["items"] = .object(use(element, asProperty: false)) }
        case .string, .time, .microTime, .bytes, .duration: out = ["type": "string"]
        case .boolean: out = ["type": "boolean"]
        case .integer: out = ["type": "integer"]
        case .number: out = ["type": "number"]
        case .quantity:
            out = dialect == .v2 ? ["type": "string"] : ["oneOf": [["type": "string"], ["type": "number"]]]
        case .intOrString:
            out = dialect == .v2 ? ["type": "string"] : ["oneOf": [["type": "integer"], ["type": "string"]]]
        case .anyObject: out = ["type": "object"]
        case .any, .schemaOrBool, .schemaOrList, .schemaOrStrings: out = [:]
        }
        if !body.format.isEmpty { out["format"] = .string(body.format) }
        if !body.enumValues.isEmpty { out["enum"] = .array(body.enumValues) }
        if let limits = body.limits { add(limits, to: &out, node) }
        if body.nullable, dialect == .v3 { out["nullable"] = true }
        if body.preservesUnknownFields { out["x-kubernetes-preserve-unknown-fields"] = true }
        if node.name.isEmpty, !body.description.isEmpty { out["description"] = .string(body.description) }
        return out
    }

    private func object(_ node: SchemaNode) -> JSONObject {
        var out: JSONObject = ["type": "object"]
        var properties = JSONObject()
        var required: [(order: Int, name: String)] = []
        for field in node.fields {
            properties[field.name] = .object(property(field))
            if field.traits.contains(.required) { required.append((field.order, field.name)) }
        }
        if !properties.isEmpty { out["properties"] = .object(properties) }
        if !required.isEmpty {
            required.sort { $0.order < $1.order }
            out["required"] = .array(required.map { .string($0.name) })
        }
        return out
    }

    private func property(_ field: SchemaField) -> JSONObject {
        let rare = field.rare
        let description = rare?.description ?? ""
        var out = use(field.node, asProperty: true)
        if !description.isEmpty { out["description"] = .string(description) }
        if dialect == .v3, let value = rare?.defaultValue ?? field.node.body.defaultValue {
            out["default"] = value
        }
        switch field.node.listType {
        case .atomic: if field.traits.contains(.declaredAtomic) { out["x-kubernetes-list-type"] = "atomic" }
        case .set: out["x-kubernetes-list-type"] = "set"
        case .map(let keys):
            out["x-kubernetes-list-type"] = "map"
            out["x-kubernetes-list-map-keys"] = JSONValue(keys)
        }
        if field.node.shape == .map, field.node.body.atomicMap { out["x-kubernetes-map-type"] = "atomic" }
        if field.traits.contains(.declaredGranular) { out["x-kubernetes-map-type"] = "granular" }
        if let strategies = rare?.patchStrategies, !strategies.isEmpty {
            out["x-kubernetes-patch-strategy"] = .string(strategies.joined(separator: ","))
        }
        if let key = rare?.patchMergeKey, !key.isEmpty { out["x-kubernetes-patch-merge-key"] = .string(key) }
        return out
    }

    private func add(_ limits: SchemaLimits, to out: inout JSONObject, _ node: SchemaNode) {
        if !limits.required.isEmpty { out["required"] = JSONValue(limits.required) }
        if let pattern = limits.pattern { out["pattern"] = .string(pattern) }
        if let minimum = limits.minimum { out["minimum"] = .number(minimum) }
        if let maximum = limits.maximum { out["maximum"] = .number(maximum) }
        if limits.exclusiveMinimum { out["exclusiveMinimum"] = true }
        if limits.exclusiveMaximum { out["exclusiveMaximum"] = true }
        let unit: String
        switch node.shape {
        case .string: unit = "Length"
        case .list: unit = "Items"
        default: unit = "Properties"
        }
        if let least = limits.minimumCount { out["min\(unit)"] = JSONValue(least) }
        if let most = limits.maximumCount { out["max\(unit)"] = JSONValue(most) }
    }

    private static func unions(_ facts: JSONValue) -> JSONValue {
        guard case .array(let list) = facts else { return [] }
        return .array(
            list.map { union in
                var out = JSONObject()
                if case .string(let name)? = union["discriminator"] { out["discriminator"] = .string(name) }
                if let members = union["members"] { out["fields-to-discriminateBy"] = members }
                return .object(out)
            }
        )
    }
}
