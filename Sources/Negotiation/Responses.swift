import APIModel
import HTTPTransport
import Schema
import Values

/// Builds HTTP responses.
public enum Responses {
    /// An object whose bytes are complete JSON.
    public static func object(_ bytes: consuming [UInt8], status: Int = 200, form: ResponseForm) -> HTTPResponse {
        if form.syntax != .json || form.isPretty, let value = try? JSONParser.parse(bytes) {
            return self.value(value, status: status, form: form)
        }
        bytes.append(UInt8(ascii: "\n"))
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

    /// The bytes of a value in the order in which upstream writes its members, without a new line.
    public static func encoded(_ value: JSONValue) -> [UInt8] { MemberOrder.of(value).encode(value, isPretty: false) }

    /// The items of an aggregated discovery document.
    public static func discoveryItems(_ items: JSONValue) -> [UInt8] { MemberOrder.discovery.encode(items, isPretty: false) }

    /// A patched object as refusals quote it: what the patch left alone in the order of upstream's types, the rest sorted.
    public static func patchedText(_ value: JSONValue, metadataIsTouched: Bool) -> String {
        let order = metadataIsTouched ? MemberOrder.patchedMetadata : MemberOrder.keptMetadata
        return String(decoding: order.encode(value, isPretty: false), as: UTF8.self)
    }

    private static func json(_ value: JSONValue, isPretty: Bool) -> [UInt8] {
        var bytes = MemberOrder.of(value).encode(value, isPretty: isPretty)
        // Upstream ends what it indents without a new line.
        if !isPretty { bytes.append(UInt8(ascii: "\n")) }
        return bytes
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
            return json(value, isPretty: false)
        case .json: return json(value, isPretty: form.isPretty)
        }
    }
}
