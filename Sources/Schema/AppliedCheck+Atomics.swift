import Values

extension AppliedCheck {
    /// Where a value has lists, maps or structs that are replaced as a whole, such as `.spec.selector`. Mutating admission
    /// policies may not write them: what they do not mention would be lost.
    ///
    /// Source: apiserver admission/plugin/policy/mutating/patch/smd.go.
    public static func atomics(in value: JSONValue, _ node: SchemaNode) -> [String] {
        var found: [String] = []
        atomics(value, node, "", &found)
        return found
    }

    private static func atomics(_ value: JSONValue, _ node: SchemaNode, _ path: String, _ found: inout [String]) {
        switch value {
        case .object(let members):
            if node.ownership(of: value) == .leaf { found.append(path) }
            // Only fields that a struct declares are looked into.
            for (key, item) in members {
                guard let field = node.field(key) else { continue }
                atomics(item, field.node, "\(path).\(key)", &found)
            }
        case .array(let items):
            if node.ownership(of: value) == .leaf { found.append(path) }
            guard let element = node.element else { return }
            for (index, item) in items.enumerated() { atomics(item, element, "\(path)[\(index)]", &found) }
        default: return
        }
    }
}
