import APIModel
import HTTPTransport
import Schema
import Values

/// Builds HTTP responses.
public enum Responses {
    /// An object whose bytes are complete JSON.
    public static func object(_ bytes: [UInt8], status: Int = 200, form: ResponseForm) -> HTTPResponse {
        if form.syntax != .json || form.isPretty, let value = try? JSONParser.parse(bytes) {
            return self.value(value, status: status, form: form)
        }
        return HTTPResponse(status: status, headers: headers(.json), body: .bytes(bytes))
    }

    /// A value tree.
    public static func value(_ value: JSONValue, status: Int = 200, form: ResponseForm = .json) -> HTTPResponse {
        var form = form
        let body = encode(value, &form)
        return HTTPResponse(status: status, headers: headers(form), body: .bytes(body))
    }

    /// An error as its Status.
    public static func error(_ error: APIError, form: ResponseForm = .json) -> HTTPResponse {
        var response = value(error.status(), status: error.code, form: form)
        if let seconds = error.retryAfterSeconds { response.headers.append("Retry-After", "\(seconds)") }
        if error.code == 401 { response.headers.append("WWW-Authenticate", "Bearer") }
        return response
    }

    /// Plain text.
    public static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: ["Content-Type": type, "X-Content-Type-Options": "nosniff"],
            body: .bytes(Array(text.utf8))
        )
    }

    /// The headers of an answer in this form.
    public static func headers(_ form: ResponseForm) -> HeaderFields {
        ["Content-Type": form.contentType, "Cache-Control": "no-cache, private"]
    }

    /// The bytes of a value. What has no protobuf form is written as JSON, and the form says so.
    private static func encode(_ value: JSONValue, _ form: inout ResponseForm) -> [UInt8] {
        switch form.syntax {
        case .yaml: return Array(YAML.encode(value).utf8)
        case .cbor: return CBOR.encode(value)
        case .protobuf:
            let (apiVersion, kind) = (value["apiVersion"]?.string ?? "", value["kind"]?.string ?? "")
            if let schema = WireTypes.node(apiVersion: apiVersion, kind: kind) {
                return ProtobufObject.encode(value, schema: schema)
            }
            form.syntax = .json
            return value.encoded() + [UInt8(ascii: "\n")]
        case .json:
            return form.isPretty ? value.encodedPretty() + [UInt8(ascii: "\n")] : value.encoded() + [UInt8(ascii: "\n")]
        }
    }
}
