import Schema
import Values

extension APIError {
    /// The object does not exist.
    public static func notFound(_ resource: GroupResource, _ name: String) -> APIError {
        about(resource, name, 404, APIReason.notFound, "\(resource) \(GoQuote.quote(name)) not found")
    }

    /// No such resource: what a request to an unknown path below `/api` or `/apis` is answered.
    public static func resourceNotFound() -> APIError {
        APIError(
            code: 404,
            reason: APIReason.notFound,
            message: "the server could not find the requested resource",
            details: Details()
        )
    }

    /// An object of this name exists.
    public static func alreadyExists(_ resource: GroupResource, _ name: String) -> APIError {
        about(resource, name, 409, APIReason.alreadyExists, "\(resource) \(GoQuote.quote(name)) already exists")
    }

    /// No free name was found for a `generateName`.
    public static func generateNameConflict(
        _ resource: GroupResource,
        _ name: String,
        retryAfterSeconds: Int = 1
    ) -> APIError {
        let words = "already exists, the server was not able to generate a unique name for the object"
        var error = about(resource, name, 409, APIReason.alreadyExists, "\(resource) \(GoQuote.quote(name)) \(words)")
        error.details?.retryAfterSeconds = retryAfterSeconds
        return error
    }

    /// The caller is not known.
    public static func unauthorized(_ message: String = "Unauthorized") -> APIError {
        let text = message.isEmpty ? "not authorized" : message
        return APIError(code: 401, reason: APIReason.unauthorized, message: text)
    }

    /// The caller, or an admission step, forbids this. `name` may be empty.
    public static func forbidden(_ resource: GroupResource, _ name: String, _ why: String) -> APIError {
        let message: String
        if resource.isEmpty {
            message = "forbidden: \(why)"
        } else if name.isEmpty {
            message = "\(resource) is forbidden: \(why)"
        } else {
            message = "\(resource) \(GoQuote.quote(name)) is forbidden: \(why)"
        }
        return about(resource, name, 403, APIReason.forbidden, message)
    }

    /// The write lost against another one.
    public static func conflict(_ resource: GroupResource, _ name: String, _ why: String) -> APIError {
        let message = "Operation cannot be fulfilled on \(resource) \(GoQuote.quote(name)): \(why)"
        return about(resource, name, 409, APIReason.conflict, message)
    }

    /// The write was based on an old `resourceVersion`: the conflict every client knows.
    public static func modified(_ resource: GroupResource, _ name: String) -> APIError {
        let words = "the object has been modified; please apply your changes to the latest version and try again"
        return conflict(resource, name, words)
    }

    /// Server-side apply found fields that others own.
    public static func applyConflict(_ causes: [Cause], _ message: String) -> APIError {
        APIError(code: 409, reason: APIReason.conflict, message: message, details: Details(causes: causes))
    }

    /// The thing is gone for good.
    public static func gone(_ message: String) -> APIError {
        APIError(code: 410, reason: APIReason.gone, message: message)
    }

    /// The resource version is too old to be served.
    public static func expired(_ message: String) -> APIError {
        APIError(code: 410, reason: APIReason.expired, message: message)
    }

    /// The resource version asked for lies in the future.
    public static func tooLargeResourceVersion(asked: UInt64, current: UInt64, retryAfterSeconds: Int = 1) -> APIError {
        let cause = Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")
        return APIError(
            code: 504,
            reason: APIReason.timeout,
            message: "Timeout: Too large resource version: \(asked), current: \(current)",
            details: Details(causes: [cause], retryAfterSeconds: retryAfterSeconds)
        )
    }

    /// Validation refused the object.
    public static func invalid(_ kind: GroupKind, _ name: String, _ issues: [FieldIssue]) -> APIError {
        let causes = issues.map { Cause(reason: $0.kind.rawValue, message: $0.body, field: $0.path.description) }
        var message = "\(kind) \(GoQuote.quote(name)) is invalid"
        if !issues.isEmpty { message += ": \(FieldIssue.aggregate(issues))" }
        let details = Details(name: name, group: kind.group, kind: kind.kind, causes: causes)
        return APIError(code: 422, reason: APIReason.invalid, message: message, details: details)
    }

