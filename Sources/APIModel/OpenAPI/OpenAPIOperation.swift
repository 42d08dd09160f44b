import Values

/// A parameter of an operation, other than its body.
struct OpenAPIParameter: Hashable {
    /// Where clients put it.
    enum Place: String {
        case path, query
    }

    let name: String
    let type: String
    var place: Place = .query

    static let pretty = OpenAPIParameter(name: "pretty", type: "string")

    static func path(_ name: String) -> OpenAPIParameter { OpenAPIParameter(name: name, type: "string", place: .path) }
}

/// One operation, in neither dialect yet.
struct OpenAPIOperation {
    /// What is sent: the type's name, and whether it has to be there.
    struct Body {
        let type: String
        let isRequired: Bool
    }

    let id: String
    let tag: String
    var parameters: [OpenAPIParameter] = []
    var body: Body?
    /// The codes of success with their meanings.
    var codes: [(code: String, text: String)] = [("200", "OK")]
    /// The type answered; nil for a text.
    var returning: String?
    var consumes: [String] = []
    var produces: [String] = []
    /// The verb and the kind, for operations on objects.
    var action: (verb: String, kind: GroupVersionKind)?
}

/// Renders operations. Parameters that all operations of a path have stand at the path, as upstream puts them; in v2,
/// parameters stand in a section of their own and are referred to.
///
/// Source: kube-openapi builder (`findCommonParameters`, `collectSharedParameters`).
struct OpenAPIOperationWriter {
    let dialect: OpenAPIDialect
    /// The types that operations refer to.
    private(set) var types: Set<String> = []
    /// The shared parameters of v2 by name.
    private(set) var shared = JSONObject()
    private var names: [JSONValue: String] = [:]

    init(dialect: OpenAPIDialect) { self.dialect = dialect }

    /// kubectl finds out from these two whether a server knows them, and does not look behind references.
    private static let unshared: Set<String> = ["name", "fieldValidation", "dryRun"]
    private static let sharedTypes = "io.k8s.apimachinery"

    /// The item of a path.
    mutating func item(_ operations: [(method: String, operation: OpenAPIOperation)]) -> JSONObject {
        var item = JSONObject()
        var common = operations.first.map { Set($0.operation.parameters) } ?? []
        for (_, operation) in operations { common.formIntersection(operation.parameters) }
        for (method, operation) in operations {
            item[method] = .object(render(operation, without: common))
        }
        let listed = parameters(Array(common), nil)
        if !listed.isEmpty { item["parameters"] = .array(listed) }
        return item
    }

    private mutating func render(_ operation: OpenAPIOperation, without common: Set<OpenAPIParameter>) -> JSONObject {
        var out: JSONObject = ["operationId": .string(operation.id), "tags": [.string(operation.tag)]]
        if let (verb, kind) = operation.action {
            out["x-kubernetes-action"] = .string(verb)
            out["x-kubernetes-group-version-kind"] = [
                "group": .string(kind.group), "kind": .string(kind.kind), "version": .string(kind.version),
            ]
        }
        for type in [operation.body?.type, operation.returning] {
            if let type { types.insert(type) }
        }
        out["responses"] = responses(operation)
        let own = operation.parameters.filter { !common.contains($0) }
        let listed = parameters(own, dialect == .v2 ? operation.body : nil)
        if !listed.isEmpty { out["parameters"] = .array(listed) }
        switch dialect {
        case .v2:
            if !operation.consumes.isEmpty { out["consumes"] = JSONValue(operation.consumes) }
            out["produces"] = JSONValue(operation.produces)
            out["schemes"] = ["https"]
        case .v3:
            guard let body = operation.body else { break }
            var request: JSONValue = ["content": content(["$ref": dialect.reference(body.type)], operation.consumes)]
            if body.isRequired { request["required"] = true }
            out["requestBody"] = request
        }
        return out
    }

    private func responses(_ operation: OpenAPIOperation) -> JSONValue {
        var out: JSONObject = ["401": ["description": "Unauthorized"]]
        let type: JSONValue = operation.returning.map { ["$ref": dialect.reference($0)] } ?? ["type": "string"]
        for (code, text) in operation.codes {
            var response: JSONObject = ["description": .string(text)]
            switch dialect {
            case .v2: response["schema"] = type
            case .v3: response["content"] = content(type, operation.produces)
            }
            out[code] = .object(response)
        }
        return .object(out)
    }

    private func content(_ schema: JSONValue, _ media: [String]) -> JSONValue {
        .object(JSONObject(media.map { ($0, ["schema": schema]) }))
    }

    // MARK: Parameters

    private mutating func parameters(_ list: [OpenAPIParameter], _ body: OpenAPIOperation.Body?) -> [JSONValue] {
        var found = list.map { (name: $0.name, place: $0.place.rawValue, value: parameter($0)) }
        if let body {
            var value: JSONValue = ["in": "body", "name": "body", "schema": ["$ref": dialect.reference(body.type)]]
            if body.isRequired { value["required"] = true }
            if body.type.hasPrefix(Self.sharedTypes) { value = reference("body", value) }
            found.append(("body", "body", value))
        }
        return found.sorted { ($0.name, $0.place) < ($1.name, $1.place) }.map(\.value)
    }

    private mutating func parameter(_ parameter: OpenAPIParameter) -> JSONValue {
        var out: JSONObject = ["in": .string(parameter.place.rawValue), "name": .string(parameter.name)]
        if parameter.place == .path { out["required"] = true }
        switch dialect {
        case .v3:
            out["schema"] = ["type": .string(parameter.type), "uniqueItems": true]
            return .object(out)
        case .v2:
            out["uniqueItems"] = true
            out["type"] = .string(parameter.type)
            return Self.unshared.contains(parameter.name) ? .object(out) : reference(parameter.name, .object(out))
        }
    }

    /// A reference to a parameter of the shared section, under a name made from its content.
    private mutating func reference(_ name: String, _ value: JSONValue) -> JSONValue {
        if let known = names[value] { return ["$ref": .string("#/parameters/" + known)] }
        let key = name + "-" + Self.hash(value.encoded())
        names[value] = key
        shared[key] = value
        return ["$ref": .string("#/parameters/" + key)]
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    /// FNV-1's first six bytes, in the base64 of addresses.
    private static func hash(_ bytes: [UInt8]) -> String {
        let value = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 &* 0x100_0000_01b3) ^ UInt64($1) }
        return String((0..<8).map { alphabet[Int(value >> (58 - 6 * UInt64($0)) & 63)] })
    }
}
