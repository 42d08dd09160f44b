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
    /// How many objects followed that page, if its token says so.
    var remaining: Int?
    var selection: FieldSelection

    init(_ options: ListOptions, view: ResourceView, namespace: String) throws(APIError) {
        do throws(APIError) {
            selection = try FieldSelection(
                label: options.labelSelector,
                field: options.fieldSelector,
                accepted: view.fieldLabels,
                absent: view.absentFields,
                kind: view.gvk
            )
        } catch {
            // Options that can be read are checked before the kind is asked about its fields.
            if Self.canBeRead(options) { try Self.check(options) }
            throw error
        }
        limit = max(0, options.limit)
        try Self.check(options)
        guard options.continue.isEmpty else {
            let token = try ContinueToken(options.continue)
            if !options.resourceVersion.isEmpty, options.resourceVersion != "0" {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            at = token.revision > 0 ? .exactly(Revision(UInt64(token.revision))) : .newest
            if options.resourceVersion == "0" { limit = 0 }
            after = view.engine.prefix + token.start
            remaining = token.remaining
            return
        }
        at = try Self.at(options)
        // Upstream answers "whatever you have" from its cache, all at once.
        if at == .any { limit = 0 }
    }

    private static func at(_ options: ListOptions) throws(APIError) -> At {
        let text = options.resourceVersion
        if text.isEmpty { return .newest }
        guard let revision = UInt64(text).map({ Revision($0) }) else {
            throw .badRequest("invalid resource version: \(revisionIssue(text).message)")
        }
        if revision.rawValue == 0 { return .any }
        switch options.resourceVersionMatch {
        case "Exact": return .exactly(revision)
        case "NotOlderThan": return .notOlderThan(revision)
        default: return options.limit > 0 ? .exactly(revision) : .notOlderThan(revision)
        }
    }

    /// What is wrong with a resourceVersion that is no number.
    static func revisionIssue(_ text: String) -> FieldIssue {
        let isTooLarge = !text.isEmpty && text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        let why = isTooLarge ? "value out of range" : "invalid syntax"
        return .invalid(FieldPath("resourceVersion"), .string(text), "strconv.ParseUint: parsing \(GoQuote.quote(text)): \(why)")
    }

    /// Watches know no pages.
    static func checkPaging(_ options: ListOptions) throws(APIError) {
        guard !options.continue.isEmpty else { return }
        let issue = FieldIssue.forbidden(
            FieldPath("resourceVersionMatch"),
            "resourceVersionMatch is forbidden when continue is provided"
        )
        throw .invalid(GroupKind(group: "meta.k8s.io", kind: "ListOptions"), "", [issue])
    }

    private static func canBeRead(_ options: ListOptions) -> Bool {
        (options.labelSelector.isEmpty || (try? LabelSelector.parse(options.labelSelector)) != nil)
            && (try? FieldSelector.parse(options.fieldSelector)) != nil
    }

    private static func check(_ options: ListOptions) throws(APIError) {
        let match = options.resourceVersionMatch
        let field = FieldPath("resourceVersionMatch")
        var issues: [FieldIssue] = []
        if !match.isEmpty {
            if options.resourceVersion.isEmpty {
                issues.append(.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
            }
            if !options.continue.isEmpty {
                issues.append(.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"))
            }
            if match != "Exact", match != "NotOlderThan" {
                issues.append(.notSupported(field, .string(match), ["Exact", "NotOlderThan", ""]))
            }
            if match == "Exact", options.resourceVersion == "0" {
                issues.append(.forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
            }
        }
        if options.sendInitialEvents != nil {
            issues.append(.forbidden(FieldPath("sendInitialEvents"), "sendInitialEvents is forbidden for list"))
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
    /// How many objects follow it, when all objects are asked for: a page of the past need not count them again.
    var remaining: Int?

    init(revision: Int64, start: String, remaining: Int? = nil) {
        self.revision = revision
        self.start = start
        self.remaining = remaining
    }

    init(_ text: String) throws(APIError) {
        guard let bytes = Base64.decodeURL(text) else {
            throw Self.invalid(": illegal base64 data at input byte \(Self.illegalByte(text))")
        }
        guard let value = try? JSONParser.parse(bytes), value.object != nil else {
            let first = bytes.first.map { "invalid character '\(Unicode.Scalar($0))' looking for beginning of value" }
            throw Self.invalid(": \(first ?? "unexpected end of JSON input")")
        }
        guard value["v"]?.string == "meta.k8s.io/v1" else {
            throw Self.invalid(": server does not recognize this encoded version \(value["v"]?.string ?? "")")
        }
        guard let revision = value["rv"]?.int, revision != 0 else {
            throw Self.invalid(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
        }
        guard let start = value["start"]?.string, !start.isEmpty else {
            throw Self.invalid(": encoded start key empty (version meta.k8s.io/v1)")
        }
        let parts = start.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { throw Self.invalid(": \(start)") }
        self.revision = revision
        self.start = start
        remaining = value["n"]?.int.flatMap { $0 > 0 ? Int(exactly: $0) : nil }
    }

    private static func invalid(_ why: String) -> APIError { .badRequest("invalid continue token: continue key is not valid\(why)") }

    private static func illegalByte(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        let isLegal: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
        }
        // A single character left over stands for less than a byte.
        return bytes.firstIndex { !isLegal($0) } ?? (bytes.count % 4 == 1 ? bytes.count - 1 : bytes.count)
    }

    var encoded: String {
        var value: JSONValue = ["v": "meta.k8s.io/v1", "rv": .integer(revision), "start": .string(start)]
        if let remaining { value["n"] = .integer(Int64(remaining)) }
        return Base64.encodeURL(value.encoded())
    }
}
