import Schema
import Units
import Values

/// The value of an expression. Lists and maps from JSON are looked into only where an expression looks.
public enum CELValue: Sendable {
    /// `null`.
    case null
    /// True or false.
    case bool(Bool)
    /// A signed integer.
    case int(Int64)
    /// An unsigned integer.
    case uint(UInt64)
    /// A floating-point number.
    case double(Double)
    /// Text.
    case string(String)
    /// Bytes.
    case bytes([UInt8])
    /// A moment between the years 1 and 9999.
    case timestamp(Timestamp)
    /// A span in nanoseconds.
    case duration(Int64)
    /// A list.
    case list(CELList)
    /// A map or an object.
    case map(CELMap)
    /// A type.
    case type(CELType)
    /// A value that may be absent.
    case optional(CELOptional)
    /// A value of a library.
    case object(any CELObject)
}

/// A value that may be absent.
public final class CELOptional: Sendable {
    /// The value, if there is one.
    public let value: CELValue?
    /// Wraps a value.
    public init(_ value: CELValue?) { self.value = value }
    static let none = CELOptional(nil)
}

/// A value of a library's own type.
public protocol CELObject: Sendable {
    /// Its type.
    var type: CELType { get }
    /// Whether `==` holds.
    func isEqual(to other: any CELObject) -> Bool
    /// Its size for costs, where it has one.
    var size: UInt64? { get }
    /// Whether `==` is refused, as upstream refuses it for what asks an authorizer.
    var isIncomparable: Bool { get }
}

extension CELObject {
    /// Most have none.
    public var size: UInt64? { nil }
    /// Most can be compared.
    public var isIncomparable: Bool { false }
}

/// Members that are computed when asked for, such as the variables of an admission policy.
public protocol CELFields: Sendable {
    /// The names of all members, for iteration.
    var names: [String] { get }
    /// The member `name`; nil when there is none.
    func field(_ name: String) -> Result<CELValue, CELError>?
}

extension CELValue {
    /// The value as JSON has it, seen through `schema`: formats become times, bytes and durations; lists keep their
    /// merge semantics. Without a schema every value is what it looks like.
    public init(_ json: JSONValue, schema: SchemaNode? = nil) throws(CELError) {
        guard let schema else {
            self = Self.untyped(json)
            return
        }
        self = try Self.typed(json, schema)
    }

    static func untyped(_ json: JSONValue) -> CELValue {
        switch json {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .int(value)
        case .number(let value): .double(value)
        case .string(let value): .string(value)
        case .array(let elements): .list(CELList(json: elements, schema: nil))
        case .object(let members): .map(CELMap(json: members, schema: nil))
        }
    }

    private static func typed(_ json: JSONValue, _ schema: SchemaNode) throws(CELError) -> CELValue {
        if case .null = json {
            // A built-in type's null is Go's nil: absent.
            if schema.nullable || schema.body.isBuiltin { return .null }
            if schema.shape != .any { throw CELError("invalid data, got null for schema with nullable=false") }
        }
        switch (schema.shape, json) {
        case (.string, .string(let text)): return try formatted(text, schema.body.format)
        case (.bytes, .string(let text)): return try formatted(text, "byte")
        case (.time, .string(let text)), (.microTime, .string(let text)): return try formatted(text, "date-time")
        case (.integer, .integer(let value)): return .int(value)
        case (.number, .integer(let value)): return .double(Double(value))
        case (.number, .number(let value)): return .double(value)
        case (.integer, .number(let value)):
            // Upstream tells a custom resource's 2.0 from 2 until it is stored.
            guard schema.body.isBuiltin, let whole = Int64(exactly: value) else { break }
            return .int(whole)
        case (.boolean, .bool(let value)): return .bool(value)
        case (.list, .array(let elements)): return .list(CELList(json: elements, schema: schema))
        case (.object, .object(let members)), (.anyObject, .object(let members)), (.map, .object(let members)):
            return .map(CELMap(json: members, schema: schema))
        case (.intOrString, .integer), (.intOrString, .string): return untyped(json)
        case (.any, _), (.quantity, _), (.duration, _), (.schemaOrBool, _), (.schemaOrList, _), (.schemaOrStrings, _):
            return untyped(json)
        default: break
        }
        throw CELError(mismatch(json, schema))
    }

    private static func mismatch(_ json: JSONValue, _ schema: SchemaNode) -> String {
        switch schema.shape {
        case .intOrString: "invalid data, expected XIntOrString value to be either a string or integer"
        case .object, .anyObject, .map: "invalid data, expected a map for the provided schema with type=object"
        case .list: "invalid data, expected an array for the provided schema with type=array"
        case .string, .bytes, .time, .microTime: "invalid data, expected string, got \(goType(json))"
        case .number: "invalid data, expected float, got \(goType(json))"
        case .integer: "invalid data, expected int, got \(goType(json))"
        default: "invalid data, expected bool, got \(goType(json))"
        }
    }

    private static func goType(_ json: JSONValue) -> String {
        switch json {
        case .null: "<nil>"
        case .bool: "bool"
        case .integer: "int64"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    private static func formatted(_ text: String, _ format: String) throws(CELError) -> CELValue {
        switch format {
        case "duration":
            guard let span = GoDuration.parseLoose(text) else {
                throw CELError("Invalid duration \(text): unable to parse \(text) as duration")
            }
            return .duration(span)
        case "date":
            guard let moment = CalendarTime.parseDate(text) else { throw CELError("Invalid date formatted string \(text)") }
            return .timestamp(moment)
        case "date-time":
            guard let moment = CalendarTime.parseRFC3339(text) else {
                throw CELError("Invalid date-time formatted string \(text)")
            }
            return .timestamp(moment)
        case "byte":
            guard let bytes = Base64.decode(text) else { throw CELError("Invalid byte formatted string \(text)") }
            return .bytes(bytes)
        default: return .string(text)
        }
    }

    /// The value's type, as far as it is known without looking inside.
    public var type: CELType {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        case .timestamp: .timestamp
        case .duration: .duration
        case .list: .list(.dyn)
        case .map: .map(.dyn, .dyn)
        case .type: .type(nil)
        case .optional: .optional(.dyn)
        case .object(let object): object.type
        }
    }

    /// The truth value, if this is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The text, if this is text.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The integer, if this is a signed one.
    public var int: Int64? { if case .int(let value) = self { value } else { nil } }
}
