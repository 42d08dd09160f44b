/// Why a text is not YAML, in the words of upstream's YAML library.
public struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For example `yaml: line 3: mapping values are not allowed in this context`.
    public var message: String

    /// An error with its text.
    public init(_ message: String) { self.message = message }

    /// The text as upstream's API machinery words it.
    public var description: String { "error converting YAML to JSON: \(message)" }
}

/// YAML 1.1 as Kubernetes reads it, to and from JSON values.
public enum YAML {
    /// How deep collections may nest.
    public static let maxDepth = JSONParser.defaultMaxDepth
    /// How many values the aliases of one document may expand to.
    public static let maxExpandedValues = 200_000

    /// Parses the first document of a text; an empty text is `null`.
    public static func parse(_ bytes: [UInt8]) throws(YAMLError) -> JSONValue {
        try parseReportingDuplicates(bytes).value
    }

    /// Parses the first document of a text.
    public static func parse(_ text: String) throws(YAMLError) -> JSONValue { try parse(Array(text.utf8)) }

    /// Parses the first document; lists keys given twice as `line 4: key "foo" already set in map`.
    public static func parseReportingDuplicates(
        _ bytes: [UInt8]
    ) throws(YAMLError) -> (value: JSONValue, duplicates: [String]) {
        let reader = YAMLReader(bytes)
        let value = try reader.nextDocument() ?? .null
        return (value, reader.duplicates)
    }

    /// Parses every document of a stream; empty documents are left out.
    public static func parseAll(_ bytes: [UInt8]) throws(YAMLError) -> [JSONValue] {
        let reader = YAMLReader(bytes)
        var documents: [JSONValue] = []
        while let document = try reader.nextDocument() {
            if !document.isNull { documents.append(document) }
        }
        return documents
    }
}
