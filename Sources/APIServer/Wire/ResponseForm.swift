import APIModel
import HTTPTransport
import Values

/// The form in which a client wants objects.
struct ResponseForm: Sendable, Hashable {
    /// The syntax.
    enum Syntax: Sendable, Hashable { case json, yaml }
    /// What an object is turned into.
    enum Shape: Sendable, Hashable {
        case object
        /// `meta.k8s.io` Table.
        case table(version: String)
        /// `meta.k8s.io` PartialObjectMetadata, for lists PartialObjectMetadataList.
        case partial(version: String)
    }

    var syntax = Syntax.json
    var shape = Shape.object
    var isPretty = false

    static let json = ResponseForm()

    var contentType: String {
        syntax == .yaml ? "application/yaml" : "application/json"
    }

    /// Whether objects are copied from their stored bytes; otherwise each is decoded first.
    var isCopied: Bool {
        if case .table = shape { return false }
        return syntax == .json && !isPretty
    }

    /// The media types objects can be had in.
    static let mediaTypes = ["application/json", "application/yaml"]

    /// Picks the form from the Accept header, or throws 406.
    static func negotiate(_ request: HTTPRequest) throws(APIError) -> ResponseForm {
        var form = ResponseForm.json
        if let accept = request.headers["accept"], accept != "application/json", accept != "*/*", !accept.isEmpty {
            guard let chosen = choose(request.headers.all("accept").joined(separator: ",")) else {
                throw .notAcceptable(accepted: mediaTypes)
            }
            form = chosen
        }
        form.isPretty = isPretty(request)
        return form
    }

    private static func isPretty(_ request: HTTPRequest) -> Bool {
        if let asked = request.query.first("pretty") { return asked == "1" || asked.lowercased() == "true" }
        guard let agent = request.headers["user-agent"] else { return false }
        return ["curl", "Wget", "Mozilla"].contains { agent.hasPrefix($0) }
    }

    private static func choose(_ accept: String) -> ResponseForm? {
        var best: (quality: Double, form: ResponseForm)?
        for clause in MediaClause.parse(accept) {
            guard let form = form(of: clause), clause.quality > (best?.quality ?? 0) else { continue }
            best = (clause.quality, form)
        }
        return best?.form
    }

    private static func form(of clause: MediaClause) -> ResponseForm? {
        var form = ResponseForm()
        switch clause.type {
        case "application/json", "*/*", "application/*": form.syntax = .json
        case "application/yaml": form.syntax = .yaml
        default: return nil
        }
        guard let shape = clause.parameters["as"] else { return form }
        guard clause.parameters["g"] == "meta.k8s.io", let version = clause.parameters["v"],
            version == "v1" || version == "v1beta1"
        else { return nil }
        switch shape {
        case "Table": form.shape = .table(version: version)
        case "PartialObjectMetadata", "PartialObjectMetadataList": form.shape = .partial(version: version)
        default: return nil
        }
        return form
    }
}

/// One clause of an Accept header.
struct MediaClause: Sendable {
    var type: String
    var parameters: [String: String] = [:]
    var quality = 1.0

    /// The clauses in their order.
    static func parse(_ header: String) -> [MediaClause] {
        header.split(separator: ",").compactMap { part in
            let pieces = part.split(separator: ";").map { trim($0) }
            guard let type = pieces.first, !type.isEmpty else { return nil }
            var clause = MediaClause(type: type.lowercased())
            for piece in pieces.dropFirst() {
                let pair = piece.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { continue }
                let name = trim(pair[0])
                let value = trim(pair[1])
                if name == "q" { clause.quality = Double(value) ?? 1 } else { clause.parameters[name] = value }
            }
            return clause
        }
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
