import Units
import Values

/// An object to be shown in a table, and when.
struct TableRow {
    let object: JSONValue
    let now: Timestamp

    var spec: JSONValue { object["spec"] ?? [:] }
    var status: JSONValue { object["status"] ?? [:] }
    var name: JSONValue { Cells.name(object) }
    var age: JSONValue { Cells.age(object, now: now) }

    /// The number of elements of a list, of the object itself.
    func count(_ field: String) -> JSONValue { .integer(Int64(object.list(field).count)) }

    /// The status of a condition; nil when there is none of the type.
    func condition(_ type: String) -> JSONValue? { status.list("conditions").first { $0.text("type") == type } }

    /// A text, or what stands for its absence.
    func text(_ value: JSONValue?, _ none: String = "") -> JSONValue {
        guard let text = value?.string, !text.isEmpty else { return .string(none) }
        return .string(text)
    }
}
