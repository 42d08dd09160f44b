import Values

/// Encodes an OpenAPI v3 document in protobuf, in the messages of gnostic's `OpenAPIv3.proto`.
/// The numbers are those of that file. What it has no message for is left out, as its own reader of JSON does.
enum OpenAPIProtobufV3 {
    static func document(
        info: JSONValue,
        paths: [(String, JSONValue)],
        schemas: [(String, JSONValue)],
        securitySchemes: JSONValue?
    ) -> [UInt8] {
        var out = ProtobufWriter()
        out.string(1, "3.0.0")
        out.message(2) {
            $0.string(1, info["title"]?.string ?? "")
            $0.string(6, info["version"]?.string ?? "")
        }
        out.message(4) { writer in
            for (name, item) in paths { named(1, name, item, &writer, pathItem) }
        }
        out.message(5) { writer in
            if !schemas.isEmpty {
                writer.message(1) { writer in
                    for (name, schema) in schemas { named(1, name, schema, &writer, schemaOrReference) }
                }
            }
            if let securitySchemes {
                writer.message(7) { members(1, securitySchemes, &$0) { scheme, out in out.message(1) { securityScheme(scheme, &$0) } } }
            }
        }
        return out.bytes
    }

    private typealias Encoding = (JSONValue, inout ProtobufWriter) -> Void

    private static func named(_ number: Int, _ name: String, _ value: JSONValue, _ out: inout ProtobufWriter, _ encode: Encoding) {
        out.message(number) {
            $0.string(1, name)
            $0.message(2) { encode(value, &$0) }
        }
    }

    /// The members of an object, each as a message of its name and its value.
    private static func members(_ number: Int, _ value: JSONValue, _ out: inout ProtobufWriter, _ encode: Encoding) {
        for (name, member) in value.object ?? [:] { named(number, name, member, &out, encode) }
    }

    private static func securityScheme(_ scheme: JSONValue, _ out: inout ProtobufWriter) {
        for (index, field) in ["type", "description", "name", "in", "scheme", "bearerFormat"].enumerated() {
            out.string(index + 1, scheme[field]?.string ?? "")
        }
    }

    private static let methods = [
        "get": 4, "put": 5, "post": 6, "delete": 7, "options": 8, "head": 9, "patch": 10, "trace": 11,
    ]

    private static func pathItem(_ item: JSONValue, _ out: inout ProtobufWriter) {
        for (name, value) in item.object ?? [:] {
            if let number = methods[name] { out.message(number) { operation(value, &$0) } }
        }
        for value in item["parameters"]?.array ?? [] { out.message(13) { $0.message(1) { parameter(value, &$0) } } }
    }

    private static func operation(_ value: JSONValue, _ out: inout ProtobufWriter) {
        for tag in value["tags"]?.array ?? [] { out.presentString(1, tag.string ?? "") }
        out.string(3, value["description"]?.string ?? "")
        out.string(5, value["operationId"]?.string ?? "")
        for item in value["parameters"]?.array ?? [] { out.message(6) { $0.message(1) { parameter(item, &$0) } } }
        if let body = value["requestBody"] {
            out.message(7) {
                $0.message(1) {
                    $0.string(1, body["description"]?.string ?? "")
                    content(2, body["content"], &$0)
                    $0.bool(3, body["required"]?.bool ?? false)
                }
            }
        }
        if let responses = value["responses"] {
            out.message(8) { members(2, responses, &$0) { answer, out in out.message(1) { response(answer, &$0) } } }
        }
        out.bool(10, value["deprecated"]?.bool ?? false)
        extensions(13, value, &out)
    }

    private static func response(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.string(1, value["description"]?.string ?? "")
        content(3, value["content"], &out)
    }

    private static func content(_ number: Int, _ types: JSONValue?, _ out: inout ProtobufWriter) {
        guard let types else { return }
        out.message(number) {
            members(1, types, &$0) { type, out in
                if let schema = type["schema"] { out.message(1) { schemaOrReference(schema, &$0) } }
            }
        }
    }

