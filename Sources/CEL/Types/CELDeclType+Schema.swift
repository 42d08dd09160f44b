import Schema
import Values

/// From schemas to declared types, with upstream's guesses of size.
/// Source: apiserver/pkg/cel/common/schemas.go.
extension CELDeclType {
    /// How deep required fields are followed when the smallest value is measured; recursive schemas would not end.
    private static let deepestMeasure = 32

    /// What `schema` tells of the values in a place called `name`; nil when expressions cannot see them.
    /// Set `isResourceRoot` for whole objects and embedded ones: they have `apiVersion`, `kind` and `metadata` at least.
    public static func from(schema: SchemaNode, name: String, isResourceRoot: Bool = false) -> CELDeclType? {
        switch schema.shape {
        case .intOrString: intOrString(schema)
        case .list: listType(schema, name)
        case .map: mapType(schema, name)
        case .object, .anyObject: objectType(schema, name, isResourceRoot)
        case .string: stringType(schema)
        case .duration: .string
        case .bytes: byteType(schema)
        case .time, .microTime: .scalar(.timestamp, maxElements: 32, minSerializedSize: 21)
        case .boolean: .bool
        case .integer: .int
        case .number: .double
        // Upstream's type of quantities is one of two, and so none that expressions see.
        case .quantity: nil
        case .any, .schemaOrBool, .schemaOrList, .schemaOrStrings: nil
        }
    }

    private static func intOrString(_ schema: SchemaNode) -> CELDeclType {
        .scalar(.dyn, maxElements: bytes(of: schema) ?? UInt64(maxRequestBytes - 2))
    }

    /// Code points take up to four bytes.
    private static func bytes(of schema: SchemaNode) -> UInt64? {
        schema.body.limits?.maximumCount.map { UInt64(max($0, 0)) * 4 }
    }

    private static func byteType(_ schema: SchemaNode) -> CELDeclType {
        let limit = schema.body.limits?.maximumCount.map { UInt64(max($0, 0)) }
        return .scalar(.bytes, maxElements: limit ?? UInt64(maxRequestBytes - 2), minSerializedSize: 2)
    }

    private static func stringType(_ schema: SchemaNode) -> CELDeclType {
        switch schema.body.format {
        case "byte": return byteType(schema)
        case "duration": return .scalar(.duration, maxElements: 32, minSerializedSize: 3)
        case "date": return .scalar(.timestamp, maxElements: 12, minSerializedSize: 12)
        case "date-time": return .scalar(.timestamp, maxElements: 32, minSerializedSize: 21)
        default: break
        }
        let words = schema.body.enumValues.compactMap { $0.string?.utf8.count }
        let longest = schema.body.enumValues.isEmpty ? nil : UInt64(words.max() ?? 0)
        let most = bytes(of: schema) ?? longest ?? UInt64(maxRequestBytes - 2)
        return .scalar(.string, maxElements: most, minSerializedSize: 2)
    }

    private static func listType(_ schema: SchemaNode, _ name: String) -> CELDeclType? {
        guard let node = schema.element, let element = from(schema: node, name: "\(name).@idx") else { return nil }
        return .list(element, maxItems: schema.body.limits?.maximumCount.map { UInt64(max($0, 0)) })
    }

    private static func mapType(_ schema: SchemaNode, _ name: String) -> CELDeclType? {
        guard let node = schema.element, let element = from(schema: node, name: "\(name).@elem") else { return nil }
        return .map(element, maxProperties: schema.body.limits?.maximumCount.map { UInt64(max($0, 0)) })
    }

    private static func objectType(_ schema: SchemaNode, _ name: String, _ isRoot: Bool) -> CELDeclType {
        CELDeclType(name: name, minSerializedSize: minSize(schema, depth: 0)) {
            var fields: [String: CELDeclType] = [:]
            for field in schema.fields {
                guard let escaped = FieldEscape.escape(field.name) else { continue }
                let path = "\(name).\(escaped)"
                if let type = from(schema: field.node, name: path) { fields[escaped] = type }
            }
            if isRoot { addIdentity(&fields, name) }
            return fields
        }
    }

    private static func addIdentity(_ fields: inout [String: CELDeclType], _ name: String) {
        let names = ["name", "generateName"]
        let complete =
            fields["kind"]?.celType == .string && fields["apiVersion"]?.celType == .string
            && names.allSatisfy { fields["metadata"]?.fields[$0]?.celType == .string }
        guard !complete else { return }
        fields["kind"] = .string
        fields["apiVersion"] = .string
        fields["metadata"] = .object("\(name).metadata", ["name": .string, "generateName": .string])
    }

    /// Fewest bytes of a value: what is required and has no default must be written.
    private static func minSize(_ schema: SchemaNode, depth: Int) -> Int64 {
        guard depth < deepestMeasure else { return 2 }
        switch schema.shape {
        case .object, .anyObject: break
        case .list, .map, .bytes, .quantity: return 2
        case .time, .microTime: return 21
        case .boolean: return 4
        case .string: return stringType(schema).minSerializedSize
        default: return 1
        }
        let required = Set(schema.body.limits?.required ?? [])
        var size: Int64 = 2
        for field in schema.fields where required.contains(field.name) || field.traits.contains(.required) {
            guard field.rare?.defaultValue == nil, field.node.defaultValue == nil else { continue }
            size += Int64(field.name.utf8.count) + minSize(field.node, depth: depth + 1) + 4
        }
        return size
    }
}
