import Schema
import Values

/// The one error that crosses HTTP: a failed `metav1.Status`.
public struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One of the causes of a refusal; for validation, one per field.
    public struct Cause: Hashable, Sendable {
        /// The machine-readable cause, such as `FieldValueInvalid`; may be empty.
        public var reason: String
        /// What is wrong, without the field.
        public var message: String
        /// The path of the field, in JSON names; may be empty.
        public var field: String

        /// Names a cause.
        public init(reason: String = "", message: String, field: String = "") {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// What a refusal is about. Empty strings and a zero delay are left out on the wire.
    public struct Details: Hashable, Sendable {
        /// The object's name.
        public var name: String
        /// The API group.
        public var group: String
        /// The resource (or, for validation, the kind) the request was about.
        public var kind: String
        /// The object's uid.
        public var uid: String
        /// The causes, in the order they were found.
        public var causes: [Cause]
        /// How long a client should wait before it tries again; zero when it should not wait.
        public var retryAfterSeconds: Int

        /// Describes what a refusal is about.
        public init(
            name: String = "",
            group: String = "",
            kind: String = "",
            uid: String = "",
            causes: [Cause] = [],
            retryAfterSeconds: Int = 0
        ) {
            self.name = name
            self.group = group
            self.kind = kind
            self.uid = uid
            self.causes = causes
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    /// The HTTP status code.
    public var code: Int
    /// The machine-readable reason, such as `NotFound`; may be empty.
    public var reason: String
    /// What happened, for people.
    public var message: String
    /// What it is about; absent for errors without an object.
    public var details: Details?
    /// The token with which an expired list can be gone on with, though not of one state; usually empty.
    public var continueToken = ""

    /// Makes an error; the factories know upstream's words.
    public init(code: Int, reason: String, message: String, details: Details? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    /// The message.
    public var description: String { message }

    /// Adds a cause.
    public mutating func addCause(reason: String, message: String, field: String = "") {
        var details = details ?? Details()
        details.causes.append(Cause(reason: reason, message: message, field: field))
        self.details = details
    }

    /// How long a client should wait before it tries again, when the server said so.
    public var retryAfterSeconds: Int? {
        guard let seconds = details?.retryAfterSeconds, seconds > 0 else { return nil }
        return seconds
    }

    /// Whether the object, or the resource, does not exist.
    public var isNotFound: Bool { reason == APIReason.notFound || (reason.isEmpty && code == 404) }
    /// Whether an object of that name exists already.
    public var isAlreadyExists: Bool { reason == APIReason.alreadyExists }
    /// Whether a write lost against another one.
    public var isConflict: Bool { reason == APIReason.conflict }
    /// Whether a resource version is too old to continue from.
    public var isExpired: Bool { reason == APIReason.expired || reason == APIReason.gone || code == 410 }
    /// Whether validation refused the object.
    public var isInvalid: Bool { reason == APIReason.invalid }
    /// Whether the caller may not do this.
    public var isForbidden: Bool { reason == APIReason.forbidden }
}

/// The reasons a `metav1.Status` may carry.
public enum APIReason {
    /// The object already exists.
    public static let alreadyExists = "AlreadyExists"
    /// The request itself is malformed.
    public static let badRequest = "BadRequest"
    /// The write lost against another one.
    public static let conflict = "Conflict"
    /// The resource version is too old.
    public static let expired = "Expired"
    /// The caller may not do this.
    public static let forbidden = "Forbidden"
    /// The thing is gone for good.
    public static let gone = "Gone"
    /// The server failed.
    public static let internalError = "InternalError"
    /// Validation refused the object.
    public static let invalid = "Invalid"
    /// The resource does not support the verb.
    public static let methodNotAllowed = "MethodNotAllowed"
    /// No acceptable response format.
    public static let notAcceptable = "NotAcceptable"
    /// Not found.
    public static let notFound = "NotFound"
    /// The body is too large.
    public static let requestEntityTooLarge = "RequestEntityTooLarge"
    /// The server could not finish in time; try again.
    public static let serverTimeout = "ServerTimeout"
    /// The server cannot answer now.
    public static let serviceUnavailable = "ServiceUnavailable"
    /// The request's own time ran out.
    public static let timeout = "Timeout"
    /// Too many requests.
    public static let tooManyRequests = "TooManyRequests"
    /// The caller is not known.
    public static let unauthorized = "Unauthorized"
    /// The body's media type is not understood.
    public static let unsupportedMediaType = "UnsupportedMediaType"
}
