import NIOCore

/// Writes the head of an HTTP/1 response.
enum HTTP1ResponseHead {
    /// How the peer finds the end of the body.
    enum Framing: Equatable {
        /// No body follows and none is announced (101, 204, 304).
        case none
        /// `Content-Length`.
        case length(Int)
        /// `Transfer-Encoding: chunked`.
        case chunked
        /// The connection's end.
        case untilClose
        /// The handler's own `Content-Length`, of a streamed body or for HEAD.
        case handlers
    }

    static func framing(of response: HTTPResponse, request: ServerExchange.RequestLine) -> Framing {
        if response.status == 204 || response.status == 304 || response.status < 200 { return .none }
        if request.isHead, response.headers.contains("content-length") { return .handlers }
        if let length = response.knownLength { return .length(length) }
        if response.headers.contains("content-length") { return .handlers }
        return request.version == .http10 ? .untilClose : .chunked
    }

    static func write(
        _ response: HTTPResponse,
        status: Int,
        framing: Framing,
        keepAlive: Bool,
        date: String,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeString("HTTP/1.1 ")
        buffer.writeString(String(status))
        buffer.writeString(" ")
        buffer.writeString(reason(status))
        buffer.writeString("\r\n")
        for field in response.headers {
            if isFraming(field.name, keepsLength: framing == .handlers, isUpgrade: status == 101) { continue }
            line(field.name, field.value, &buffer)
        }
        if status != 101, !response.headers.contains("date") { line("Date", date, &buffer) }
        switch framing {
        case .length(let length): line("Content-Length", String(length), &buffer)
        case .chunked: line("Transfer-Encoding", "chunked", &buffer)
        case .none, .untilClose, .handlers: break
        }
        if !keepAlive, status != 101 { line("Connection", "close", &buffer) }
        buffer.writeString("\r\n")
    }

    /// Framing belongs to the transport; a 101's `Connection` and `Upgrade` to the handler.
    private static func isFraming(_ name: String, keepsLength: Bool, isUpgrade: Bool) -> Bool {
        switch name.utf8.count {
        case 14: !keepsLength && HeaderFields.same(name, "content-length")
        case 17: HeaderFields.same(name, "transfer-encoding")
        case 10: !isUpgrade && (HeaderFields.same(name, "connection") || HeaderFields.same(name, "keep-alive"))
        default: false
        }
    }

    private static func line(_ name: String, _ value: String, _ buffer: inout ByteBuffer) {
        buffer.writeString(name)
        buffer.writeString(": ")
        if value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) {
            buffer.writeBytes(value.utf8.map { $0 == 13 || $0 == 10 || $0 == 0 ? 32 : $0 })
        } else {
            buffer.writeString(value)
        }
        buffer.writeString("\r\n")
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Request Entity Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Entity"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status"
        }
    }
}
