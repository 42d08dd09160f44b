import Values

extension FieldOwnership {
    /// The set as it would have been written under the schema of today: of what has become atomic since, the whole is
    /// owned, and none of its parts. Nil when nothing has to change. What has become granular stays owned as it was.
    ///
    /// Source: structured-merge-diff typed/reconcile_schema.go.
    public static func reconciled(_ set: FieldSet, _ node: SchemaNode) -> FieldSet? {
        needsReconciling(set.tree, node) ? FieldSet(tree: reconciled(set.tree, node)) : nil
    }

    private static func needsReconciling(_ tree: JSONObject, _ node: SchemaNode) -> Bool {
        for (step, value) in tree where step != FieldNode.own {
            guard case .object(let below) = value, !below.isEmpty, let next = node.owned(step)?.node else { continue }
            if next.isOwnedAsWhole || needsReconciling(below, next) { return true }
        }
        return false
    }

    private static func reconciled(_ tree: JSONObject, _ node: SchemaNode) -> JSONObject {
        var result = FieldNode.children(tree) { step, below in
            guard !below.isEmpty, let next = node.owned(step)?.node else { return below }
            return next.isOwnedAsWhole ? [:] : reconciled(below, next)
        }
        if tree.contains(FieldNode.own) { result[FieldNode.own] = .object([:]) }
        return result
    }
}

extension SchemaNode {
    /// Whether the type says that its values have one owner each. What has no type says nothing.
    fileprivate var isOwnedAsWhole: Bool {
        switch shape {
        case .list: listType == .atomic
        case .object, .map: body.atomicMap
        default: false
        }
    }
}
