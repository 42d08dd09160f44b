import Values

/// Checks an applied configuration against its type the way server-side apply does: what the schema does not declare,
/// cannot tell apart or finds of the wrong type is an error, whatever the field validation asked for.
public enum AppliedCheck {
    /// The errors in one text, as upstream words them; nil when there is none.
    public static func problem(in value: JSONValue, _ node: SchemaNode) -> String? {
        var found: [String] = []
        run(value, node, "", &found)
        if found.count <= 1 { return found.first }
        return (["errors:"] + found.map { "  \($0)" }).joined(separator: "\n")
    }

    private static func run(_ value: JSONValue, _ node: SchemaNode, _ path: String, _ found: inout [String]) {
        if case .null = value { return }
        switch (node.shape, value) {
        // An object of which nothing is declared may have any members; pruning takes them away later.
        case (.object, .object) where node.fields.isEmpty && node.element == nil: return
        case (.object, .object(let object)):
            for (key, item) in object {
                if let field = node.field(key) {
                    run(item, field.node, "\(path).\(key)", &found)
                } else if let element = node.element {
                    run(item, element, "\(path).\(key)", &found)
                } else if !node.body.preservesUnknownFields {
                    add("\(path).\(key)", "field not declared in schema", &found)
                }
            }
        case (.map, .object(let object)):
            for (key, item) in object { run(item, node.element ?? .anything, "\(path).\(key)", &found) }
        case (.object, _), (.map, _): add(path, "expected map, got \(GoType.value(value))", &found)
        case (.list, .array(let list)): elements(list, node, path, &found)
        case (.list, _): add(path, "expected list, got \(GoType.value(value))", &found)
        case (.string, .string), (.bytes, .string), (.time, .string), (.microTime, .string), (.duration, .string): return
        case (.string, _), (.bytes, _), (.time, _), (.microTime, _), (.duration, _):
            add(path, "expected string, got &value.valueUnstructured{Value:\(GoType.syntax(value))}", &found)
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number): return
        case (.integer, _), (.number, _): add(path, "expected numeric (int or float), got \(GoType.name(value))", &found)
        case (.boolean, .bool): return
        case (.boolean, _): add(path, "expected boolean, got &\(GoType.holder(value))", &found)
        case (.intOrString, .object), (.intOrString, .array), (.quantity, .object), (.quantity, .array):
            add(path, "expected any scalar, got &\(GoType.holder(value))", &found)
        default: return
        }
    }

    private static func elements(_ list: [JSONValue], _ node: SchemaNode, _ path: String, _ found: inout [String]) {
        let element = node.element ?? .anything
        guard node.listType != .atomic else {
            for (index, item) in list.enumerated() { run(item, element, "\(path)[\(index)]", &found) }
            return
        }
        var seen: Set<String> = []
        for (index, item) in list.enumerated() {
            if let problem = identityProblem(item, node) {
                add(path, "element \(index): \(problem)", &found)
                continue
            }
            guard let step = node.step(of: item), let words = FieldStep(text: step)?.description else { continue }
            if !seen.insert(step).inserted { add(path, "duplicate entries for key \(words)", &found) }
            run(item, element, path + words, &found)
        }
    }

    /// Why an element cannot be told from the others; nil when it can.
    private static func identityProblem(_ item: JSONValue, _ node: SchemaNode) -> String? {
        guard case .map(let keys) = node.listType else {
            switch item {
            case .object: return "associative list without keys has an element that's a map type"
            case .array: return "not supported: associative list with lists as elements"
            case .null: return "associative list without keys has an element that's an explicit null"
            default: return nil
            }
        }
        guard item != .null else { return "associative list with keys may not have a null element" }
        guard case .object(let object) = item else { return "associative list with keys may not have non-map elements" }
        guard node.step(of: .object(object)) == nil else { return nil }
        let names = keys.map { GoQuote.quote($0) }.joined(separator: " ")
        return "associative list with keys has an element that omits all key fields [\(names)] "
            + "(and doesn't have default values for any key fields)"
    }

    private static func add(_ path: String, _ words: String, _ found: inout [String]) {
        found.append(path.isEmpty ? words : "\(path): \(words)")
    }
}

/// How Go prints the types and values in these messages.
private enum GoType {
    static func name(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .integer: "int64"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    static func value(_ value: JSONValue) -> String { "&\(holder(value))" }

    /// As `%#v` prints it.
    static func syntax(_ value: JSONValue) -> String {
        switch value {
        case .null: return "interface {}(nil)"
        case .string(let text): return GoQuote.quote(text)
        case .array(let items): return "[]interface {}{\(items.map(syntax).joined(separator: ", "))}"
        case .object(let members):
            let sorted = members.sorted { $0.key < $1.key }
            return "map[string]interface {}{\(sorted.map { "\(GoQuote.quote($0.key)):\(syntax($0.value))" }.joined(separator: ", "))}"
        default: return GoText.print(value)
        }
    }

    static func holder(_ value: JSONValue) -> String { "{\(GoText.print(value))}" }
}
