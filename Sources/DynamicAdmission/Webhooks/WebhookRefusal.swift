import APIModel
import Schema
import Values

/// Why a request does not go on because of one webhook.
///
/// Source: apiserver util/webhook/error.go and admission/plugin/webhook/errors/statuserror.go.
enum WebhookRefusal: Error {
    /// The webhook could not be asked, or its answer could not be used. `code` is for metrics.
    case call(String, code: Int)
    /// The webhook said no.
    case rejection(APIError)
    /// The answer cannot be done, which is nobody's decision.
    case fault(APIError)

    /// A webhook of that name refused the request.
    static func denied(by name: String, _ status: JSONValue) -> WebhookRefusal {
        var status = status.object == nil ? [:] : status
        let start = "admission webhook \(GoQuote.quote(name)) denied the request"
        let message = status["message"]?.string ?? ""
        let reason = status["reason"]?.string ?? ""
        let words = !message.isEmpty ? "\(start): \(message)" : !reason.isEmpty ? "\(start): \(reason)" : "\(start) without explanation"
        status["kind"] = "Status"
        status["status"] = "Failure"
        status["message"] = .string(words)
        var error = APIError(status: status) ?? APIError(code: leastCode, reason: reason, message: words)
        // A refusal is never a success, whatever the webhook thinks.
        if error.code < leastCode { error.code = leastCode }
        return .rejection(error)
    }

    private static let leastCode = 400

    /// A request that changes nothing must not reach a webhook that may.
    static func dryRun(_ name: String) -> WebhookRefusal {
        .fault(.badRequest("admission webhook \(GoQuote.quote(name)) does not support dry run"))
    }

    /// What the client is told.
    func error(of name: String) -> APIError {
        switch self {
        case .call(let message, _): .internalError("failed calling webhook \(GoQuote.quote(name)): \(message)")
        case .rejection(let error), .fault(let error): error
        }
    }
}
