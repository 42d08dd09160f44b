import APIModel
import HTTPTransport
import Negotiation
import Schema
import Values

/// Turns a request body into an object of the kind expected, with upstream's complaints.
struct ObjectDecoding: Sendable {
    let expected: GroupVersionKind
    let schema: SchemaNode
    /// Adds the defaults of the kind that no schema expresses.
    let hooks: any KindHooks

    init(_ view: ResourceView) {
        expected = view.gvk
        schema = view.version.schema
        hooks = view.hooks
    }

    init(expected: GroupVersionKind, schema: SchemaNode, hooks: any KindHooks = NoHooks()) {
        self.expected = expected
        self.schema = schema
        self.hooks = hooks
    }

    /// The object in the request's body, decoded and defaulted.
    func object(_ context: RequestContext) throws(APIError) -> JSONValue {
        let validation = try context.fieldValidation()
        let parsed: BodySyntax.Parsed
        do throws(APIError) {
            parsed = try BodySyntax.parse(
                context.request,
                schema: schema,
                reportDuplicates: validation != .ignore
            )
        } catch {
            guard error.code == 400 else { throw error }
            throw unrecognized(error.message, context.request.body)
        }
        var value = parsed.value
        try identify(&value, context.request.body)
        try decode(&value, duplicates: parsed.duplicates, problems: parsed.problems, validation, context.warnings)
        return value
    }

    /// Checks an object against the schema and adds the defaults. Used for patched objects, too.
    func decode(
        _ value: inout JSONValue,
        duplicates: [String] = [],
        problems: [String] = [],
        _ validation: FieldValidation,
        _ warnings: WarningList
    ) throws(APIError) {
        let unknown: [String]
        do throws(SchemaDecodeError) {
            unknown = try decodeFields(of: &value)
        } catch {
            throw .cannotHandle(expected, error.message)
        }
        value["apiVersion"] = .string(expected.apiVersion)
        value["kind"] = .string(expected.kind)
        let duplicates = duplicates.map { "duplicate field \(GoQuote.quote($0))" }
        try report(problems + duplicates + unknown, validation, warnings)
        schema.applyDefaults(&value)
        hooks.defaults(&value)
    }

    /// Decodes by the schema, which drops empty lists, all but one: no records of ownership are the wish to forget them.
    func decodeFields(of value: inout JSONValue) throws(SchemaDecodeError) -> [String] {
        let isReset = value.value(at: FieldTracking.path) == []
        let unknown = try schema.decode(&value)
        if isReset { value.set([], at: FieldTracking.path) }
        return unknown
    }

    private func report(_ problems: [String], _ validation: FieldValidation, _ warnings: WarningList) throws(APIError) {
        guard !problems.isEmpty else { return }
        switch validation {
        case .ignore: return
        case .warn: problems.forEach(warnings.add)
        case .strict:
            throw .cannotHandle(expected, "strict decoding error: \(problems.joined(separator: ", "))")
        }
    }

    private func identify(_ value: inout JSONValue, _ body: [UInt8]) throws(APIError) {
        guard case .object = value else {
            let why =
                "couldn't get version/kind; json parse error: json: cannot unmarshal \(value.typeName) into Go value of type "
                + "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"
            throw unrecognized(why, body)
        }
        let apiVersion = value["apiVersion"]?.string ?? ""
        let kind = value["kind"]?.string ?? ""
        let given = GroupVersion(apiVersion: apiVersion.isEmpty ? expected.apiVersion : apiVersion)
        guard let given else {
            throw unrecognized("unexpected GroupVersion string: \(apiVersion)", body)
        }
        guard given == expected.groupVersion else {
            if !kind.isEmpty, kind != expected.kind {
                throw .badRequest(
                    "\(kind) in version \(GoQuote.quote(given.version)) cannot be handled as a \(expected.kind): "
                        + "no kind \(GoQuote.quote(kind)) is registered for version \(GoQuote.quote(apiVersion))"
                )
            }
            throw .badRequest(
                "the API version in the data (\(apiVersion)) does not match the expected API version (\(expected.apiVersion))"
            )
        }
        guard kind.isEmpty || kind == expected.kind else {
            throw .badRequest(
                "\(kind) in version \(GoQuote.quote(given.version)) cannot be handled as a \(expected.kind): "
                    + "no kind \(GoQuote.quote(kind)) is registered for the internal version of this resource"
            )
        }
    }

    private func unrecognized(_ why: String, _ body: [UInt8]) -> APIError {
        .badRequest(
            "the object provided is unrecognized (must be of type \(expected.kind)): \(why) (\(Self.summary(body)))"
        )
    }

    private static let summaryLength = 30

    private static func summary(_ body: [UInt8]) -> String {
        guard let first = body.first else { return "<empty>" }
        let head = body.prefix(summaryLength)
        let text = first == UInt8(ascii: "{") ? String(decoding: head, as: UTF8.self) : Hex.encode(head)
        return body.count > summaryLength ? text + " ..." : text
    }
}
