import APIModel
import APIServer
import ControllerRuntime
import Store

/// Objects straight from the API server's watch caches in the same process: the same buffers, nothing encoded or
/// decoded on the way.
struct CacheSource: ObjectSource {
    let server: APIServer

    var sharesBuffers: Bool { true }

    func list(
        _ resource: GroupVersionResource,
        namespace: String?,
        options: ListOptions
    ) async throws -> (items: [EncodedObject], revision: String) {
        guard options.labelSelector.isEmpty, options.fieldSelector.isEmpty else { return try await selected(resource, namespace, options) }
        let snapshot = try await server.cachedObjects(resource.groupResource, namespace: namespace)
        return (snapshot.map(Self.encoded), String(snapshot.revision.rawValue))
    }

    func watch(
        _ resource: GroupVersionResource,
        namespace: String?,
        from revision: String,
        options: ListOptions
    ) async throws -> EncodedWatch {
        let start = Revision(UInt64(revision) ?? 0)
        let watch = try await server.cachedChanges(
            resource.groupResource,
            from: start,
            namespace: namespace,
            labelSelector: options.labelSelector,
            fieldSelector: options.fieldSelector,
            wantsBookmarks: true
        )
        return EncodedWatch {
            do {
                return try await watch.next()?.map(Self.encoded)
            } catch let error as StoreError {
                // A watcher that fell behind lists anew, as one of a remote server would.
                throw APIError.expired(error.description)
            }
        }
    }

    /// A selected list is the caches' whole list, filtered by a watch's own rules: rare, small and not worth a second path.
    private func selected(
        _ resource: GroupVersionResource,
        _ namespace: String?,
        _ options: ListOptions
    ) async throws -> (items: [EncodedObject], revision: String) {
        let matching = try server.selection(resource.groupResource, options)
        let snapshot = try await server.cachedObjects(resource.groupResource, namespace: namespace)
        return (snapshot.filter(matching).map(Self.encoded), String(snapshot.revision.rawValue))
    }

    private static func encoded(_ object: CachedObject) -> EncodedObject {
        EncodedObject(
            bytes: object.bytes,
            resourceVersion: String(object.revision.rawValue),
            summary: summary(object),
            isTerminating: object.index.damage == nil ? object.index.isTerminating : nil
        )
    }

    /// What the cache's index knows saves an informer one decoding of every object; nil for a damaged one.
    private static func summary(_ object: CachedObject) -> ObjectSummary? {
        let index = object.index
        guard index.damage == nil else { return nil }
        return ObjectSummary(
            name: object.name,
            namespace: object.namespace,
            uid: index.uid,
            labels: index.labels,
            ownerUIDs: index.ownerUIDs,
            controllerUID: index.controllerUID
        )
    }

    private static func encoded(_ event: CacheEvent) -> EncodedEvent {
        guard let object = event.object else {
            return EncodedEvent(type: .bookmark, object: EncodedObject(bytes: [], resourceVersion: String(event.revision.rawValue)))
        }
        let type: WatchEventType
        switch event.type {
        case .added: type = .added
        case .modified: type = .modified
        case .deleted: type = .deleted
        case .bookmark: type = .bookmark
        }
        // To one informer a change may be a deletion (of what was), to another an update: only the latter share.
        guard type != .deleted else { return EncodedEvent(type: type, object: encoded(object)) }
        let tree = event.companion { DecodedTree(encoded(object)) }
        return EncodedEvent(type: type, object: tree.object, tree: tree)
    }
}
