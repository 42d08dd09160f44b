import APIModel
import Synchronization
import Values

/// An object as it is kept: its JSON and what must be known without decoding it. Immutable; all informers of a process that
/// are told of one change keep the same.
public final class EncodedObject: Sendable {
    /// The object's JSON. A source that shares the server's buffers leaves the resource version out of it.
    public let bytes: [UInt8]
    /// The object's resource version.
    public let resourceVersion: String
    /// What a source knows already; nil is found out by decoding once.
    public let summary: ObjectSummary?
    /// Whether its deletion was asked for; nil where the source does not say.
    public let isTerminating: Bool?
    /// The summary's key; empty without one.
    let key: String

    /// An object.
    public init(bytes: [UInt8], resourceVersion: String, summary: ObjectSummary? = nil, isTerminating: Bool? = nil) {
        self.bytes = bytes
        self.resourceVersion = resourceVersion
        self.summary = summary
        self.isTerminating = isTerminating
        key = summary?.key ?? ""
    }

    /// Half of an object is the record of who owns its fields. No program in the cluster looks at it, and who writes an
    /// object back without it leaves it as it is.
    private static let parsing = JSONParser.Options(omitting: "managedFields")

    /// The decoded object with its resource version and without its `managedFields`. Throws when the bytes are no JSON object.
    public func decoded() throws -> JSONValue {
        var json = try JSONParser.parse(bytes, options: Self.parsing)
        guard case .object = json else { throw APIError.internalError("the stored object is no JSON object") }
        if !resourceVersion.isEmpty, json.value(at: ["metadata", "resourceVersion"]) == nil {
            json.set(.string(resourceVersion), at: ["metadata", "resourceVersion"])
        }
        return json
    }
}

/// An object decoded at most once, by the first who asks. Informers let go of it once the change is delivered: it does not
/// live as long as the object is kept. Guarded by its mutex.
public final class DecodedTree: Sendable {
    /// What it is decoded from.
    public let object: EncodedObject
    private let decoded = Mutex<JSONValue?>(nil)

    /// What `object` decodes to.
    public init(_ object: EncodedObject) {
        self.object = object
    }

    /// The decoded object. Throws when the bytes are no JSON object.
    public func value() throws -> JSONValue {
        try decoded.withLock { decoded in
            if let decoded { return decoded }
            let value = try object.decoded()
            decoded = value
            return value
        }
    }
}

/// The small index an informer keeps of an object.
public struct ObjectSummary: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The namespace; empty for cluster-scoped objects.
    public var namespace: String
    /// The uid.
    public var uid: String
    /// The labels.
    public var labels: [String: String]
    /// The uids of every owner.
    public var ownerUIDs: [String]
    /// The uid of the owner that is the controller.
    public var controllerUID: String?

    /// A summary.
    public init(
        name: String,
        namespace: String,
        uid: String,
        labels: [String: String] = [:],
        ownerUIDs: [String] = [],
        controllerUID: String? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.labels = labels
        self.ownerUIDs = ownerUIDs
        self.controllerUID = controllerUID
    }

    /// What the metadata of an object says.
    public init(_ metadata: ObjectMeta) {
        name = metadata.name
        namespace = metadata.namespace
        uid = metadata.uid
        labels = metadata.labels
        let owners = metadata.ownerReferences
        ownerUIDs = owners.map(\.uid)
        controllerUID = owners.first { $0.controller == true }?.uid
    }

    /// `namespace/name`, or the name.
    public var key: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

/// One change of an encoded object.
public struct EncodedEvent: Sendable {
    /// What happened.
    public var type: WatchEventType
    /// The object; of a bookmark only the resource version.
    public var object: EncodedObject
    /// The object decoded once for all informers of the process that are told of the change.
    public var tree: DecodedTree?

    /// A change.
    public init(type: WatchEventType, object: EncodedObject, tree: DecodedTree? = nil) {
        self.type = type
        self.object = object
        self.tree = tree
    }
}

/// Changes in batches, as they come.
public struct EncodedWatch: AsyncSequence, Sendable {
    /// The changes that have come since the last batch; never empty.
    public typealias Element = [EncodedEvent]

    private let pull: @Sendable () async throws -> [EncodedEvent]?

    /// A watch that asks `pull` for the next batch; nil ends it. `pull` is never called twice at once.
    public init(_ pull: @escaping @Sendable () async throws -> [EncodedEvent]?) {
        self.pull = pull
    }

    /// Iterates the batches.
    public func makeAsyncIterator() -> Iterator {
        Iterator(pull: pull)
    }

    /// Iterates the batches of one watch.
    public struct Iterator: AsyncIteratorProtocol {
        let pull: @Sendable () async throws -> [EncodedEvent]?

        /// The next batch; nil when the watch has ended.
        public mutating func next() async throws -> [EncodedEvent]? {
            try await pull()
        }
    }
}

/// Where informers get objects from: the API, or the server's own cache in the same process.
public protocol ObjectSource: Sendable {
    /// Whether objects come from the server's own caches: whole, without being encoded or sent for it.
    var sharesBuffers: Bool { get }

    /// Every object the options select, and the revision they are consistent with; `namespace` nil is all.
    func list(
        _ resource: GroupVersionResource,
        namespace: String?,
        options: ListOptions
    ) async throws -> (items: [EncodedObject], revision: String)

    /// The changes after `revision`. Throws an `APIError` that `isExpired` when they are no longer known.
    func watch(
        _ resource: GroupVersionResource,
        namespace: String?,
        from revision: String,
        options: ListOptions
    ) async throws -> EncodedWatch
}

extension ObjectSource {
    /// What is sent over a connection is not shared.
    public var sharesBuffers: Bool { false }
}
