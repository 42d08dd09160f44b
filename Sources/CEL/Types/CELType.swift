/// The type of an expression, as the checker sees it.
public indirect enum CELType: Sendable, Hashable {
    /// Anything; checked when evaluated.
    case dyn
    /// What an expression with an error has; assignable to everything, so that one mistake is reported once.
    case error
    /// The type of `null`.
    case null
    /// True or false.
    case bool
    /// A signed integer of 64 bits.
    case int
    /// An unsigned integer of 64 bits.
    case uint
    /// A floating-point number of 64 bits.
    case double
    /// Text.
    case string
    /// Bytes.
    case bytes
    /// A moment.
    case timestamp
    /// A span of time.
    case duration
    /// A list of one type of element.
    case list(CELType)
    /// A map of one type of key and one of value.
    case map(CELType, CELType)
    /// The type of a type.
    case type(CELType?)
    /// A type without fields that parameters may complete, such as `optional_type(int)` or `net.IP`.
    case opaque(String, [CELType])
    /// A library's type that counts as a message, such as `kubernetes.Quantity`.
    case named(String)
    /// An object whose fields a schema tells.
    case object(CELDeclType)
    /// A type yet to be found.
    case parameter(String)
}

extension CELType {
    static let optionalName = "optional_type"

    /// The type of an optional value.
    public static func optional(_ wrapped: CELType) -> CELType { .opaque(optionalName, [wrapped]) }

    /// What an optional type holds; nil for other types.
    public var wrapped: CELType? {
        if case .opaque(Self.optionalName, let parameters) = self { parameters.first } else { nil }
    }

    var isDyn: Bool { if case .dyn = self { true } else { false } }
    var isError: Bool { if case .error = self { true } else { false } }
    var isDynOrError: Bool { isDyn || isError }

    /// The types this one is made of.
    var parameters: [CELType] {
        switch self {
        case .list(let element): [element]
        case .map(let key, let value): [key, value]
        case .type(let inner): inner.map { [$0] } ?? []
        case .opaque(_, let parameters): parameters
        default: []
        }
    }

    /// Whether values of the type have a size that is always one.
    var isScalar: Bool {
        switch self {
        case .bool, .double, .duration, .int, .timestamp, .uint: true
        case .opaque(Self.optionalName, let parameters): parameters.first?.isScalar ?? false
        default: false
        }
    }

    /// Whether `null` may stand for a value of the type.
    var isNullable: Bool {
        switch self {
        case .opaque, .named, .object, .duration, .timestamp, .null: true
        default: false
        }
    }

    /// How many types this one is made of, counted up to `limit`: shared parts can make a small type endless to walk.
    func weight(upTo limit: Int) -> Int {
        var total = 1
        for parameter in parameters {
            guard total < limit else { return limit }
            total += parameter.weight(upTo: limit - total)
        }
        return min(total, limit)
    }
}

extension CELType: CustomStringConvertible {
    /// The name of the type without its parameters, as `type(x)` shows it.
    public var name: String {
        switch self {
        case .dyn: "dyn"
        case .error: "!error!"
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .type: "type"
        case .opaque(let name, _), .named(let name), .parameter(let name): name
        case .object(let declared): declared.name
        }
    }

    /// The type as error messages write it.
    public var description: String {
        switch self {
        case .null: return "null"
        case .timestamp: return "timestamp"
        case .duration: return "duration"
        default: break
        }
        let inner = parameters
        guard !inner.isEmpty else { return name }
        return "\(name)(\(inner.map(\.description).joined(separator: ", ")))"
    }
}
