import APIModel
import Access
import Store
import Values

/// Live objects for authentication, authorization and admission, from the watch caches.
struct CacheLookup: ClusterLookup {
    let resources: ServedResources
    var nodePods: NodePods?

    func object(_ resource: GroupResource, namespace: String, name: String) -> JSONValue? {
        guard let engine = resources.engines[resource],
            let found = engine.cache.get(engine.key(namespace: namespace, name: name))
        else { return nil }
        return try? JSONParser.parse(found.bytes)
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
            object.index.fields[field] == value ? try? JSONParser.parse(object.bytes) : nil
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
        return engine.cache.snapshot(namespace: namespace).compactMap { try? JSONParser.parse($0.bytes) }
    }
}