    private static func parameter(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.string(1, value["name"]?.string ?? "")
        out.string(2, value["in"]?.string ?? "")
        out.string(3, value["description"]?.string ?? "")
        out.bool(4, value["required"]?.bool ?? false)
        if let schema = value["schema"] { out.message(10) { schemaOrReference(schema, &$0) } }
    }

    private static func schemaOrReference(_ value: JSONValue, _ out: inout ProtobufWriter) {
        if let reference = value["$ref"]?.string {
            out.message(2) { $0.string(1, reference) }
        } else {
            out.message(1) { schema(value, &$0) }
        }
    }

    private static func schema(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.bool(1, value["nullable"]?.bool ?? false)
        if let documents = value["externalDocs"] {
            out.message(6) {
                $0.string(1, documents["description"]?.string ?? "")
                $0.string(2, documents["url"]?.string ?? "")
            }
        }
        if let example = value["example"] { out.message(7) { any(example, &$0) } }
        out.string(9, value["title"]?.string ?? "")
        bounds(value, &out)
        for name in value["required"]?.array ?? [] { out.presentString(23, name.string ?? "") }
        for item in value["enum"]?.array ?? [] { out.message(24) { any(item, &$0) } }
        out.string(25, value["type"]?.string ?? "")
        for (field, number) in [("allOf", 26), ("oneOf", 27), ("anyOf", 28)] {
            for item in value[field]?.array ?? [] { out.message(number) { schemaOrReference(item, &$0) } }
        }
        if let not = value["not"] { out.message(29) { schema(not, &$0) } }
        if let items = value["items"] { out.message(30) { $0.message(1) { schemaOrReference(items, &$0) } } }
        if let properties = value["properties"] { out.message(31) { members(1, properties, &$0, schemaOrReference) } }
        if let more = value["additionalProperties"] {
            out.message(32) {
                if let allowed = more.bool { $0.presentBool(2, allowed) } else { $0.message(1) { schemaOrReference(more, &$0) } }
            }
        }
        if let preset = value["default"] { out.message(33) { defaultType(preset, &$0) } }
        out.string(34, value["description"]?.string ?? "")
        out.string(35, value["format"]?.string ?? "")
        extensions(36, value, &out)
    }

    private static func bounds(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.double(10, value["multipleOf"]?.double ?? 0)
        out.double(11, value["maximum"]?.double ?? 0)
        out.bool(12, value["exclusiveMaximum"]?.bool ?? false)
        out.double(13, value["minimum"]?.double ?? 0)
        out.bool(14, value["exclusiveMinimum"]?.bool ?? false)
        out.integer(15, value["maxLength"]?.int ?? 0)
        out.integer(16, value["minLength"]?.int ?? 0)
        out.string(17, value["pattern"]?.string ?? "")
        out.integer(18, value["maxItems"]?.int ?? 0)
        out.integer(19, value["minItems"]?.int ?? 0)
        out.bool(20, value["uniqueItems"]?.bool ?? false)
        out.integer(21, value["maxProperties"]?.int ?? 0)
        out.integer(22, value["minProperties"]?.int ?? 0)
    }

    /// A default that is an object or an array has no form there: the message stays empty.
    private static func defaultType(_ value: JSONValue, _ out: inout ProtobufWriter) {
        if let text = value.string {
            out.presentString(3, text)
        } else if let flag = value.bool {
            out.presentBool(2, flag)
        } else if let number = value.double {
            out.presentDouble(1, number)
        }
    }

    private static func extensions(_ number: Int, _ value: JSONValue, _ out: inout ProtobufWriter) {
        for (name, item) in value.object ?? [:] where name.hasPrefix("x-") {
            out.message(number) {
                $0.string(1, name)
                $0.message(2) { any(item, &$0) }
            }
        }
    }

    /// Clients read an arbitrary value from its YAML text; JSON is YAML.
    private static func any(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.string(2, value.description + "\n")
    }
}
