import APIModel
import Negotiation
import Store
import Units

extension APIServer {
    /// The objects of a resource as the cache holds them: stored bytes and an index, shared, nothing decoded.
    ///
    /// Consistent: what was acknowledged before the call is in the list.
    public func cachedObjects(
        _ resource: GroupResource,
        namespace: String? = nil
    ) async throws(APIError) -> CacheSnapshot {
        guard let engine = resources.engines[resource] else { throw .resourceNotFound() }
        try await engine.catchUp()
        return engine.cache.snapshot(namespace: namespace)
    }

    /// The changes of a resource after a revision, sharing buffers with every other watcher.
    public func cachedChanges(
        _ resource: GroupResource,
        from revision: Revision,
        namespace: String? = nil,
        labelSelector: String = "",
        fieldSelector: String = "",
        wantsBookmarks: Bool = false
    ) async throws(APIError) -> CacheWatch {
        guard let engine = resources.engines[resource], let view = resources.storageView(resource) else {
            throw .resourceNotFound()
        }
        let selection = try FieldSelection(
            label: labelSelector,
            field: fieldSelector,
            accepted: view.fieldLabels,
            absent: view.absentFields
        )
        var scope: WatchScope = namespace.map { .namespace($0) } ?? .all
        if let field = selection.indexedField { scope = .field(field.label, field.value) }
        var filter: (@Sendable (CachedObject) -> Bool)?
        if !selection.isEverything {
            filter = { object in (namespace == nil || object.namespace == namespace) && selection.matches(object) }
        }
        do throws(StoreError) {
            return try await engine.cache.resume(
                from: revision,
                scope: scope,
                wantsBookmarks: wantsBookmarks,
                filter: filter
            )
        } catch {
            throw StoreFailure.apiError(error)
        }
    }

    /// The served bytes of a cached object, with its resourceVersion.
    public static func servedBytes(_ object: CachedObject) -> [UInt8] {
        guard object.splice > 0 else { return object.bytes }
        return ObjectBytes.spliced(object.bytes, splice: object.splice, revision: object.revision)
    }
}
