/// One JSON value. Objects are always in canonical order, so equal values have equal encodings.
///
/// A value: copies share their storage, and no method blocks or does I/O.
public enum JSONValue: Sendable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number; always finite.
    case number(Double)
    /// A string of Unicode scalars.
    case string(String)
    /// An ordered list.
    case array([JSONValue])
    /// A set of members, sorted by key.
    case object(JSONObject)
}

extension JSONValue: Hashable {
    /// Equality is by bytes: strings that only look alike (Unicode equivalence) differ, as they do for Go.
    public static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.integer(let x), .integer(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): x.hasSameBytes(as: y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let v): hasher.combine(v)
        case .integer(let v): hasher.combine(v)
        case .number(let v): hasher.combine(v)
        case .string(let v): hasher.combine(v)
        case .array(let v): hasher.combine(v)
        case .object(let v): hasher.combine(v)
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The compact canonical encoding as text.
    public var description: String { String(decoding: encoded(), as: UTF8.self) }
}

// Not by a nil literal: `found ? value : nil` would then mean `null` where an absent value is meant.
extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; of equal keys the last wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.isEmpty ? JSONObject() : JSONObject(elements))
    }
}

extension JSONValue {
    /// A list of strings.
    public init(_ strings: [String]) { self = .array(strings.map { .string($0) }) }
    /// An object whose values are strings.
    public init(_ strings: [String: String]) { self = .object(JSONObject(strings.map { ($0.key, .string($0.value)) })) }
    /// An integer.
    public init(_ value: Int) { self = .integer(Int64(value)) }
}
