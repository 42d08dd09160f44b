import Schema
import Values

/// Turns the schemas of a definition into a table of records, each distinct subtree once.
///
/// The schemas have been validated; what a structural schema cannot have is left out.
struct StructuralCompiler {
    private var places: [[UInt8]: UInt32] = [:]
    private var records: [[UInt8]] = []
    private var shapes: [UInt8] = []
    private var marks: [(hasDefaults: Bool, hasRules: Bool)] = []
    /// Whether unknown fields stay everywhere (`spec.preserveUnknownFields`).
    private let keepsEverything: Bool

    private static let documentation: Set<String> = ["description", "title", "example", "externalDocs", "id", "$schema", "$ref"]

    init(keepsEverything: Bool = false) { self.keepsEverything = keepsEverything }

    /// Adds the schema of a version. Returns where it is found in the table.
    mutating func addRoot(_ schema: JSONValue?) -> UInt32 {
        var schema = schema ?? ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
        schema[StructuralTable.Mark.isRoot] = 1
        return add(schema)
    }

    /// Adds a schema that is not that of a whole object.
    mutating func add(_ schema: JSONValue) -> UInt32 {
        var record = JSONObject()
        var hasDefaults = schema["default"] != nil
        var hasRules = schema["x-kubernetes-validations"]?.array?.isEmpty == false
        for (key, value) in schema.object ?? [:] where !Self.documentation.contains(key) {
            switch key {
            case "properties":
                var properties = JSONObject()
                for (name, property) in value.object ?? [:] {
                    properties[name] = reference(property, &hasDefaults, &hasRules)
                }
                if !properties.isEmpty { record[key] = .object(properties) }
            case "items", "additionalProperties":
                record[key] = value.object == nil ? value : reference(value, &hasDefaults, &hasRules)
            case "not":
                record[key] = .integer(Int64(add(value)))
            case "allOf", "anyOf", "oneOf":
                var references: [JSONValue] = []
                for item in value.array ?? [] { references.append(.integer(Int64(add(item)))) }
                record[key] = .array(references)
            default: record[key] = value
            }
        }
        if hasDefaults { record[StructuralTable.Mark.hasDefaults] = 1 }
        if hasRules { record[StructuralTable.Mark.hasRules] = 1 }
        if keepsEverything { record[StructuralTable.Mark.preserves] = 1 }
        return intern(record, hasDefaults, hasRules)
    }

    private mutating func reference(_ schema: JSONValue, _ hasDefaults: inout Bool, _ hasRules: inout Bool) -> JSONValue {
        let index = add(schema)
        hasDefaults = hasDefaults || marks[Int(index)].hasDefaults
        hasRules = hasRules || marks[Int(index)].hasRules
        return .integer(Int64(index))
    }

    private mutating func intern(_ record: JSONObject, _ hasDefaults: Bool, _ hasRules: Bool) -> UInt32 {
        let bytes = JSONValue.object(record).encoded()
        if let known = places[bytes] { return known }
        let index = UInt32(records.count)
        places[bytes] = index
        records.append(bytes)
        shapes.append(Self.shape(record).rawValue)
        marks.append((hasDefaults, hasRules))
        return index
    }

    private static func shape(_ record: JSONObject) -> SchemaNode.Shape {
        if record["x-kubernetes-int-or-string"]?.bool == true { return .intOrString }
        switch record["type"]?.string {
        case "object":
            let hasMembers = record["properties"] != nil || record[StructuralTable.Mark.isRoot] != nil
            let isMap = record["additionalProperties"].map { $0 != false } ?? false
            return isMap && !hasMembers ? .map : .object
        case "array": return .list
        case "string": return .string
        case "boolean": return .boolean
        case "integer": return .integer
        case "number": return .number
        default: return .any
        }
    }

    /// The table of everything added.
    func table() -> StructuralTable { StructuralTable(records, shapes: shapes) }
}
