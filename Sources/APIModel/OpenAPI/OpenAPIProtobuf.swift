import Values

/// Encodes an OpenAPI v2 document in protobuf, in the messages of gnostic's `OpenAPIv2.proto`, which kubectl decodes.
/// The numbers are those of that file.
enum OpenAPIProtobuf {
    static func document(
        info: JSONValue,
        paths: [(String, JSONValue)],
        definitions: [(String, JSONValue)],
        parameters: JSONObject = [:]
    ) -> [UInt8] {
        var out = ProtobufWriter()
        out.string(1, "2.0")
        out.message(2) {
            $0.string(1, info["title"]?.string ?? "")
            $0.string(2, info["version"]?.string ?? "")
        }
        out.message(8) { writer in
            for (name, item) in paths {
                writer.message(2) {
                    $0.string(1, name)
                    $0.message(2) { pathItem(item, &$0) }
                }
            }
        }
        out.message(9) { writer in
            for (name, definition) in definitions {
                writer.message(1) {
                    $0.string(1, name)
                    $0.message(2) { schema(definition, &$0) }
                }
            }
        }
        if !parameters.isEmpty {
            out.message(10) { writer in
                for (name, value) in parameters {
                    writer.message(1) {
                        $0.string(1, name)
                        $0.message(2) { parameter(value, &$0) }
                    }
                }
            }
        }
        security(&out)
        return out.bytes
    }

    private static func security(_ out: inout ProtobufWriter) {
        for requirement in OpenAPISecurity.required.array ?? [] {
            out.message(12) { writer in
                for (name, _) in requirement.object ?? [:] {
                    writer.message(1) {
                        $0.string(1, name)
                        $0.message(2) { _ in }
                    }
                }
            }
        }
        out.message(13) { writer in
            for (name, scheme) in OpenAPISecurity.schemes.object ?? [:] {
                writer.message(1) {
                    $0.string(1, name)
                    $0.message(2) { $0.message(2) { apiKey(scheme, &$0) } }
                }
            }
        }
    }

    private static func apiKey(_ scheme: JSONValue, _ out: inout ProtobufWriter) {
        for (number, field) in ["type", "name", "in", "description"].enumerated() {
            out.string(number + 1, scheme[field]?.string ?? "")
        }
    }

