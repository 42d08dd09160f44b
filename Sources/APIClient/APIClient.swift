import APIModel
import Channels
import HTTPTransport
import Units
import Values

/// A client of the Kubernetes API over any transport, typed and dynamic.
///
/// Throws `APIError` for what the server answers, `TransportError` when it cannot be reached and `CancellationError`.
public struct APIClient: Sendable {
    /// How the server is reached.
    public let transport: any APITransport
    /// What the server logs us as, and the default field manager.
    public let userAgent: String
    private let clock: any ClusterClock
    private let fixedHeaders: HeaderFields

    /// How often a request is sent again when the server asks for patience.
    private static let patientRetries = 10
    /// The longest pause a server may ask for.
    private static let longestPause = Duration.seconds(60)
    /// The largest response taken as a whole.
    static let responseLimit = 512 * 1024 * 1024

    /// A client. `headers` go with every request (such as `Authorization`).
    public init(
        transport: any APITransport,
        userAgent: String = "apus",
        headers: HeaderFields = HeaderFields(),
        clock: any ClusterClock = SystemClock()
    ) {
        self.transport = transport
        self.userAgent = userAgent
        self.clock = clock
        fixedHeaders = headers
    }

    /// Sends a request as it is and returns the response whatever its status; 429 and 503 with `Retry-After` wait.
    public func raw(_ request: HTTPRequest) async throws -> ClientResponse {
        var request = request
        if !request.headers.contains("user-agent") { request.headers.append("User-Agent", userAgent) }
        for field in fixedHeaders where !request.headers.contains(field.name) {
            request.headers.append(field.name, field.value)
        }
        var attempt = 0
        while true {
            let response = try await transport.send(request)
            guard attempt < Self.patientRetries, response.status == 429 || response.status >= 500,
                let seconds = response.headers["retry-after"].flatMap({ Int($0) })
            else { return response }
            response.body.cancel()
            attempt += 1
            try await clock.sleep(for: min(.seconds(max(seconds, 1)), Self.longestPause))
        }
    }

    /// Sends a request and decodes the answer; a status beyond 2xx is thrown as `APIError`.
    public func json(_ request: HTTPRequest) async throws -> JSONValue {
        let bytes = try await bytes(request)
        if bytes.isEmpty { return .null }
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw APIError.internalError("the server's answer to \(request.method) \(request.path) is no JSON: \(error.message)")
        }
    }

    /// Sends a request and returns the body of the answer; a status beyond 2xx is thrown as `APIError`.
    public func bytes(_ request: HTTPRequest) async throws -> [UInt8] {
        let response = try await raw(request)
        let bytes = try await response.body.collect(upTo: Self.responseLimit)
        guard response.isSuccess else { throw APIClient.error(status: response.status, body: bytes, request: request) }
        return bytes
    }

    /// The error a failed response means.
    public static func error(status: Int, body: [UInt8], request: HTTPRequest) -> APIError {
        if let json = try? JSONParser.parse(body), var error = APIError(status: json) {
            if error.code == 0 { error.code = status }
            return error
        }
        let text = String(decoding: body.prefix(1024), as: UTF8.self)
        let reason =
            switch status {
            case 400: APIReason.badRequest
            case 401: APIReason.unauthorized
            case 403: APIReason.forbidden
            case 404: APIReason.notFound
            case 409: APIReason.conflict
            case 410: APIReason.gone
            case 429: APIReason.tooManyRequests
            case 503: APIReason.serviceUnavailable
            case 504: APIReason.timeout
            default: status >= 500 ? APIReason.internalError : ""
            }
        return APIError(
            code: status,
            reason: reason,
            message: "the server answered \(request.method) \(request.path) with \(status): \(text)"
        )
    }

    /// Runs a read-modify-write again when somebody else was faster, as client-go's RetryOnConflict does.
    public func retryOnConflict<Result: Sendable>(
        attempts: Int = 5,
        _ body: () async throws -> Result
    ) async throws -> Result {
        var pause = Duration.milliseconds(10)
        for _ in 1..<max(attempts, 1) {
            do {
                return try await body()
            } catch let error as APIError where error.isConflict {
                try await clock.sleep(for: pause)
                pause = pause * 2
            }
        }
        return try await body()
    }
}

/// The kinds of patch.
public enum PatchType: String, Sendable, Hashable {
    /// RFC 6902.
    case json = "application/json-patch+json"
    /// RFC 7386.
    case merge = "application/merge-patch+json"
    /// Kubernetes' merge that knows list keys.
    case strategic = "application/strategic-merge-patch+json"
    /// Server-side apply.
    case apply = "application/apply-patch+yaml"
}

/// What a write may say besides the object.
public struct WriteOptions: Sendable, Hashable {
    /// Who owns the fields written; empty leaves it to the server.
    public var fieldManager: String
    /// Take fields over from other managers (apply).
    public var force: Bool
    /// Do everything but store.
    public var dryRun: Bool
    /// `Ignore`, `Warn`, `Strict` or empty.
    public var fieldValidation: String

    /// Options; without arguments, none.
    public init(fieldManager: String = "", force: Bool = false, dryRun: Bool = false, fieldValidation: String = "") {
        self.fieldManager = fieldManager
        self.force = force
        self.dryRun = dryRun
        self.fieldValidation = fieldValidation
    }

    var query: QueryItems {
        var query = QueryItems()
        if !fieldManager.isEmpty { query.append("fieldManager", fieldManager) }
        if force { query.append("force", "true") }
        if dryRun { query.append("dryRun", "All") }
        if !fieldValidation.isEmpty { query.append("fieldValidation", fieldValidation) }
        return query
    }
}