    /// The request itself is malformed.
    public static func badRequest(_ message: String) -> APIError {
        APIError(code: 400, reason: APIReason.badRequest, message: message)
    }

    /// A body that does not decode into the kind it names.
    public static func cannotHandle(_ gvk: GroupVersionKind, _ why: String) -> APIError {
        let version = GoQuote.quote(gvk.version)
        return badRequest("\(gvk.kind) in version \(version) cannot be handled as a \(gvk.kind): \(why)")
    }

    /// Too many requests.
    public static func tooManyRequests(_ message: String, retryAfterSeconds: Int = 1) -> APIError {
        APIError(
            code: 429,
            reason: APIReason.tooManyRequests,
            message: message,
            details: Details(retryAfterSeconds: retryAfterSeconds)
        )
    }

    /// The server cannot answer now.
    public static func serviceUnavailable(_ message: String) -> APIError {
        APIError(code: 503, reason: APIReason.serviceUnavailable, message: message)
    }

    /// The resource does not support the verb.
    public static func methodNotAllowed(_ resource: GroupResource, _ action: String) -> APIError {
        let message = "\(action) is not supported on resources of kind \(GoQuote.quote(resource.description))"
        return about(resource, "", 405, APIReason.methodNotAllowed, message)
    }

    /// What upstream answers to a method that no route of a known path has.
    public static func methodNotAllowed() -> APIError {
        APIError(
            code: 405,
            reason: APIReason.methodNotAllowed,
            message: "the server does not allow this method on the requested resource",
            details: Details()
        )
    }

    /// No response format is acceptable to both sides.
    public static func notAcceptable(accepted: [String]) -> APIError {
        let list = accepted.joined(separator: ", ")
        return APIError(
            code: 406,
            reason: APIReason.notAcceptable,
            message: "only the following media types are accepted: \(list)"
        )
    }

    /// The body's media type is not understood.
    public static func unsupportedMediaType(accepted: [String]) -> APIError {
        let list = accepted.joined(separator: ", ")
        return APIError(
            code: 415,
            reason: APIReason.unsupportedMediaType,
            message: "the body of the request was in an unknown format - accepted media types include: \(list)"
        )
    }

    /// The server could not finish in time; the client should try again.
    public static func serverTimeout(
        _ resource: GroupResource,
        _ operation: String,
        retryAfterSeconds: Int = 0
    ) -> APIError {
        let words = "could not be completed at this time, please try again."
        let message = "The \(operation) operation against \(resource) \(words)"
        var error = about(resource, operation, 500, APIReason.serverTimeout, message)
        error.details?.retryAfterSeconds = retryAfterSeconds
        return error
    }

    /// The request's own time ran out.
    public static func timeout(_ message: String, retryAfterSeconds: Int = 0) -> APIError {
        APIError(
            code: 504,
            reason: APIReason.timeout,
            message: "Timeout: \(message)",
            details: Details(retryAfterSeconds: retryAfterSeconds)
        )
    }

    /// The server failed.
    public static func internalError(_ message: String) -> APIError {
        APIError(
            code: 500,
            reason: APIReason.internalError,
            message: "Internal error occurred: \(message)",
            details: Details(causes: [Cause(message: message)])
        )
    }

    /// The body is too large.
    public static func requestEntityTooLarge(_ message: String) -> APIError {
        APIError(
            code: 413,
            reason: APIReason.requestEntityTooLarge,
            message: "Request entity too large: \(message)"
        )
    }

    private static func about(
        _ resource: GroupResource,
        _ name: String,
        _ code: Int,
        _ reason: String,
        _ message: String
    ) -> APIError {
        let details = Details(name: name, group: resource.group, kind: resource.resource)
        return APIError(code: code, reason: reason, message: message, details: details)
    }
}
