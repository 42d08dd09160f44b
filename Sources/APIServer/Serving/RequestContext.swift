import APIModel
import Access
import HTTPTransport
import Negotiation
import Schema
import Synchronization
import Units
import Values

/// One request with everything found out about it on the way to its verb.
struct RequestContext: Sendable {
    var request: HTTPRequest
    let info: RequestInfo
    let user: UserIdentity
    let form: ResponseForm
    let now: Timestamp
    let warnings: WarningList

    /// Checks the options of a write as a whole, before anything else is looked at.
    func checkOptions() throws(APIError) {
        guard ["create", "update", "patch"].contains(info.verb) else { return }
        let query = request.query
        var issues: [FieldIssue] = []
        if info.verb == "patch" {
            let type = BodySyntax.mediaType(request)
            // An unknown type is answered first.
            guard ObjectPatch.mediaTypes.contains(type) else { return }
            let isApply = type == ObjectPatch.Kind.apply.rawValue
            if isApply, (query.first("fieldManager") ?? "").isEmpty {
                issues.append(.required(FieldPath("fieldManager"), "is required for apply patch"))
            }
            if !isApply, query.contains("force") {
                issues.append(.forbidden(FieldPath("force"), "may not be specified for non-apply patch"))
            }
        }
        if let name = query.first("fieldManager") { issues += FieldTracking.issues(name) }
        let dry = query.all("dryRun")
        if dry.contains(where: { $0 != "All" }) { issues.append(.notSupported(FieldPath("dryRun"), JSONValue(dry), ["All"])) }
        if let validation = query.first("fieldValidation"), !validation.isEmpty, FieldValidation(rawValue: validation) == nil {
            issues.append(.notSupported(FieldPath("fieldValidation"), .string(validation), ["", "Ignore", "Strict", "Warn"]))
        }
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "meta.k8s.io", kind: optionsKind), "", issues) }
    }

    /// Whether `dryRun=All` is asked for; anything else is refused.
    func dryRun() throws(APIError) -> Bool {
        try RequestContext.dryRun(request.query.all("dryRun"), kind: optionsKind)
    }

    static func dryRun(_ values: [String], kind: String) throws(APIError) -> Bool {
        guard values.contains(where: { $0 != "All" }) else { return values.contains("All") }
        let issue = FieldIssue.notSupported(FieldPath("dryRun"), JSONValue(values), ["All"])
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

/// The warnings and other header lines collected while a request is served, each once. Guarded by its mutexes.
final class WarningList: Sendable {
    private let texts = Mutex<[String]>([])
    private let others = Mutex<[HeaderFields.Field]>([])

    /// Adds a header line to the response, whatever becomes of the request.
    func set(_ name: String, _ value: String) {
        others.withLock { $0.append(HeaderFields.Field(name: name, value: value)) }
    }

    /// Adds a warning unless it is there, or says nothing, or cannot stand in a header.
    func add(_ text: String) {
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return }
        texts.withLock { if !$0.contains(text), $0.count < Self.maxWarnings { $0.append(text) } }
    }

    /// More than this no client has ever to read, nor a header to hold.
    private static let maxWarnings = 4_096
    /// In characters, as upstream counts: beyond this much in all, each warning is cut.
    private static let wholeLimit = 4 * 1024
    private static let cutLimit = 256

    /// The warnings as far as a response has room for them.
    static func bounded(_ texts: [String]) -> [String] {
        let lengths = texts.map(\.unicodeScalars.count)
        guard lengths.reduce(0, +) > wholeLimit else { return texts }
        var shown: [String] = []
        var written = 0
        for text in texts where written < wholeLimit {
            let cut = text.unicodeScalars.prefix(cutLimit)
            written += cut.count
            shown.append(String(String.UnicodeScalarView(cut)))
        }
        return shown
    }

    /// Writes the header lines.
    func write(to headers: inout HeaderFields) {
        for field in others.withLock({ $0 }) { headers.append(field.name, field.value) }
        for text in Self.bounded(texts.withLock { $0 }) { headers.append("Warning", "299 - \(GoQuote.quote(text))") }
    }
}
