import Units
import Values

/// A lens over an object of one kind.
public protocol APIObject: Lens {
    /// The kind, in the version this lens looks at.
    static var gvk: GroupVersionKind { get }
    /// The resource that serves the kind.
    static var resource: GroupVersionResource { get }
    /// Whether objects of this kind live in a namespace.
    static var namespaced: Bool { get }
    /// What every object carries.
    var metadata: ObjectMeta { get set }
}

extension APIObject {
    /// The object's metadata; generated kinds need not repeat it.
    public var metadata: ObjectMeta {
        get { fields.lens("metadata") }
        set { fields.setLens("metadata", newValue) }
    }

    /// An object of this kind with a name.
    public init(name: String, namespace: String = "") {
        self.init(fields: [:])
        fields["apiVersion"] = .string(Self.gvk.apiVersion)
        fields["kind"] = .string(Self.gvk.kind)
        var meta = ObjectMeta()
        meta.name = name
        if !namespace.isEmpty { meta.namespace = namespace }
        metadata = meta
    }

    /// Looks at a decoded object. Throws when it is not an object or names another kind.
    public init(json: JSONValue) throws(APIError) {
        guard case .object(let object) = json else {
            throw APIError.badRequest("expected a \(Self.gvk.kind) object")
        }
        let kind = object.string("kind")
        let apiVersion = object.string("apiVersion")
        guard kind.isEmpty || kind == Self.gvk.kind, apiVersion.isEmpty || apiVersion == Self.gvk.apiVersion else {
            throw APIError.badRequest("expected \(Self.gvk.apiVersion) \(Self.gvk.kind), got \(apiVersion) \(kind)")
        }
        self.init(fields: object)
    }

    /// The object with its `apiVersion` and `kind`.
    public var json: JSONValue {
        var object = fields
        object["apiVersion"] = .string(Self.gvk.apiVersion)
        object["kind"] = .string(Self.gvk.kind)
        return .object(object)
    }

    /// The object's name.
    public var name: String { metadata.name }
    /// The object's namespace; empty for cluster-scoped kinds.
    public var namespace: String { metadata.namespace }
    /// The object's uid.
    public var uid: String { metadata.uid }
    /// The object's resource version.
    public var resourceVersion: String { metadata.resourceVersion }
    /// The object's labels.
    public var labels: [String: String] { metadata.labels }
    /// The object's annotations.
    public var annotations: [String: String] { metadata.annotations }
    /// `namespace/name`, or the name of a cluster-scoped object: the key of work queues and informers.
    public var key: String {
        let meta = metadata
        let namespace = meta.namespace
        return namespace.isEmpty ? meta.name : "\(namespace)/\(meta.name)"
    }
    /// Whether deletion has been asked for.
    public var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }

    /// A reference to this object from one it controls.
    public func controllerReference() -> OwnerReference {
        OwnerReference {
            $0.apiVersion = Self.gvk.apiVersion
            $0.kind = Self.gvk.kind
            $0.name = name
            $0.uid = uid
            $0.controller = true
            $0.blockOwnerDeletion = true
        }
    }
}

extension ObjectMeta {
    /// The owner that manages this object, if there is one.
    public var controller: OwnerReference? { ownerReferences.first { $0.controller == true } }
}
