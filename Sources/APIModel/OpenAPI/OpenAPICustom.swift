import Schema
import Values

/// Renders the schema of a custom resource as its author wrote it, with what every kind has.
///
/// Source: apiextensions-apiserver controller/openapi/builder, controller/openapi/v2.
struct OpenAPICustom {
    let dialect: OpenAPIDialect

    private static let objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    private static let texts = [
        "apiVersion": "APIVersion defines the version of the API that this object is written in. The server may convert it to another.",
        "kind": "What kind of object this is, in CamelCase. It cannot be changed.",
        "metadata": "Standard object's metadata: its name, labels, annotations and what the server keeps about it.",
    ]

    static let selectableKey = "x-kubernetes-selectable-fields"

    static func shown(_ fields: [SelectableField]) -> JSONValue { .array(fields.map { ["fieldPath": .string($0.label)] }) }

    /// The definition of a kind.
    func definition(_ document: SchemaDocument, _ gvk: GroupVersionKind, selectable: [SelectableField]) -> JSONValue {
        var out: JSONObject
        let schema = document.load()
        let keeps = schema?["x-kubernetes-preserve-unknown-fields"]?.bool == true
        if let schema, dialect == .v3 || !keeps {
            out = (dialect == .v2 ? Self.plain(schema) : schema).object ?? [:]
            addIdentity(&out)
            out = embedded(.object(out)).object ?? out
        } else {
            // A client that knew some of the fields would refuse all others.
            out = ["type": "object"]
        }
        out["x-kubernetes-group-version-kind"] = [
            ["group": .string(gvk.group), "kind": .string(gvk.kind), "version": .string(gvk.version)]
        ]
        if !selectable.isEmpty { out[Self.selectableKey] = Self.shown(selectable) }
        return .object(out)
    }

    private func addIdentity(_ object: inout JSONObject) {
        var properties = object["properties"]?.object ?? [:]
        for name in ["apiVersion", "kind"] {
            properties[name] = ["type": "string", "description": .string(Self.texts[name] ?? "")]
        }
        let text = JSONValue.string(Self.texts["metadata"] ?? "")
        let reference: JSONValue = ["$ref": dialect.reference(Self.objectMeta)]
        switch dialect {
        case .v2: properties["metadata"] = ["$ref": dialect.reference(Self.objectMeta), "description": text]
        case .v3: properties["metadata"] = ["allOf": [reference], "description": text]
        }
        object["properties"] = .object(properties)
    }

    /// Whole objects inside objects have an identity, too.
    private func embedded(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.object else { return schema }
        for key in ["items", "additionalProperties"] {
            if let inner = object[key], inner.object != nil { object[key] = embedded(inner) }
        }
        if let properties = object["properties"]?.object { object["properties"] = .object(properties.mapValues(embedded)) }
        if dialect == .v3, object["x-kubernetes-int-or-string"]?.bool == true { Self.addChoice(&object) }
        // A client of v2 that knew some of the fields would refuse all others.
        let isOpen = dialect == .v2 && object["x-kubernetes-preserve-unknown-fields"]?.bool == true
        guard object["x-kubernetes-embedded-resource"]?.bool == true, !isOpen else { return .object(object) }
        addIdentity(&object)
        var required = object["required"]?.array ?? []
        for name in ["kind", "apiVersion"] where !required.contains(.string(name)) { required.append(.string(name)) }
        object["required"] = .array(required)
        return .object(object)
    }

    private static let choice: JSONValue = [["type": "integer"], ["type": "string"]]

    /// Says of an integer or a string that it is one of them, unless its author did.
    private static func addChoice(_ object: inout JSONObject) {
        let others = object["allOf"]?.array ?? []
        guard let given = object["anyOf"] else {
            if others.first?["anyOf"] != choice { object["anyOf"] = choice }
            return
        }
        if given != choice { object["allOf"] = .array([["anyOf": choice]] + others) }
    }

    private static let unknownToV2 = ["allOf", "anyOf", "oneOf", "not", "default", "nullable"]

    /// The schema without what OpenAPI v2 does not know; a value that can be null has any type there.
    ///
    /// Source: apiextensions-apiserver controller/openapi/v2 (`ToStructuralOpenAPIV2`).
    private static func plain(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.object else { return schema }
        let canBeNull = isNullable(schema)
        let keeps = object["x-kubernetes-preserve-unknown-fields"]?.bool == true
        for key in unknownToV2 { object[key] = nil }
        if canBeNull { object["type"] = nil }
        if canBeNull || keeps {
            object["items"] = nil
            object["properties"] = nil
        }
        if object["type"]?.string == "array", object["items"] == nil { object["type"] = nil }
        if keeps, object["type"]?.string == "object" { object["type"] = nil }
        if let properties = object["properties"]?.object {
            let required = (object["required"]?.array ?? []).filter { !isNullable($0.string.flatMap { properties[$0] }) }
            object["required"] = required.isEmpty ? nil : .array(required)
            object["properties"] = .object(properties.mapValues(plain))
        }
        if isNullable(object["additionalProperties"]) { object["required"] = nil }
        for key in ["items", "additionalProperties"] {
            if let inner = object[key], inner.object != nil { object[key] = plain(inner) }
        }
        return .object(object)
    }

    private static func isNullable(_ schema: JSONValue?) -> Bool { schema?["nullable"]?.bool == true }
}
