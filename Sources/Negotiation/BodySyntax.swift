import APIModel
import HTTPTransport
import Schema
import Values

/// Reading request bodies: JSON, YAML, protobuf or CBOR into a value tree.
public enum BodySyntax {
    /// A body with the duplicate fields that strict validation complains about.
    public struct Parsed {
        /// What the body says.
        public var value: JSONValue
        /// The paths of JSON members given twice.
        public var duplicates: [String] = []
        /// What else strict validation complains about, in full.
        public var problems: [String] = []
    }

    /// Bodies nest at most so deep.
    public static let maxDepth = 256

    /// The media types bodies may have.
    public static let mediaTypes = ResponseForm.mediaTypes

    /// Parses a body by its content type; JSON when none is given. Protobuf needs the schema of what it holds.
    public static func parse(
        _ request: HTTPRequest,
        schema: SchemaNode,
        reportDuplicates: Bool
    ) throws(APIError) -> Parsed {
        switch mediaType(request) {
        case ProtobufObject.mediaType where schema.body.structural != nil:
            // A custom resource has no messages.
            throw .unsupportedMediaType(accepted: ["application/json", "application/yaml"])
        case ProtobufObject.mediaType: return try protobuf(request.body, schema)
        case "application/cbor": return Parsed(value: try cbor(request.body))
        case "", "application/json": return try json(request.body, reportDuplicates: reportDuplicates)
        case "application/yaml": return try yaml(request.body)
        default: throw .unsupportedMediaType(accepted: mediaTypes)
        }
    }

    /// The content type without parameters, in lower case.
    public static func mediaType(_ request: HTTPRequest) -> String {
        guard let header = request.headers["content-type"] else { return "" }
        if header == "application/json" { return header }
        let parameters = header.split(separator: ";", omittingEmptySubsequences: false).dropFirst().dropLast()
        // Go takes no type with an empty parameter.
        guard parameters.allSatisfy({ part in part.contains { $0 != " " } }) else { return header }
        return header.split(separator: ";").first.map { part in
            part.lowercased().filter { $0 != " " }
        } ?? ""
    }

    private static func json(_ bytes: [UInt8], reportDuplicates: Bool) throws(APIError) -> Parsed {
        let options = JSONParser.Options(maxDepth: maxDepth)
        do throws(JSONParseError) {
            guard reportDuplicates else { return Parsed(value: try JSONParser.parse(bytes, options: options)) }
            let found = try JSONParser.parseReportingDuplicates(bytes, options: options)
            return Parsed(value: found.value, duplicates: found.duplicates)
        } catch {
            throw .badRequest("couldn't get version/kind; json parse error: \(error.message)")
        }
    }

    private static func yaml(_ bytes: [UInt8]) throws(APIError) -> Parsed {
        do throws(YAMLError) {
            let found = try YAML.parseReportingDuplicates(bytes)
            guard !found.duplicates.isEmpty else { return Parsed(value: found.value) }
            let lines = found.duplicates.map { "\n  \($0)" }.joined()
            return Parsed(value: found.value, problems: ["yaml: unmarshal errors:\(lines)"])
        } catch {
            throw .badRequest(error.message)
        }
    }

    private static func protobuf(_ bytes: [UInt8], _ schema: SchemaNode) throws(APIError) -> Parsed {
        do throws(ProtobufError) {
            guard ProtobufObject.has(schema) else {
                _ = try ProtobufObject.envelope(bytes)
                throw ProtobufError(
                    "object *unstructured.Unstructured does not implement the protobuf marshalling interface and cannot be "
                        + "encoded to a protobuf message"
                )
            }
            return Parsed(value: try ProtobufObject.decode(bytes, schema: schema))
        } catch {
            throw .badRequest(error.description)
        }
    }

    /// A CBOR document; upstream refuses keys given twice whatever the validation.
    public static func cbor(_ bytes: [UInt8]) throws(APIError) -> JSONValue {
        do throws(CBORError) {
            return try CBOR.decode(bytes, maxDepth: maxDepth)
        } catch {
            throw .badRequest("unable to determine group/version/kind: \(error.message)")
        }
    }
}
