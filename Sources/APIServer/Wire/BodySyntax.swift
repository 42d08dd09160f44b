import APIModel
import HTTPTransport
import Schema
import Values

/// Reading request bodies: JSON or YAML into a value tree.
enum BodySyntax {
    /// A body with the duplicate fields that strict validation complains about.
    struct Parsed {
        var value: JSONValue
        var duplicates: [String]
    }

    /// Bodies nest at most so deep.
    static let maxDepth = 256

    /// The media types bodies may have.
    static let mediaTypes = ["application/json", "application/yaml", ProtobufDecoding.mediaType]

    /// Parses a body by its content type; JSON when none is given. Protobuf needs the schema of what it holds.
    static func parse(
        _ request: HTTPRequest,
        schema: SchemaNode,
        reportDuplicates: Bool
    ) throws(APIError) -> Parsed {
        switch mediaType(request) {
        case ProtobufDecoding.mediaType:
            do throws(ProtobufError) {
                return Parsed(value: try ProtobufDecoding.object(request.body, schema: schema), duplicates: [])
            } catch {
                throw .badRequest(error.description)
            }
        case "", "application/json": return try json(request.body, reportDuplicates: reportDuplicates)
        case "application/yaml", "application/x-yaml", "text/yaml": return try yaml(request.body)
        default: throw .unsupportedMediaType(accepted: mediaTypes)
        }
    }

    /// The content type without parameters, in lower case.
    static func mediaType(_ request: HTTPRequest) -> String {
        guard let header = request.headers["content-type"] else { return "" }
        if header == "application/json" { return header }
        return header.split(separator: ";").first.map { part in
            part.lowercased().filter { $0 != " " }
        } ?? ""
    }

    private static func json(_ bytes: [UInt8], reportDuplicates: Bool) throws(APIError) -> Parsed {
        let options = JSONParser.Options(maxDepth: maxDepth)
        do throws(JSONParseError) {
            guard reportDuplicates else { return Parsed(value: try JSONParser.parse(bytes, options: options), duplicates: []) }
            let found = try JSONParser.parseReportingDuplicates(bytes, options: options)
            return Parsed(value: found.value, duplicates: found.duplicates)
        } catch {
            throw .badRequest("couldn't get version/kind; json parse error: \(error.message)")
        }
    }

    private static func yaml(_ bytes: [UInt8]) throws(APIError) -> Parsed {
        do throws(YAMLError) {
            return Parsed(value: try YAML.parse(bytes), duplicates: [])
        } catch {
            throw .badRequest("error converting YAML to JSON: \(error.message)")
        }
    }
}
