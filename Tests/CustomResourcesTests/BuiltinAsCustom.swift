import APITypes
import Schema
import Values

@testable import CustomResources

/// Writes the type of a built-in kind as the author of a definition would.
struct BuiltinAsCustom {
    /// Recursive types are cut off here.
    private static let depth = 40
    private(set) var nodes = 0
    /// Whether every schema gets a description of its own, as generated definitions have them.
    var describes = false

    mutating func schema(of node: SchemaNode, level: Int = 0) -> JSONValue {
        nodes += 1
        var out = JSONObject()
        if describes { out["description"] = .string("Number \(nodes): what this field is for, in a sentence or two of plain words.") }
        guard level < Self.depth else {
            out["x-kubernetes-preserve-unknown-fields"] = true
            return .object(out)
        }
        switch node.shape {
        case .object: object(node, level, &out)
        case .map:
            out["type"] = "object"
            if let element = node.element { out["additionalProperties"] = schema(of: element, level: level + 1) }
            if node.body.atomicMap { out["x-kubernetes-map-type"] = "atomic" }
        case .list: list(node, level, &out)
        case .string, .time, .microTime, .bytes, .duration: out["type"] = "string"
        case .boolean: out["type"] = "boolean"
        case .integer: out["type"] = "integer"
        case .number: out["type"] = "number"
        case .quantity, .intOrString: out["x-kubernetes-int-or-string"] = true
        case .anyObject:
            out["type"] = "object"
            out["x-kubernetes-preserve-unknown-fields"] = true
        case .any, .schemaOrBool, .schemaOrList, .schemaOrStrings: out["x-kubernetes-preserve-unknown-fields"] = true
        }
        return .object(out)
    }

    private mutating func object(_ node: SchemaNode, _ level: Int, _ out: inout JSONObject) {
        out["type"] = "object"
        var properties = JSONObject()
        for field in node.fields {
            if level == 0, ["metadata", "apiVersion", "kind"].contains(field.name) { continue }
            properties[field.name] = schema(of: field.node, level: level + 1)
        }
        if !properties.isEmpty { out["properties"] = .object(properties) }
        if node.body.atomicMap { out["x-kubernetes-map-type"] = "atomic" }
    }

    private mutating func list(_ node: SchemaNode, _ level: Int, _ out: inout JSONObject) {
        out["type"] = "array"
        guard let element = node.element else { return }
        var items = schema(of: element, level: level + 1)
        switch node.listType {
        case .atomic: break
        case .set: out["x-kubernetes-list-type"] = "set"
        case .map(let keys):
            out["x-kubernetes-list-type"] = "map"
            out["x-kubernetes-list-map-keys"] = JSONValue(keys)
            var required: [String] = []
            for key in keys {
                if key == "protocol" {
                    items.set("TCP", at: ["properties", key, "default"])
                } else {
                    required.append(key)
                }
            }
            if !required.isEmpty { items["required"] = JSONValue(required) }
        }
        out["items"] = items
    }
}
