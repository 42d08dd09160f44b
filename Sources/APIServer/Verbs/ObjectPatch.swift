import APIModel
import HTTPTransport
import Schema
import Values

/// The body of a PATCH, parsed once and applied as often as the race needs.
struct ObjectPatch: Sendable {
    enum Kind: String, Sendable {
        case json = "application/json-patch+json"
        case merge = "application/merge-patch+json"
        case strategic = "application/strategic-merge-patch+json"
        case apply = "application/apply-patch+yaml"
    }

    static let mediaTypes = [Kind.json, .merge, .strategic, .apply].map(\.rawValue)
    private static let maxOperations = 10_000

    let kind: Kind
    private let patch: JSONValue
    let duplicates: [String]

    init(_ context: RequestContext) throws(APIError) {
        guard let kind = Kind(rawValue: BodySyntax.mediaType(context.request)) else {
            throw .unsupportedMediaType(accepted: Self.mediaTypes)
        }
        self.kind = kind
        if kind == .apply {
            patch = try Self.yaml(context.request.body)
            duplicates = []
            return
        }
        do throws(JSONParseError) {
            let options = JSONParser.Options(maxDepth: BodySyntax.maxDepth)
            let parsed = try JSONParser.parseReportingDuplicates(context.request.body, options: options)
            patch = parsed.value
            duplicates = kind == .json ? [] : parsed.duplicates
        } catch {
            throw .badRequest("error decoding patch: \(error.message)")
        }
        try check()
    }

    private static func yaml(_ bytes: [UInt8]) throws(APIError) -> JSONValue {
        do throws(YAMLError) { return try YAML.parse(bytes) } catch {
            throw .badRequest("error decoding YAML: \(error.message)")
        }
    }

    private func check() throws(APIError) {
        switch kind {
        case .json:
            guard let operations = patch.array else {
                throw .badRequest(
                    "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type jsonpatch.Patch"
                )
            }
            guard operations.count <= Self.maxOperations else {
                let words = "The allowed maximum operations in a JSON patch is \(Self.maxOperations), got \(operations.count)"
                throw .requestEntityTooLarge(words)
            }
        default:
            guard patch.object != nil else {
                throw .badRequest(
                    "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type map[string]interface {}"
                )
            }
        }
    }

    /// Whether the patch says which state of the object it is meant for.
    var namesVersion: Bool {
        guard let version = patch.value(at: ["metadata", "resourceVersion"])?.string else { return false }
        return !version.isEmpty
    }

    /// The patch itself, for server-side apply.
    var content: JSONValue { patch }

    /// The patched object.
    func apply(to object: JSONValue, schema: SchemaNode) throws(APIError) -> JSONValue {
        switch kind {
        case .json:
            do throws(PatchError) { return try JSONPatch.apply(patch, to: object) } catch {
                throw Self.rejected("\(error)")
            }
        case .merge: return MergePatch.apply(patch, to: object)
        case .strategic:
            do { return try StrategicMergePatch.apply(patch, to: object, schema: schema) } catch {
                throw .badRequest("\(error)")
            }
        case .apply: throw .unsupportedMediaType(accepted: Array(Self.mediaTypes.dropLast()))
        }
    }

    private static func rejected(_ why: String) -> APIError {
        APIError(
            code: 422,
            reason: APIReason.invalid,
            message: "the server rejected our request due to an error in our request",
            details: APIError.Details(causes: [APIError.Cause(reason: "UnexpectedServerResponse", message: why)])
        )
    }
}
