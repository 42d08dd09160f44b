import Values

/// How upstream words what does not fit a type when it has an object at hand and no text: what a strategic merge made is
/// converted field by field, not parsed.
enum GoConversion {
    /// The message, or nil where upstream parses all the same.
    ///
    /// - Parameter type: What Go calls the type.
    static func mismatch(_ value: JSONValue, _ node: SchemaNode, type: String) -> String? {
        let found = value.isNull ? "invalid" : GoText.kind(value)
        switch node.shape {
        case .object: return "cannot restore struct from: \(found)"
        case .map: return "cannot restore map from \(found)"
        case .list, .bytes: return "cannot restore slice from \(found)"
        case .string, .boolean, .integer, .number:
            return isConvertible(value, node) ? "cannot convert \(found) to \(type)" : "unrecognized type: \(node.goType)"
        default: return nil
        }
    }

    /// Go converts between numbers, and an integer to a string (as a code point); the converter then refuses to.
    private static func isConvertible(_ value: JSONValue, _ node: SchemaNode) -> Bool {
        switch (value, node.shape) {
        case (.integer, .string), (.integer, .integer), (.integer, .number), (.number, .integer): true
        default: false
        }
    }
}
