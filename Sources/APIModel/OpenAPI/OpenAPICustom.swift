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
        if !selectable.isEmpty, dialect == .v3 {
            out["x-kubernetes-selectable-fields"] = .array(selectable.map { ["fieldPath": .string($0.label)] })
        }
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
        if dialect == .v3, object["x-kubernetes-int-or-string"]?.bool == true, object["anyOf"] == nil, object["allOf"] == nil {
            object["anyOf"] = [["type": "integer"], ["type": "string"]]
        }
        // A client of v2 that knew some of the fields would refuse all others.
        let isOpen = dialect == .v2 && object["x-kubernetes-preserve-unknown-fields"]?.bool == true
        guard object["x-kubernetes-embedded-resource"]?.bool == true, !isOpen else { return .object(object) }
        addIdentity(&object)
        var required = object["required"]?.array ?? []
        for name in ["kind", "apiVersion"] where !required.contains(.string(name)) { required.append(.string(name)) }
        object["required"] = .array(required)
        return .object(object)
    }

    private static let unknownToV2 = ["allOf", "anyOf", "oneOf", "not", "default", "nullable"]
    private static let contents = ["type", "items", "properties", "additionalProperties", "required"]

    /// The schema without what OpenAPI v2 does not know; a value that can be null has any type there.
    private static func plain(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.object else { return schema }
        let isOpen =
            object["nullable"]?.bool == true || object["x-kubernetes-preserve-unknown-fields"]?.bool == true
            || object["x-kubernetes-int-or-string"]?.bool == true
        for key in unknownToV2 { object[key] = nil }
        if isOpen { for key in contents { object[key] = nil } }
        for key in ["items", "additionalProperties"] {
            if let inner = object[key], inner.object != nil { object[key] = plain(inner) }
        }
        if let properties = object["properties"]?.object {
            object["properties"] = .object(properties.mapValues(plain))
        }
        return .object(object)
    }
}
