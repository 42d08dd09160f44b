import Units
import Values

/// An object to be shown in a table, and when.
package struct TableRow {
    package let object: JSONValue
    package let now: Timestamp

    /// Shows `object` as of `now`.
    package init(object: JSONValue, now: Timestamp) {
        self.object = object
        self.now = now
    }

    package var spec: JSONValue { object["spec"] ?? [:] }
    package var status: JSONValue { object["status"] ?? [:] }
    package var name: JSONValue { Cells.name(object) }
    package var age: JSONValue { Cells.age(object, now: now) }

    /// The number of elements of a list, of the object itself.
    package func count(_ field: String) -> JSONValue { .integer(Int64(object.list(field).count)) }

    /// The status of a condition; nil when there is none of the type.
    package func condition(_ type: String) -> JSONValue? { status.list("conditions").first { $0.text("type") == type } }

    /// A text, or what stands for its absence.
    package func text(_ value: JSONValue?, _ none: String = "") -> JSONValue {
        guard let text = value?.string, !text.isEmpty else { return .string(none) }
        return .string(text)
    }
}
