import Values

/// A field that may hold a whole number or a text, such as a port or `25%`.
public enum IntOrString: Sendable, Hashable {
    /// A whole number.
    case int(Int64)
    /// A text: a name or a percentage.
    case string(String)

    /// Reads a number or a string; nil for any other value.
    public init?(json: JSONValue) {
        switch json {
        case .string(let text): self = .string(text)
        default:
            guard let number = json.int else { return nil }
            self = .int(number)
        }
    }

    /// A text that is a whole number becomes one.
    public init(parsing text: String) {
        self = Int64(text).map { .int($0) } ?? .string(text)
    }

    /// The value as JSON.
    public var json: JSONValue {
        switch self {
        case .int(let number): .integer(number)
        case .string(let text): .string(text)
        }
    }

    /// The number, or the number that the text spells, or 0.
    public var intValue: Int64 {
        switch self {
        case .int(let number): number
        case .string(let text): Int64(text) ?? 0
        }
    }

    /// The number itself, or that percentage of `total`; nil for a text that is no percentage.
    public func scaledValue(total: Int64, roundUp: Bool) -> Int64? {
        switch self {
        case .int(let number): return number
        case .string(let text):
            guard text.hasSuffix("%"), let percent = Int64(text.dropLast()) else { return nil }
            let exact = Double(percent) * Double(total) / 100
            return Int64(exactly: exact.rounded(roundUp ? .up : .down))
        }
    }

    /// As the 64-bit variant, for machine integers.
    public func scaledValue(total: Int, roundUp: Bool) -> Int? {
        scaledValue(total: Int64(total), roundUp: roundUp).map { Int($0) }
    }
}

extension IntOrString: CustomStringConvertible, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    /// The number or the text.
    public var description: String {
        switch self {
        case .int(let number): "\(number)"
        case .string(let text): text
        }
    }
    /// A number.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
}
