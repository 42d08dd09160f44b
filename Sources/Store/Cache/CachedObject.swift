/// What selectors, dispatch and controllers ask of an object without decoding it.
public struct ObjectIndex: Sendable, Hashable {
    /// `metadata.labels`.
    public var labels: [String: String]
    /// The values of the kind's selectable fields, by field label (`spec.nodeName`, `status.phase` …).
    public var fields: [String: String]
    /// `metadata.uid`.
    public var uid: String
    /// `metadata.deletionTimestamp` is set.
    public var isTerminating: Bool
    /// The uids in `metadata.ownerReferences`.
    public var ownerUIDs: [String] = []
    /// The uid of the owner that is the controller.
    public var controllerUID: String?
    /// Why the object could not be decoded; nil for a healthy one. Such an object is kept and served as far as possible.
    public var damage: String?

    /// An index as an indexer builds it.
    public init(
        labels: [String: String] = [:],
        fields: [String: String] = [:],
        uid: String = "",
        isTerminating: Bool = false,
        damage: String? = nil
    ) {
        self.labels = labels
        self.fields = fields
        self.uid = uid
        self.isTerminating = isTerminating
        self.damage = damage
    }
}

/// One object as the cache keeps it: the stored bytes, shared with the store, and a small index.
///
/// Copying one copies a reference and a number.
public struct CachedObject: Sendable {
    private final class Content: Sendable {
        let key: String
        let namespace: String
        let name: String
        let bytes: [UInt8]
        /// Yields the bytes of an object that is kept packed; `bytes` is empty then.
        let unpack: (@Sendable () -> [UInt8])?
        let weight: Int
        let splice: Int
        let index: ObjectIndex

        init(
            key: String,
            namespace: String,
            name: String,
            bytes: [UInt8],
            unpack: (@Sendable () -> [UInt8])? = nil,
            weight: Int,
            splice: Int,
            index: ObjectIndex
        ) {
            self.key = key
            self.namespace = namespace
            self.name = name
            self.bytes = bytes
            self.unpack = unpack
            self.weight = weight
            self.splice = splice
            self.index = index
        }
    }

    private let content: Content
    /// What `metadata.resourceVersion` is served as: the last write, or the deletion for a deleted object.
    public let revision: Revision

    /// An object as an indexer makes it.
    ///
    /// - Parameters:
    ///   - bytes: The stored JSON, without `metadata.resourceVersion`.
    ///   - splice: Where in `bytes` `"resourceVersion":"N",` is inserted when served.
    public init(
        key: String,
        namespace: String,
        name: String,
        revision: Revision,
        bytes: [UInt8],
        splice: Int,
        index: ObjectIndex
    ) {
        content = Content(
            key: key,
            namespace: namespace,
            name: name,
            bytes: bytes,
            weight: bytes.count,
            splice: splice,
            index: index
        )
        self.revision = revision
    }

    /// An object that is large and seldom read: its bytes are unpacked whenever somebody asks for them.
    ///
    /// - Parameters:
    ///   - packedSize: What is kept in memory, in bytes.
    ///   - unpack: Yields the stored JSON, without `metadata.resourceVersion`.
    public init(
        key: String,
        namespace: String,
        name: String,
        revision: Revision,
        packedSize: Int,
        splice: Int,
        index: ObjectIndex,
        unpack: @escaping @Sendable () -> [UInt8]
    ) {
        content = Content(
            key: key,
            namespace: namespace,
            name: name,
            bytes: [],
            unpack: unpack,
            weight: packedSize,
            splice: splice,
            index: index
        )
        self.revision = revision
    }

    private init(content: Content, revision: Revision) {
        self.content = content
        self.revision = revision
    }

    /// The key in the store.
    public var key: String { content.key }
    /// `metadata.namespace`; empty for cluster-scoped kinds.
    public var namespace: String { content.namespace }
    /// `metadata.name`.
    public var name: String { content.name }
    /// The stored JSON without resourceVersion.
    public var bytes: [UInt8] { content.unpack.map { $0() } ?? content.bytes }
    /// How many bytes of JSON are kept in memory for it.
    public var weight: Int { content.weight }
    /// The offset in `bytes` where the resourceVersion belongs.
    public var splice: Int { content.splice }
    /// What can be asked without decoding.
    public var index: ObjectIndex { content.index }

    /// The same object as of another revision, as a DELETED event shows it.
    public func at(_ revision: Revision) -> CachedObject {
        CachedObject(content: content, revision: revision)
    }

    /// Whether both are the same stored object, not only equal ones.
    func isIdentical(to other: CachedObject) -> Bool { content === other.content }
}

extension CachedObject: KeyedEntry {}
