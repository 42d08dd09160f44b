import Values

extension SchemaNode {
    /// Makes of a custom resource what upstream's decoder makes of it: unknown fields go, nulls go where none is allowed
    /// and no default comes instead, metadata is decoded as in built-in kinds. Returns the unknown fields.
    func decodeStructural(_ value: inout JSONValue, keepsNulls: Bool) throws(SchemaDecodeError) -> [String] {
        var pruning = StructuralPruning(keepsNulls: keepsNulls)
        pruning.prune(&value, self)
        if let failure = pruning.failure { throw SchemaDecodeError(message: failure) }
        return pruning.report
    }

    /// The same, leaving metadata that does not decode as it is.
    func pruneStructural(_ value: inout JSONValue) -> [String] {
        var pruning = StructuralPruning(keepsNulls: false)
        pruning.prune(&value, self)
        return pruning.report
    }
}

/// One pass over a custom resource.
///
/// Source: apiextensions-apiserver schema/pruning, schema/defaulting (prunenulls), schema/objectmeta.
private struct StructuralPruning {
    private static let own = "metadata"

    /// Whether nulls stay where none is allowed, for the validation to refuse them.
    let keepsNulls: Bool
    private(set) var failure: String?
    private var metadata: [String] = []
    private var unknown: [String] = []
    private var embedded: [String] = []

    init(keepsNulls: Bool) { self.keepsNulls = keepsNulls }

    /// As upstream's strict decoder words them: the object's metadata first, that of embedded objects last.
    var report: [String] { (metadata.sorted() + unknown.sorted() + embedded.sorted()).map { "unknown field \"\($0)\"" } }

    mutating func prune(_ value: inout JSONValue, _ node: SchemaNode) { prune(&value, node, "", isKept: false) }

    /// - Parameters:
    ///   - node: Nil where the schema says nothing.
    ///   - isKept: Whether members that the schema does not have stay.
    private mutating func prune(_ value: inout JSONValue, _ node: SchemaNode?, _ path: String, isKept: Bool) {
        let body = node?.body
        if let node, body?.isBuiltin == true { return decode(&value, node, path) }
        let keeps = isKept || body?.preservesUnknownFields == true
        switch value {
        case .object(var object):
            guard node != nil || !isKept else { return }
            value = .null
            prune(&object, body, path, keeps: keeps)
            value = .object(object)
        case .array(var list):
            // Elements without a schema of their own stay when the list may hold anything.
            let inherits = body?.preservesUnknownFields == true || isKept
            if inherits, body?.element == nil { return }
            value = .null
            for index in list.indices {
                prune(&list[index], body?.element, "\(path)[\(index)]", isKept: inherits)
            }
            value = .array(list)
        default: break
        }
    }

    private mutating func prune(_ object: inout JSONObject, _ body: SchemaBody?, _ path: String, keeps: Bool) {
        var dropped: [String] = []
        object.updateEach { key, item in
            let here = path.isEmpty ? key : "\(path).\(key)"
            guard let next = body?.field(key)?.node ?? body?.element else {
                guard !keeps else { return }
                dropped.append(key)
                unknown.append(here)
                return
            }
            if !keepsNulls, case .null = item, !next.body.isBuiltin, !next.nullable, next.defaultValue == nil, !next.isUndescribed {
                dropped.append(key)
                return
            }
            prune(&item, next, here, isKept: false)
        }
        for key in dropped { object[key] = nil }
    }

    /// `metadata` is decoded as in built-in kinds.
    private mutating func decode(_ value: inout JSONValue, _ node: SchemaNode, _ path: String) {
        var decoder = GoDecoder(root: node)
        var copy = value
        decoder.decode(node, &copy)
        if let problem = decoder.failure {
            if failure == nil { failure = path == Self.own ? problem : "\(path): Invalid value: \(value): \(problem)" }
            return
        }
        value = copy
        let prefix = "unknown field \""
        for text in decoder.unknownFields where text.hasPrefix(prefix) {
            let field = "\(path).\(text.dropFirst(prefix.count).dropLast())"
            if path == Self.own { metadata.append(field) } else { embedded.append(field) }
        }
    }
}

extension SchemaNode {
    /// Stands for `additionalProperties: true`: members may have any name, but nothing is said about what they hold.
    public static let undescribed = SchemaNode(shape: .any, body: SchemaBody(structural: StructuralFacts()))

    /// Whether the schema says nothing at all about the value.
    var isUndescribed: Bool { self === SchemaNode.undescribed }
}
