import APIModel
import Units
import Values

/// The cells of a table row of a custom resource.
///
/// Source: apiextensions-apiserver registry/customresource/tableconvertor.
struct PrinterColumns: Sendable {
    private let columns: [(type: String, path: JSONPath)]
    /// The headings, the name first.
    let definitions: [ColumnDefinition]

    /// The default of a version without columns of its own.
    static let age: JSONValue = [
        "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp",
        "description": .string(
            "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed "
                + "to be set in happens-before order across separate operations. Clients may not set this value. It is "
                + "represented in RFC3339 form and is in UTC."
        ),
    ]

    init(_ columns: [JSONValue]) {
        var parsed: [(type: String, path: JSONPath)] = []
        var definitions = [
            ColumnDefinition(
                name: "Name",
                type: "string",
                format: "name",
                description: "Name must be unique within a namespace."
            )
        ]
        for column in columns.isEmpty ? [Self.age] : columns {
            let text = column["jsonPath"]?.string ?? ""
            guard let path = try? JSONPath(text) else { break }
            let type = column["type"]?.string ?? "string"
            let description = column["description"]?.string ?? ""
            parsed.append((type, path))
            definitions.append(
                ColumnDefinition(
                    name: column["name"]?.string ?? "",
                    type: type,
                    format: column["format"]?.string ?? "",
                    description: description.isEmpty
                        ? "Custom resource definition column (in JSONPath format): \(text)" : description,
                    priority: Int(column["priority"]?.int ?? 0),
                    jsonPath: text
                )
            )
        }
        self.columns = parsed
        self.definitions = definitions
    }

    /// The cells of one object.
    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue] {
        var cells: [JSONValue] = [object.value(at: ["metadata", "name"]) ?? ""]
        for column in columns {
            let value = column.path.first(in: object) ?? .null
            cells.append(Self.cell(value, column.type, now))
        }
        return cells
    }

    private static func cell(_ value: JSONValue, _ type: String, _ now: Timestamp) -> JSONValue {
        if case .null = value { return .null }
        switch type {
        case "string": return .string(printed(value))
        case "integer":
            switch value {
            case .integer: return value
            case .number(let number): return Int64(exactly: number.rounded(.towardZero)).map { .integer($0) } ?? .null
            default: return .null
            }
        case "number": return value.double.map { .number($0) } ?? .null
        case "boolean": return value.bool.map { .bool($0) } ?? .null
        case "date":
            guard let text = value.string else { return .null }
            guard let time = Timestamp(text) else { return "<invalid>" }
            return .string(humanDuration(now - time))
        default: return .null
        }
    }

    private static func printed(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .number(let number): GoNumber.general(number)
        default: value.description
        }
    }
}
