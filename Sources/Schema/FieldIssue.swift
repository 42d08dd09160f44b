import Units
import Values

/// One thing that is wrong with one field, worded as upstream's `field.Error`.
public struct FieldIssue: Hashable, Sendable, CustomStringConvertible {
    /// The kinds of issues; the raw value is the cause's reason on the wire.
    public enum Kind: String, Sendable, Hashable {
        /// A reference to something that does not exist.
        case notFound = "FieldValueNotFound"
        /// A value that must be given.
        case required = "FieldValueRequired"
        /// A value that occurs twice.
        case duplicate = "FieldValueDuplicate"
        /// A malformed value.
        case invalid = "FieldValueInvalid"
        /// A value that is not one of those allowed.
        case notSupported = "FieldValueNotSupported"
        /// A value that is well-formed but not allowed here.
        case forbidden = "FieldValueForbidden"
        /// A value that is too long.
        case tooLong = "FieldValueTooLong"
        /// A value that is too short.
        case tooShort = "FieldValueTooShort"
        /// Too many elements.
        case tooMany = "FieldValueTooMany"
        /// Too few elements.
        case tooFew = "FieldValueTooFew"
        /// A check that could not be done.
        case internalError = "InternalError"
        /// A value of the wrong type.
        case typeInvalid = "FieldValueTypeInvalid"

        fileprivate var words: String {
            switch self {
            case .notFound: "Not found"
            case .required: "Required value"
            case .duplicate: "Duplicate value"
            case .invalid, .typeInvalid: "Invalid value"
            case .notSupported: "Unsupported value"
            case .forbidden: "Forbidden"
            case .tooLong: "Too long"
            case .tooShort: "Too short"
            case .tooMany: "Too many"
            case .tooFew: "Too few"
            case .internalError: "Internal error"
            }
        }

        fileprivate var showsValue: Bool {
            switch self {
            case .required, .forbidden, .tooLong, .tooShort, .internalError: false
            default: true
            }
        }
    }

    /// What is wrong.
    public var kind: Kind
    /// Where.
    public var path: FieldPath
    /// The value found there; nil leaves it out of the message.
    public var badValue: JSONValue?
    /// The value in the form to show, where that is not its JSON; counts only when there is no `badValue`.
    public var shownValue: String?
    /// More words; may be empty.
    public var detail: String

    /// Describes an issue; the factories know upstream's words.
    public init(kind: Kind, path: FieldPath, badValue: JSONValue? = nil, shownValue: String? = nil, detail: String = "") {
        self.kind = kind
        self.path = path
        self.badValue = badValue
        self.shownValue = shownValue
        self.detail = detail
    }

    /// The message without the path: what a cause in a `Status` says.
    public var body: String {
        var text = kind.words
        if kind.showsValue, let badValue {
            if case .string(let string) = badValue {
                text += ": \(GoQuote.quote(string))"
            } else if case .number(let number) = badValue {
                text += ": \(GoNumber.general(number))"
            } else {
                text += ": \(String(decoding: badValue.encoded(), as: UTF8.self))"
            }
        } else if kind.showsValue, let shownValue {
            text += ": \(shownValue)"
        }
        if !detail.isEmpty { text += ": \(detail)" }
        return text
    }

    /// The whole message: the path and what is wrong there.
    public var message: String { "\(path.description): \(body)" }

    /// The whole message.
    public var description: String { message }

    /// Several issues in one text, without repetitions: one plainly, more in brackets.
    public static func aggregate(_ issues: [FieldIssue]) -> String {
        var seen: Set<String> = []
        let messages = issues.map(\.message).filter { seen.insert($0).inserted }
        return messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
    }
}

extension FieldIssue {
    /// The value must be given.
    public static func required(_ path: FieldPath, _ detail: String = "") -> FieldIssue {
        FieldIssue(kind: .required, path: path, detail: detail)
    }

    /// The value is malformed.
    public static func invalid(_ path: FieldPath, _ value: JSONValue?, _ detail: String) -> FieldIssue {
        FieldIssue(kind: .invalid, path: path, badValue: value ?? .null, detail: detail)
    }

    /// The value has the wrong type.
    public static func typeInvalid(_ path: FieldPath, _ value: JSONValue?, _ detail: String) -> FieldIssue {
        FieldIssue(kind: .typeInvalid, path: path, badValue: value ?? .null, detail: detail)
    }

    /// The value is not one of those allowed.
    public static func notSupported(_ path: FieldPath, _ value: JSONValue, _ allowed: [String]) -> FieldIssue {
        let quoted = allowed.map { GoQuote.quote($0) }.joined(separator: ", ")
        let detail = allowed.isEmpty ? "" : "supported values: \(quoted)"
        return FieldIssue(kind: .notSupported, path: path, badValue: value, detail: detail)
    }

    /// The value occurs twice.
    public static func duplicate(_ path: FieldPath, _ value: JSONValue) -> FieldIssue {
        FieldIssue(kind: .duplicate, path: path, badValue: value)
    }

    /// The value is well-formed but not allowed here.
    public static func forbidden(_ path: FieldPath, _ detail: String) -> FieldIssue {
        FieldIssue(kind: .forbidden, path: path, detail: detail)
    }

    /// The value names something that does not exist.
    public static func notFound(_ path: FieldPath, _ value: JSONValue) -> FieldIssue {
        FieldIssue(kind: .notFound, path: path, badValue: value)
    }

    /// The value has more bytes (or `unit`) than allowed.
    public static func tooLong(_ path: FieldPath, maximum: Int, unit: String = "byte") -> FieldIssue {
        let detail =
            maximum < 0 ? "value is too long" : "may not be more than \(maximum) \(unit)\(maximum == 1 ? "" : "s")"
        return FieldIssue(kind: .tooLong, path: path, detail: detail)
    }

    /// There are more elements than allowed.
    public static func tooMany(_ path: FieldPath, actual: Int, maximum: Int) -> FieldIssue {
        let detail =
            maximum < 0 ? "has too many items" : "must have at most \(maximum) item\(maximum == 1 ? "" : "s")"
        let value: JSONValue? = actual < 0 ? nil : .integer(Int64(actual))
        return FieldIssue(kind: .tooMany, path: path, badValue: value, detail: detail)
    }

    /// There are fewer elements than needed.
    public static func tooFew(_ path: FieldPath, actual: Int, minimum: Int) -> FieldIssue {
        let detail =
            minimum < 0 ? "has too few items" : "must have at least \(minimum) item\(minimum == 1 ? "" : "s")"
        let value: JSONValue? = actual < 0 ? nil : .integer(Int64(actual))
        return FieldIssue(kind: .tooFew, path: path, badValue: value, detail: detail)
    }

    /// A check could not be done.
    public static func internalError(_ path: FieldPath, _ detail: String) -> FieldIssue {
        FieldIssue(kind: .internalError, path: path, detail: detail)
    }
}
