import APIModel
import HTTPTransport
import Values

/// Builds HTTP responses.
enum Responses {
    /// An object whose bytes are complete JSON.
    static func object(_ bytes: [UInt8], status: Int = 200, form: ResponseForm) -> HTTPResponse {
        let body: [UInt8]
        if form.syntax == .json, !form.isPretty {
            body = bytes
        } else if let value = try? JSONParser.parse(bytes) {
            body = encode(value, form)
        } else {
            body = bytes
        }
        return HTTPResponse(status: status, headers: headers(form), body: .bytes(body))
    }

    /// A value tree.
    static func value(_ value: JSONValue, status: Int = 200, form: ResponseForm = .json) -> HTTPResponse {
        HTTPResponse(status: status, headers: headers(form), body: .bytes(encode(value, form)))
    }

    /// An error as its Status.
    static func error(_ error: APIError, form: ResponseForm = .json) -> HTTPResponse {
        var response = value(error.status(), status: error.code, form: form)
        if let seconds = error.retryAfterSeconds { response.headers.append("Retry-After", "\(seconds)") }
        if error.code == 401 { response.headers.append("WWW-Authenticate", "Bearer") }
        return response
    }

    /// Plain text.
    static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: ["Content-Type": type, "X-Content-Type-Options": "nosniff"],
            body: .bytes(Array(text.utf8))
        )
    }

    static func headers(_ form: ResponseForm) -> HeaderFields {
        ["Content-Type": form.contentType, "Cache-Control": "no-cache, private"]
    }

    private static func encode(_ value: JSONValue, _ form: ResponseForm) -> [UInt8] {
        switch form.syntax {
        case .yaml: Array(YAML.encode(value).utf8)
        case .json: form.isPretty ? value.encodedPretty() + [UInt8(ascii: "\n")] : value.encoded() + [UInt8(ascii: "\n")]
        }
    }
}