    private static let methods = ["get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8]

    private static func pathItem(_ item: JSONValue, _ out: inout ProtobufWriter) {
        guard case .object(let members) = item else { return }
        for (name, value) in members {
            if let number = methods[name] {
                out.message(number) { operation(value, &$0) }
            } else if name == "parameters" {
                for parameter in value.array ?? [] { out.message(9) { parameterItem(parameter, &$0) } }
            }
        }
    }

    private static func operation(_ value: JSONValue, _ out: inout ProtobufWriter) {
        for tag in value["tags"]?.array ?? [] { out.string(1, tag.string ?? "") }
        out.string(5, value["operationId"]?.string ?? "")
        for type in value["produces"]?.array ?? [] { out.string(6, type.string ?? "") }
        for type in value["consumes"]?.array ?? [] { out.string(7, type.string ?? "") }
        for parameter in value["parameters"]?.array ?? [] { out.message(8) { parameterItem(parameter, &$0) } }
        out.message(9) { writer in
            for (code, response) in value["responses"]?.object ?? [:] {
                writer.message(1) {
                    $0.string(1, code)
                    $0.message(2) { $0.message(1) { responseBody(response, &$0) } }
                }
            }
        }
        for scheme in value["schemes"]?.array ?? [] { out.string(10, scheme.string ?? "") }
        extensions(value, 13, &out)
    }

    private static func responseBody(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.string(1, value["description"]?.string ?? "")
        if let type = value["schema"] { out.message(2) { $0.message(1) { schema(type, &$0) } } }
    }

    private static func parameterItem(_ value: JSONValue, _ out: inout ProtobufWriter) {
        if let reference = value["$ref"]?.string {
            out.message(2) { $0.string(1, reference) }
        } else {
            out.message(1) { parameter(value, &$0) }
        }
    }

    private static func parameter(_ value: JSONValue, _ parameter: inout ProtobufWriter) {
        let required = value["required"]?.bool ?? false
        let name = value["name"]?.string ?? ""
        switch value["in"]?.string {
        case "body":
            parameter.message(1) {
                $0.string(2, name)
                $0.string(3, "body")
                $0.bool(4, required)
                if let type = value["schema"] { $0.message(5) { schema(type, &$0) } }
            }
        case "query": parameter.message(2) { $0.message(3) { plain(value, name, required, shift: 1, &$0) } }
        default: parameter.message(2) { $0.message(4) { plain(value, name, required, shift: 0, &$0) } }
        }
    }

    /// A query or path parameter; a query parameter's later numbers are one higher.
    private static func plain(
        _ value: JSONValue,
        _ name: String,
        _ required: Bool,
        shift: Int,
        _ out: inout ProtobufWriter
    ) {
        out.bool(1, required)
        out.string(2, value["in"]?.string ?? "")
        out.string(4, name)
        out.string(5 + shift, value["type"]?.string ?? "")
        out.bool(19 + shift, value["uniqueItems"]?.bool ?? false)
    }

    private static func schema(_ value: JSONValue, _ out: inout ProtobufWriter) {
        out.string(1, value["$ref"]?.string ?? "")
        out.string(2, value["format"]?.string ?? "")
        out.string(4, value["description"]?.string ?? "")
        for name in value["required"]?.array ?? [] { out.string(19, name.string ?? "") }
        for item in value["enum"]?.array ?? [] { out.message(20) { any(item, &$0) } }
        if let more = value["additionalProperties"] { out.message(21) { $0.message(1) { schema(more, &$0) } } }
        if let type = value["type"]?.string { out.message(22) { $0.string(1, type) } }
        if let items = value["items"] { out.message(23) { $0.message(1) { schema(items, &$0) } } }
        if case .object(let properties)? = value["properties"] {
            out.message(25) { writer in
                for (name, property) in properties {
                    writer.message(1) {
                        $0.string(1, name)
                        $0.message(2) { schema(property, &$0) }
                    }
                }
            }
        }
        extensions(value, 31, &out)
    }

    private static func extensions(_ value: JSONValue, _ number: Int, _ out: inout ProtobufWriter) {
        guard case .object(let members) = value else { return }
        for (name, item) in members where name.hasPrefix("x-") {
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

/// Appends protobuf fields. A message is written in place and its length put in front.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func string(_ number: Int, _ text: String) {
        if !text.isEmpty { presentString(number, text) }
    }

    /// Writes a text even if it is empty: a member of a oneof, or of a list.
    mutating func presentString(_ number: Int, _ text: String) {
        tag(number, wire: 2)
        varint(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    mutating func bool(_ number: Int, _ value: Bool) {
        if value { presentBool(number, value) }
    }

    /// Writes false, too: a member of a oneof.
    mutating func presentBool(_ number: Int, _ value: Bool) {
        tag(number, wire: 0)
        bytes.append(value ? 1 : 0)
    }

    mutating func integer(_ number: Int, _ value: Int64) {
        guard value != 0 else { return }
        tag(number, wire: 0)
        varint(UInt64(bitPattern: value))
    }

    mutating func double(_ number: Int, _ value: Double) {
        if value != 0 { presentDouble(number, value) }
    }

    /// Writes zero, too: a member of a oneof.
    mutating func presentDouble(_ number: Int, _ value: Double) {
        tag(number, wire: 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func message(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        tag(number, wire: 2)
        varint(UInt64(inner.bytes.count))
        bytes += inner.bytes
    }

    private mutating func tag(_ number: Int, wire: UInt64) { varint(UInt64(number) << 3 | wire) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
