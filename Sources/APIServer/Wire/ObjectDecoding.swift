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
    /// Whether a custom resource keeps nulls it must not have, for the validation to refuse them.
    var keepsNulls = false

    init(_ view: ResourceView, keepsNulls: Bool = false) {
        self.keepsNulls = keepsNulls
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
        // What is no JSON tells no order, and a custom resource's members are read before its schema is asked.
        let isRead = schema.body.isBuiltin && ["", "application/json"].contains(BodySyntax.mediaType(context.request))
        let body = isRead ? context.request.body : nil
        try decode(&value, duplicates: parsed.duplicates, problems: parsed.problems, body: body, validation, context.warnings)
        return value
    }

    /// Checks an object against the schema and adds the defaults. Used for patched objects, too.
    func decode(
        _ value: inout JSONValue,
        duplicates: [String] = [],
        problems: [String] = [],
        body: [UInt8]? = nil,
        _ validation: FieldValidation,
        _ warnings: WarningList
    ) throws(APIError) {
        let unknown: [String]
        do throws(SchemaDecodeError) {
            unknown = try decodeFields(of: &value)
        } catch {
            throw .cannotHandle(expected, error.message)
        }
        name(&value)
        let found: [String]
        if let body, validation != .ignore {
            found = ProblemOrder.sorted(duplicates: duplicates, unknown: unknown, body: body)
        } else {
            found = duplicates.map { "duplicate field \(GoQuote.quote($0))" } + unknown
        }
        try report(problems + found, validation, warnings)
        schema.applyDefaults(&value)
        hooks.defaults(&value)
    }

    /// Says what the object is, where it does not itself. A custom resource that says something else is refused later.
    func name(_ value: inout JSONValue) {
        if schema.body.isBuiltin || value["apiVersion"] == nil { value["apiVersion"] = .string(expected.apiVersion) }
        if schema.body.isBuiltin || value["kind"] == nil { value["kind"] = .string(expected.kind) }
    }

    /// Decodes by the schema, which drops empty lists, all but one: no records of ownership are the wish to forget them.
    func decodeFields(of value: inout JSONValue, isMerged: Bool = false) throws(SchemaDecodeError) -> [String] {
        let isReset = value.value(at: FieldTracking.path) == []
        let unknown = try schema.decode(&value, keepsNulls: keepsNulls, isMerged: isMerged)
        if isReset { value.set([], at: FieldTracking.path) }
        return unknown
    }

    private func report(_ problems: [String], _ validation: FieldValidation, _ warnings: WarningList) throws(APIError) {
        guard !problems.isEmpty else { return }
        switch validation {
        case .ignore: return
        case .warn:
            for problem in problems {
                // Each line of YAML is warned of by itself.
                let lines = problem.split(separator: "\n")
                if lines.count < 2 { warnings.add(problem) }
                lines.dropFirst().forEach { warnings.add(String($0.drop { $0 == " " })) }
            }
        case .strict:
            throw .cannotHandle(expected, "strict decoding error: \(problems.joined(separator: ", "))")
        }
    }

    private func identify(_ value: inout JSONValue, _ body: [UInt8]) throws(APIError) {
        // Go reads null as nothing said.
        if case .null = value { value = [:] }
        guard case .object = value else {
            let why =
                "couldn't get version/kind; json parse error: json: cannot unmarshal \(value.typeName) into Go value of type "
                + "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"
            throw unrecognized(why, body)
        }
        for name in ["apiVersion", "kind"] {
            guard let given = value[name], !given.isNull, given.string == nil else { continue }
            let why =
                "couldn't get version/kind; json parse error: json: cannot unmarshal \(given.typeName) into Go struct field .\(name) "
                + "of type string"
            throw unrecognized(why, body)
        }
        let apiVersion = value["apiVersion"]?.string ?? ""
        let kind = value["kind"]?.string ?? ""
        let given = GroupVersion(apiVersion: apiVersion.isEmpty ? expected.apiVersion : apiVersion)
        guard let given else {
            throw unrecognized("unexpected GroupVersion string: \(apiVersion)", body)
        }
        guard schema.body.isBuiltin else { return try identifyCustom(value, body) }
        if let why = mismatch(given, apiVersion, kind) {
            let kind = kind.isEmpty ? expected.kind : kind
            throw .badRequest("\(kind) in version \(GoQuote.quote(given.version)) cannot be handled as a \(expected.kind): \(why)")
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

    /// Custom resources must say what they are; another kind is for validation to find.
    private func identifyCustom(_ value: JSONValue, _ body: [UInt8]) throws(APIError) {
        guard let kind = value["kind"]?.string, !kind.isEmpty else {
            throw unrecognized("Object 'Kind' is missing in '\(String(decoding: body, as: UTF8.self))'", body)
        }
        let apiVersion = value["apiVersion"]?.string ?? ""
        guard apiVersion == expected.apiVersion else {
            throw .badRequest(
                "the API version in the data (\(apiVersion)) does not match the expected API version (\(expected.apiVersion))"
            )
        }
    }

    /// Why an object of another built-in type is none of this; nil when it is one, or one of another version.
    func mismatch(_ given: GroupVersion, _ apiVersion: String, _ kind: String) -> String? {
        let kind = kind.isEmpty ? expected.kind : kind
        let apiVersion = apiVersion.isEmpty ? expected.apiVersion : apiVersion
        guard given != expected.groupVersion || kind != expected.kind else { return nil }
        if expected == OldScale.today, kind == expected.kind, OldScale.versions.contains(apiVersion) { return nil }
        guard WireTypes.node(apiVersion: apiVersion, kind: kind) != nil else {
            return "no kind \(GoQuote.quote(kind)) is registered for version \(GoQuote.quote(apiVersion)) "
                + "in scheme \"pkg/api/legacyscheme/scheme.go:30\""
        }
        if kind == expected.kind, given.group == expected.group { return nil }
        let package = expected.group.isEmpty || expected.group == "events.k8s.io" ? "core" : expected.group.prefix { $0 != "." }
        return "converting (\(given.version).\(kind)) to (\(package).\(expected.kind)): unknown conversion"
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
