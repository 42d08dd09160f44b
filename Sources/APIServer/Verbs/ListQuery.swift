import APIModel
import Schema
import Store
import Units
import Values

/// What a list request asks for, checked.
struct ListQuery: Sendable {
    /// Which state of the resource is shown.
    enum At: Sendable, Equatable {
        /// Nothing older than what was acknowledged before the request.
        case newest
        /// Whatever the cache has.
        case any
        case notOlderThan(Revision)
        case exactly(Revision)
    }

    var at: At
    var limit: Int
    /// The last key of the page before.
    var after: String?
    var selection: FieldSelection

    init(_ options: ListOptions, view: ResourceView, namespace: String) throws(APIError) {
        selection = try FieldSelection(
            label: options.labelSelector,
            field: options.fieldSelector,
            accepted: view.fieldLabels
        )
        limit = max(0, options.limit)
        try Self.check(options)
        guard options.continue.isEmpty else {
            let token = try ContinueToken(options.continue)
            at = token.revision > 0 ? .exactly(Revision(UInt64(token.revision))) : .newest
            after = view.engine.prefix + token.start
            return
        }
        at = try Self.at(options)
    }

    private static func at(_ options: ListOptions) throws(APIError) -> At {
        let text = options.resourceVersion
        if text.isEmpty { return .newest }
        let revision = try ListQuery.revision(text)
        if revision.rawValue == 0 { return .any }
        switch options.resourceVersionMatch {
        case "Exact": return .exactly(revision)
        case "NotOlderThan": return .notOlderThan(revision)
        default: return options.limit > 0 ? .exactly(revision) : .notOlderThan(revision)
        }
    }

    /// Reads a resourceVersion.
    static func revision(_ text: String) throws(APIError) -> Revision {
        guard let number = UInt64(text) else {
            let issue = FieldIssue.invalid(
                FieldPath("resourceVersion"),
                .string(text),
                "strconv.ParseUint: parsing \(GoQuote.quote(text)): invalid syntax"
            )
            throw .invalid(GroupKind(group: "meta.k8s.io", kind: "ListOptions"), "", [issue])
        }
        return Revision(number)
    }

    private static func check(_ options: ListOptions) throws(APIError) {
        let match = options.resourceVersionMatch
        let field = FieldPath("resourceVersionMatch")
        var issues: [FieldIssue] = []
        if options.sendInitialEvents != nil {
            issues.append(.forbidden(FieldPath("sendInitialEvents"), "sendInitialEvents is forbidden for list"))
        }
        if !match.isEmpty {
            if options.resourceVersion.isEmpty {
                issues.append(.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
            }
            if !options.continue.isEmpty {
                issues.append(.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"))
            }
            if match != "Exact", match != "NotOlderThan" {
                issues.append(.notSupported(field, .string(match), ["Exact", "NotOlderThan"]))
            }
            if match == "Exact", options.resourceVersion == "0" {
                issues.append(.forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
            }
        }
        if !options.continue.isEmpty, !options.resourceVersion.isEmpty, options.resourceVersion != "0" {
            throw .badRequest("specifying resource version is not allowed when using continue")
        }
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "meta.k8s.io", kind: "ListOptions"), "", issues) }
    }
}

/// Where a paginated list goes on: opaque to clients.
struct ContinueToken: Sendable {
    /// The revision of the first page; -1 goes on with the newest state.
    var revision: Int64
    /// The last key delivered, relative to the resource.
    var start: String

    init(revision: Int64, start: String) {
        self.revision = revision
        self.start = start
    }

    init(_ text: String) throws(APIError) {
        guard let bytes = Base64.decodeURL(text) ?? Base64.decode(text), let value = try? JSONParser.parse(bytes) else {
            throw .badRequest("continue key is not valid: illegal base64 data or JSON")
        }
        guard value["v"]?.string == "meta.k8s.io/v1" else {
            throw .badRequest("continue key is not valid: server does not recognize this encoded version \"\(value["v"]?.string ?? "")\"")
        }
        guard let revision = value["rv"]?.int, revision != 0, let start = value["start"]?.string, !start.isEmpty else {
            throw .badRequest("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
        }
        guard !start.contains("../"), !start.hasPrefix("/") else {
            throw .badRequest("continue key is not valid: \(start)")
        }
        self.revision = revision
        self.start = start
    }

    var encoded: String {
        let value: JSONValue = ["v": "meta.k8s.io/v1", "rv": .integer(revision), "start": .string(start)]
        return Base64.encodeURL(value.encoded())
    }
}
