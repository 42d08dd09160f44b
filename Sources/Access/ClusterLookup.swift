import APIModel
import Values

/// How authentication, authorization and admission look at live objects. The API server answers from its watch caches.
public protocol ClusterLookup: Sendable {
    /// The object as the cache has it.
    func object(_ resource: GroupResource, namespace: String, name: String) -> JSONValue?
    /// The object as the store has it now, for what a cache may not have seen yet.
    func currentObject(_ resource: GroupResource, namespace: String, name: String) async -> JSONValue?
    /// Objects of a kind, in one namespace or all, whose selectable field `field` has the value given.
    func objects(_ resource: GroupResource, namespace: String?, field: String, equals value: String) -> [JSONValue]
    /// All objects of a kind.
    func objects(_ resource: GroupResource, namespace: String?) -> [JSONValue]
    /// Changes whenever an object of the kind does.
    func revision(_ resource: GroupResource) -> UInt64
    /// Whether a pod of the node is known to refer to the object. False may mean that it is not known yet.
    func node(_ node: String, refersTo resource: String, namespace: String, name: String) -> Bool
}

extension ClusterLookup {
    /// The objects never change.
    public func revision(_ resource: GroupResource) -> UInt64 { 0 }
    /// Knows of nothing; callers then look at the pods themselves.
    public func node(_ node: String, refersTo resource: String, namespace: String, name: String) -> Bool { false }
}

extension GroupResource {
    /// A resource of the core group.
    public static func core(_ resource: String) -> GroupResource { GroupResource(group: "", resource: resource) }
}
