import HTTPTransport

/// gzip for answers that are worth it, to clients that take it.
public enum BodyCompression {
    /// Smaller bodies go as they are.
    public static let threshold = 128 << 10

    /// Whether the client takes gzip. Upstream looks for the bare word: with a weight it is not heard.
    public static func isAccepted(_ request: HTTPRequest) -> Bool {
        request.headers.elements("accept-encoding").contains("gzip")
    }

    /// Compresses a body that is whole.
    public static func apply(to response: inout HTTPResponse, _ request: HTTPRequest) {
        guard case .bytes(let bytes) = response.body, bytes.count > threshold, isAccepted(request),
            !response.headers.contains("content-encoding")
        else { return }
        response.body = .bytes(GzipEncoder.encode(bytes))
        mark(&response.headers)
    }

    /// Says that the body is compressed.
    public static func mark(_ headers: inout HeaderFields) {
        headers.append("Content-Encoding", "gzip")
        headers.append("Vary", "Accept-Encoding")
    }
}
