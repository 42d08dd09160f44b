import APIModel
import Access
import Store
import Synchronization
import Values

/// Live objects for authentication, authorization and admission, from the watch caches.
struct CacheLookup: ClusterLookup {
    let resources: ServedResources
    var nodePods: NodePods?
    private let decoded = DecodedObjects()

    init(resources: ServedResources, nodePods: NodePods? = nil) {
        self.resources = resources
        self.nodePods = nodePods
    }

    func object(_ resource: GroupResource, namespace: String, name: String) -> JSONValue? {
        guard let engine = resources.engines[resource],
            let found = engine.cache.get(engine.key(namespace: namespace, name: name))
        else { return nil }
        return decoded.tree(found)
    }

    func currentObject(_ resource: GroupResource, namespace: String, name: String) async -> JSONValue? {
        guard let engine = resources.engines[resource],
            let stored = try? await engine.stored(engine.key(namespace: namespace, name: name))
        else { return nil }
        return try? JSONParser.parse(stored.bytes)
    }

    func objects(_ resource: GroupResource, namespace: String?, field: String, equals value: String) -> [JSONValue] {
        guard let engine = resources.engines[resource] else { return [] }
        return engine.cache.snapshot(namespace: namespace).compactMap { object in
            object.index.fields[field] == value ? decoded.tree(object) : nil
        }
    }

    func revision(_ resource: GroupResource) -> UInt64 {
        resources.engines[resource]?.cache.revision.rawValue ?? 0
    }

    func node(_ node: String, refersTo resource: String, namespace: String, name: String) -> Bool {
        nodePods?.refer(node, resource, namespace, name) ?? false
    }

    func objects(_ resource: GroupResource, namespace: String?) -> [JSONValue] {
        guard let engine = resources.engines[resource] else { return [] }
        return engine.cache.snapshot(namespace: namespace).compactMap { decoded.tree($0) }
    }
}

/// The trees of objects that admission asks for with every write: service accounts, namespaces, priority classes. Guarded
/// by its mutex; bounded in number and in the size of what is kept.
private final class DecodedObjects: Sendable {
    private let trees = Mutex<[String: (revision: Revision, tree: JSONValue)]>([:])
    private static let capacity = 128
    private static let largest = 4 << 10

    func tree(_ object: CachedObject) -> JSONValue? {
        if let known = trees.withLock({ $0[object.key] }), known.revision == object.revision { return known.tree }
        let bytes = object.bytes
        guard let tree = try? JSONParser.parse(bytes) else { return nil }
        guard bytes.count <= Self.largest else { return tree }
        trees.withLock { trees in
            // Whoever walks through more objects than fit finds none of them again.
            if trees.count >= Self.capacity { trees.removeAll(keepingCapacity: true) }
            trees[object.key] = (object.revision, tree)
        }
        return tree
    }
}
