import APIModel
import Store

extension APIServer {
    /// Tells which cached objects of a resource the selectors of `options` choose.
    /// - Throws: `APIError` for a selector that is none, or a field label that the kind does not know.
    public func selection(_ resource: GroupResource, _ options: ListOptions) throws(APIError) -> @Sendable (CachedObject) -> Bool {
        guard let view = resources.storageView(resource) else { throw .resourceNotFound() }
        let selection = try FieldSelection(
            label: options.labelSelector,
            field: options.fieldSelector,
            accepted: view.fieldLabels,
            absent: view.absentFields
        )
        return { selection.matches($0) }
    }
}
