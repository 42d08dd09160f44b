import APIModel
import HTTPTransport
import Negotiation
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

    /// What is taken.
    static let mediaTypes = offered + [applyCBOR]
    /// What a refusal names: upstream has CBOR behind a gate that is off.
    private static let offered = [Kind.json, .merge, .strategic, .apply].map(\.rawValue)
    private static let offeredOfCustom = [Kind.json, .merge, .apply].map(\.rawValue)
    /// The same as `apply` in another syntax.
    private static let applyCBOR = "application/apply-patch+cbor"
    private static let maxOperations = 10_000

    let kind: Kind
    private var patch: JSONValue
    /// What strict validation complains about, in full.
    let problems: [String]

    init(_ context: RequestContext) throws(APIError) {
        let type = BodySyntax.mediaType(context.request)
        if type == Self.applyCBOR {
            kind = .apply
            patch = try BodySyntax.cbor(context.request.body)
            problems = []
            return
        }
        guard let kind = Kind(rawValue: type) else {
            throw Self.unroutable
        }
        self.kind = kind
        if kind == .apply {
            (patch, problems) = try Self.yaml(context.request.body)
            return
        }
        do throws(JSONParseError) {
            let options = JSONParser.Options(maxDepth: BodySyntax.maxDepth)
            let parsed = try JSONParser.parseReportingDuplicates(context.request.body, options: options)
            patch = parsed.value
            problems = Self.problems(parsed.duplicates, in: parsed.value, kind)
        } catch {
            throw .badRequest(kind == .strategic ? error.message : "error decoding patch: \(error.message)")
        }
        // Nothing to merge is no patch, to upstream's library.
        if kind == .merge, patch == .null { throw .badRequest("Invalid JSON Patch") }
        try check()
    }

    /// Whether a request's body is to be applied.
    static func isApply(_ request: HTTPRequest) -> Bool {
        let type = BodySyntax.mediaType(request)
        return type == Kind.apply.rawValue || type == applyCBOR
    }

    private static let operationFields: Set<String> = ["op", "path", "from", "value"]

    private static func problems(_ duplicates: [String], in patch: JSONValue, _ kind: Kind) -> [String] {
        guard kind == .json else { return duplicates.map { "duplicate field \(GoQuote.quote($0))" } }
        // What an operation holds is looked at as the object that it makes.
        let own = duplicates.filter { !$0.contains("].value.") && !$0.contains("].value[") }
        var found = own.map { "json patch duplicate field \(GoQuote.quote($0))" }
        for (index, operation) in (patch.array ?? []).enumerated() {
            for (field, _) in operation.object ?? [:] where !operationFields.contains(field) {
                found.append("json patch unknown field \(GoQuote.quote("[\(index)].\(field)"))")
            }
        }
        return found
    }

    /// Whether the patch changes metadata.
    var touchesMetadata: Bool {
        guard kind == .json else { return patch["metadata"] != nil }
        return patch.array?.contains { operation in
            ["path", "from"].contains { operation[$0]?.string?.hasPrefix("/metadata") == true }
        } == true
    }

    private static func yaml(_ bytes: [UInt8]) throws(APIError) -> (JSONValue, [String]) {
        do throws(YAMLError) {
            let found = try YAML.parseReportingDuplicates(bytes)
            return (found.value, found.duplicates)
        } catch {
            throw .badRequest("error decoding YAML: error converting YAML to JSON: \(error.message)")
        }
    }

    private func check() throws(APIError) {
        switch kind {
        case .json:
            guard let operations = patch.array else {
                throw .badRequest(
                    "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type []handlers.jsonPatchOp"
                )
            }
            guard operations.count <= Self.maxOperations else {
                let words = "The allowed maximum operations in a JSON patch is \(Self.maxOperations), got \(operations.count)"
                throw .requestEntityTooLarge(words)
            }
        default:
            guard patch.object != nil else {
                let why = "json: cannot unmarshal \(patch.typeName) into Go value of type map[string]interface {}"
                throw .badRequest(kind == .strategic ? why : "error decoding patch: \(why)")
            }
        }
    }

    /// The body of a PATCH of a kind; a custom resource knows no strategic merge.
    init(_ context: RequestContext, for view: ResourceView) throws(APIError) {
        if view.descriptor.isCustom {
            let type = BodySyntax.mediaType(context.request)
            guard type == Self.applyCBOR || Self.offeredOfCustom.contains(type) else {
                throw .unsupportedMediaType(accepted: Self.offeredOfCustom)
            }
        }
        try self.init(context)
    }

    /// Whether the patch says which state of the object it is meant for.
    var namesVersion: Bool {
        guard let version = patch.value(at: ["metadata", "resourceVersion"])?.string else { return false }
        return !version.isEmpty
    }

    /// The same kind of patch with other content.
    func with(content: JSONValue) -> ObjectPatch {
        var copy = self
        copy.patch = content
        return copy
    }

    /// The patch itself, for server-side apply.
    var content: JSONValue { patch }

    /// The patched object.
    func apply(to object: JSONValue, schema: SchemaNode) throws(APIError) -> JSONValue {
        switch kind {
        case .json:
            do throws(PatchError) { return try JSONPatch.apply(patch, to: object) } catch {
                throw Self.rejected
            }
        case .merge: return MergePatch.apply(patch, to: object)
        case .strategic:
            do throws(StrategicMergePatchError) {
                return try StrategicMergePatch.apply(patch, to: object, schema: schema)
            } catch {
                if error.isMalformed { throw .badRequest(error.message) }
                if error.isRefused { throw Self.rejected }
                throw APIError(code: 500, reason: "", message: error.message)
            }
        case .apply: throw .unsupportedMediaType(accepted: Self.offered)
        }
    }

    /// What upstream's router says of a type that no route takes.
    private static let unroutable = APIError(
        code: 415,
        reason: APIReason.unsupportedMediaType,
        message: "415: Unsupported Media Type",
        details: APIError.Details()
    )

    /// A patch that does not fit the object; upstream says no more than that.
    private static let rejected = APIError(
        code: 422,
        reason: APIReason.invalid,
        message: "the server rejected our request due to an error in our request",
        details: APIError.Details()
    )
}
