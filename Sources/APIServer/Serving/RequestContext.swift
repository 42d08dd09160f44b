import APIModel
import Access
import HTTPTransport
import Schema
import Synchronization
import Units

/// One request with everything found out about it on the way to its verb.
struct RequestContext: Sendable {
    let request: HTTPRequest
    let info: RequestInfo
    let user: UserIdentity
    let form: ResponseForm
    let now: Timestamp
    let warnings: WarningList

    /// Whether `dryRun=All` is asked for; anything else is refused.
    func dryRun() throws(APIError) -> Bool {
        try RequestContext.dryRun(request.query.all("dryRun"), kind: optionsKind)
    }

    static func dryRun(_ values: [String], kind: String) throws(APIError) -> Bool {
        guard let wrong = values.first(where: { $0 != "All" && !$0.isEmpty }) else { return values.contains("All") }
        let issue = FieldIssue.notSupported(FieldPath("dryRun"), .string(wrong), ["All"])
        throw .invalid(GroupKind(group: "meta.k8s.io", kind: kind), "", [issue])
    }

    /// The kind of the options in the query.
    var optionsKind: String {
        switch info.verb {
        case "create": "CreateOptions"
        case "patch": "PatchOptions"
        default: "UpdateOptions"
        }
    }

    /// How strictly fields are checked.
    func fieldValidation() throws(APIError) -> FieldValidation {
        let text = request.query.first("fieldValidation") ?? ""
        if text.isEmpty { return .warn }
        if let directive = FieldValidation(rawValue: text) { return directive }
        let issue = FieldIssue.notSupported(FieldPath("fieldValidation"), .string(text), ["Ignore", "Warn", "Strict"])
        throw .invalid(GroupKind(group: "meta.k8s.io", kind: optionsKind), "", [issue])
    }
}

/// What to do with fields a kind does not have.
enum FieldValidation: String, Sendable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// The warnings collected while a request is served, each once. Guarded by its mutex.
final class WarningList: Sendable {
    private let texts = Mutex<[String]>([])

    /// Adds a warning unless it is there.
    func add(_ text: String) {
        texts.withLock { if !$0.contains(text) { $0.append(text) } }
    }

    /// Writes `Warning` header lines.
    func write(to headers: inout HeaderFields) {
        for text in texts.withLock({ $0 }) { headers.append("Warning", "299 - \(GoQuote.quote(text))") }
    }
}
