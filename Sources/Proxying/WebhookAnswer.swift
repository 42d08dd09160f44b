import APIModel
import HTTPTransport
import Schema
import Values

/// What upstream's client says of answers and failures.
///
/// Source: client-go rest/request.go, apimachinery pkg/api/errors NewGenericServerResponse.
enum WebhookAnswer {
    /// The time for the call is over.
    struct Late: Error {}

    private static let shownBytes = 2048

    /// What an answer other than a success says.
    static func problem(_ status: Int, _ type: String, _ bytes: [UInt8]) -> WebhookDialer.Problem {
        if let value = try? JSONParser.parse(bytes), let error = APIError(status: value), !error.message.isEmpty {
            return WebhookDialer.Problem(message: error.message, code: error.code == 0 ? status : error.code)
        }
        let isText = type.isEmpty || type.hasPrefix("text/")
        var text = isText ? String(decoding: bytes.prefix(shownBytes), as: UTF8.self).trimmed : ""
        if text.isEmpty { text = "unknown" }
        return WebhookDialer.Problem(message: words(status, text), code: status)
    }

    private static func words(_ status: Int, _ text: String) -> String {
        switch status {
        case 400: "the server rejected our request for an unknown reason"
        case 401: "the server has asked for the client to provide credentials"
        case 403: text
        case 404: "the server could not find the requested resource"
        case 405: "the server does not allow this method on the requested resource"
        case 406: text == "unknown" ? "the server was unable to respond with a content type that the client supports" : text
        case 409: "the server reported a conflict"
        case 415: text == "unknown" ? "the server was unable to process the request body" : text
        case 422: "the server rejected our request due to an error in our request"
        case 429: "the server has received too many requests and has asked us to try again later"
        case 503: "the server is currently unable to handle the request"
        case 504: "the server was unable to return a response in the time allotted, but may still be processing the request"
        case 500...: "an error on the server (\(GoQuote.quote(text))) has prevented the request from succeeding"
        default: "the server responded with the status code \(status) but did not return more information"
        }
    }

    /// What a call that failed on the way says.
    static func words(_ error: any Error, host: String, port: Int) -> String {
        if error is Late || error is CancellationError { return "context deadline exceeded" }
        guard let failure = error as? TransportError else { return "\(error)" }
        let said = failure.message
        let place = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        switch failure.code {
        case .timedOut: return "context deadline exceeded"
        case .closed: return "EOF"
        case .connectFailed:
            if said.contains("refused") { return "dial tcp \(place): connect: connection refused" }
            if said.contains("No route to host") { return "dial tcp \(place): connect: no route to host" }
            if said.contains("unreachable") { return "dial tcp \(place): connect: network is unreachable" }
            if said.contains("UnknownHost") { return "dial tcp: lookup \(host): no such host" }
            return "dial tcp \(place): \(said)"
        case .tlsFailed:
            if said.contains("CERTIFICATE_VERIFY_FAILED") {
                return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            }
            if said.contains("failedToValidateHostname") || said.contains("unableToValidateHostname") {
                return "tls: failed to verify certificate: x509: certificate is not valid for \(host)"
            }
            return said.hasSuffix("closed the connection during the TLS handshake") ? "EOF" : said
        default: return said
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
