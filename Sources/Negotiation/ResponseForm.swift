import APIModel
import HTTPTransport
import Schema
import Values

/// The form in which a client wants objects.
public struct ResponseForm: Sendable, Hashable {
    /// The syntax.
    public enum Syntax: String, Sendable, Hashable, CaseIterable {
        case json = "application/json"
        case yaml = "application/yaml"
        case protobuf = "application/vnd.kubernetes.protobuf"
        case cbor = "application/cbor"

        /// The media type of a watch in this syntax; nil when there are none.
        public var streamType: String? {
            switch self {
            case .json: "application/json"
            case .yaml: nil
            case .protobuf: "application/vnd.kubernetes.protobuf;stream=watch"
            case .cbor: "application/cbor-seq"
            }
        }
    }

    /// What an object is turned into.
    public enum Shape: Sendable, Hashable {
        /// The object itself.
        case object
        /// `meta.k8s.io` Table.
        case table(version: String)
        /// `meta.k8s.io` PartialObjectMetadata, for lists PartialObjectMetadataList.
        case partial(version: String)
    }

    /// The syntax of the body.
    public var syntax = Syntax.json
    /// What is written in that syntax.
    public var shape = Shape.object
    /// Whether JSON is indented.
    public var isPretty = false
    /// Metadata was asked for by the name of its list.
    public var namesList = false

    /// Plain JSON.
    public static let json = ResponseForm()

    /// Objects in the syntax given.
    public init(syntax: Syntax = .json, isPretty: Bool = false) {
        self.syntax = syntax
        self.isPretty = isPretty
    }

    /// The media type of an answer.
    public var contentType: String { syntax.rawValue }

    /// Whether objects are copied from their stored bytes; otherwise each is decoded first.
    public var isCopied: Bool {
        if case .table = shape { return false }
        return syntax == .json && !isPretty
    }

    /// The media types that a refusal names: upstream has CBOR behind a gate that is off.
    public static let mediaTypes = Syntax.allCases.filter { $0 != .cbor }.map(\.rawValue)

    /// The media types of watches, as the refusal of a watch lists them.
    public static let streamTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]

    /// Picks the form from the Accept header, or throws 406. `isCustom` tells whether objects have no protobuf form, `hasTable`
    /// whether they can be shown as a table; both are asked only when that matters.
    public static func negotiate(
        _ request: HTTPRequest,
        hasTable: () -> Bool = { true },
        isCustom: () -> Bool = { false }
    ) throws(APIError) -> ResponseForm {
        var form = ResponseForm.json
        if let accept = request.headers["accept"], accept != "application/json", accept != "*/*", !accept.isEmpty {
            guard let chosen = choose(accept, hasTable, isCustom) else { throw .notAcceptable(accepted: mediaTypes) }
            form = chosen
        }
        form.isPretty = form.isPretty || isPretty(request)
        return form
    }

    /// The form of an error: upstream negotiates anew, without transformations, and falls back to JSON.
    public static func ofError(_ request: HTTPRequest) -> ResponseForm {
        guard let accept = request.headers["accept"], accept != "application/json", accept != "*/*", !accept.isEmpty else {
            return ResponseForm(isPretty: isPretty(request))
        }
        for clause in MediaClause.ordered(accept) {
            for syntax in Syntax.allCases where matches(clause, syntax) {
                guard let form = form(of: clause, syntax), form.shape == .object else { continue }
                return ResponseForm(syntax: syntax, isPretty: form.isPretty || isPretty(request))
            }
        }
        // Who cannot have what he asks for is taken for a human.
        return ResponseForm(isPretty: true)
    }

    /// Refuses what no route offers, before anything is looked at: upstream's router compares the types of Accept to the letter.
    public static func checkRoute(_ request: HTTPRequest, isStreamed: Bool) throws(APIError) {
        guard let accept = request.headers["accept"], accept != "application/json", accept != "*/*", !accept.isEmpty else { return }
        for clause in accept.split(separator: ",") {
            var type = clause.prefix { $0 != ";" }
            while type.first == " " { type.removeFirst() }
            while type.last == " " { type.removeLast() }
            if type == "*/*" || type.hasPrefix("application/cbor") || mediaTypes.contains(String(type)) { return }
        }
        let offered = (mediaTypes + (isStreamed ? streamTypes : [])).joined(separator: ", ")
        throw APIError(
            code: 406,
            reason: APIReason.notAcceptable,
            message: "406: Not Acceptable\n\nAvailable representations: \(offered)",
            details: APIError.Details()
        )
    }

    private static func isPretty(_ request: HTTPRequest) -> Bool {
        if let asked = request.query.first("pretty"), !asked.isEmpty {
            return ["1", "t", "T", "true", "TRUE", "True"].contains(asked)
        }
        guard let agent = request.headers["user-agent"] else { return false }
        return ["curl", "Wget", "Mozilla/5.0"].contains { agent.hasPrefix($0) }
    }

    private static func choose(_ accept: String, _ hasTable: () -> Bool, _ isCustom: () -> Bool) -> ResponseForm? {
        for clause in MediaClause.ordered(accept) {
            for syntax in Syntax.allCases where matches(clause, syntax) {
                guard let form = form(of: clause, syntax) else { continue }
                // Custom resources themselves have no protobuf form; their metadata have.
                if syntax == .protobuf, form.shape == .object, isCustom() { continue }
                if case .table = form.shape, !hasTable() { continue }
                return form
            }
        }
        return nil
    }

    private static func matches(_ clause: MediaClause, _ syntax: Syntax) -> Bool {
        clause.type == syntax.rawValue || clause.type == "*/*" || clause.type == "application/*"
    }

    private static func form(of clause: MediaClause, _ syntax: Syntax) -> ResponseForm? {
        var form = ResponseForm(syntax: syntax, isPretty: clause.parameters["pretty"] == "1")
        if let stream = clause.parameters["stream"], !stream.isEmpty {
            guard stream == "watch", syntax.streamType != nil else { return nil }
        }
        if let version = clause.parameters["sv"], !version.isEmpty, version != "v1" { return nil }
        let asked = ["as", "g", "v"].contains { clause.parameters[$0] != nil }
        guard asked else { return form }
        guard clause.parameters["g"] == "meta.k8s.io", let version = clause.parameters["v"],
            version == "v1" || version == "v1beta1"
        else { return nil }
        switch clause.parameters["as"] {
        case "Table" where syntax == .json || syntax == .yaml: form.shape = .table(version: version)
        case "PartialObjectMetadata": form.shape = .partial(version: version)
        case "PartialObjectMetadataList":
            form.shape = .partial(version: version)
            form.namesList = true
        default: return nil
        }
        return form
    }
}
