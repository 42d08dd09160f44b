/// Why an expression has no value.
public struct CELError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Kind: Sendable, Hashable {
        /// The expression itself failed: a missing key, an overflow, a division by zero. `||` and `&&` can absorb it.
        case evaluation
        /// The cost limit of one call was passed.
        case costLimit
        /// The deadline passed or the caller gave up.
        case interrupted
        /// A value grew beyond what one evaluation may hold.
        case resources
    }

    /// The kind of failure.
    public let kind: Kind
    /// The reason, worded as cel-go words it.
    public let message: String

    /// Describes a failure.
    public init(_ message: String, kind: Kind = .evaluation) {
        self.kind = kind
        self.message = message
    }

    /// Whether the whole evaluation ends here.
    var isFatal: Bool { kind != .evaluation }

    /// The message.
    public var description: String { message }

    static let noSuchOverload = CELError("no such overload")
    static let integerOverflow = CELError("integer overflow")
    static let unsignedOverflow = CELError("unsigned integer overflow")
    static let divisionByZero = CELError("division by zero")
    static let modulusByZero = CELError("modulus by zero")
    static let durationOverflow = CELError("duration overflow")
    static let timestampOverflow = CELError("timestamp overflow")
    static let costLimit = CELError("operation cancelled: actual cost limit exceeded", kind: .costLimit)
    static let interrupted = CELError("operation interrupted", kind: .interrupted)
    static let tooLarge = CELError("operation cancelled: value too large", kind: .resources)
    static let noRoom = CELError("operation cancelled: no thread with a stack large enough", kind: .resources)
    static let tooDeep = CELError("operation cancelled: values nested too deeply", kind: .resources)

    static func conversion(from: CELType, to: String) -> CELError {
        CELError("type conversion error from '\(from.name)' to '\(to)'")
    }
}
