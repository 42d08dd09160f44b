import APIModel
import Access
import Channels
import Negotiation
import Store
import Units
import Values

/// All verbs of one kind. The same code serves every built-in kind and, later, every custom resource; what differs is in
/// the descriptor, its hooks, the traits and, for the few kinds that own something outside their object, a `StorageStep`.
final class ResourceEngine: Sendable {
    let descriptor: KindDescriptor
    let resource: GroupResource
    let traits: ResourceTraits
    /// `/registry/<group or core>/<plural>/`
    let prefix: String
    let cache: ResourceCache
    let indexer: ObjectIndexer
    let environment: ServerEnvironment
    let step: (any StorageStep)?

    init(_ descriptor: KindDescriptor, environment: ServerEnvironment, step: (any StorageStep)? = nil) {
        self.descriptor = descriptor
        self.environment = environment
        self.step = step
        resource = descriptor.groupResource
        traits = ResourceTraits(resource, isCustom: descriptor.isCustom)
        prefix = "/registry/\(descriptor.group.isEmpty ? "core" : descriptor.group)/\(descriptor.plural)/"
        let indexer = ObjectIndexer(descriptor, prefix: prefix)
        self.indexer = indexer
        cache = ResourceCache(
            prefix: prefix,
            store: environment.store,
            indexer: { indexer($0) },
            historyCapacity: indexer.packs ? Self.packedHistory : environment.configuration.cacheHistory
        )
    }

    /// Large objects have a short history in memory; older changes are read from the store.
    private static let packedHistory = 16

    /// The key of an object.
    func key(namespace: String, name: String) -> String {
        descriptor.namespaced ? "\(prefix)\(namespace)/\(name)" : prefix + name
    }

    /// What was there before or is there after a write.
    struct Stored: Sendable {
        let key: String
        /// Without resourceVersion.
        let bytes: [UInt8]
        let revision: Revision

        /// With resourceVersion.
        var served: [UInt8] { ObjectBytes.spliced(bytes, revision: revision) }
    }

    /// The newest stored state of an object.
    func stored(_ key: String) async throws(APIError) -> Stored? {
        do throws(StoreError) {
            guard let entry = try await environment.store.get(key).entry else { return nil }
            return Stored(key: key, bytes: indexer.restored(entry.value), revision: entry.revision)
        } catch {
            throw StoreFailure.apiError(error)
        }
    }

    /// The newest stored state, or 404.
    func existing(namespace: String, name: String) async throws(APIError) -> Stored {
        guard let stored = try await stored(key(namespace: namespace, name: name)) else { throw .notFound(resource, name) }
        return stored
    }

    /// The tree of stored bytes.
    func tree(_ stored: Stored) throws(APIError) -> JSONValue {
        do throws(JSONParseError) {
            return try JSONParser.parse(stored.bytes)
        } catch {
            throw .internalError("unable to decode \(stored.key): \(error.message)")
        }
    }

    func hookContext(_ write: WriteContext) -> HookContext {
        var context = HookContext(
            now: write.now,
            random: environment.random,
            user: write.user.name,
            groups: write.user.groups,
            dryRun: write.isDryRun,
            namespace: write.namespace,
            subresource: write.subresource
        )
        context.userID = write.user.uid
        context.userExtra = write.user.extra
        context.version = write.version
        return context
    }
}

/// Maps the store's errors to what clients see.
enum StoreFailure {
    static func apiError(_ error: StoreError) -> APIError {
        switch error.code {
        case .compacted: .expired("The provided resource version is too old: \(error.message)")
        case .futureRevision(let current): .tooLargeResourceVersion(asked: 0, current: current.rawValue)
        case .full: APIError(code: 500, reason: "", message: "etcdserver: mvcc: database space exceeded: \(error.message)")
        case .tooLarge: .requestEntityTooLarge("etcdserver: request is too large")
        case .closed, .unavailable, .slow: .serviceUnavailable(error.message)
        default: .internalError(error.message)
        }
    }
}

/// One write and who asks for it.
struct WriteContext: Sendable {
    var user: UserIdentity
    var now: Timestamp
    var namespace: String
    var name: String
    var subresource = ""
    var isDryRun = false
    /// Empty for the server's own writes, which are not admitted.
    var admission: AdmissionChain
    var warnings: WarningList
    /// The version the client speaks.
    var version: String
    /// The options that the client gave, as admission sees them, without their kind.
    var options: JSONValue?
    /// Whether the object is one of a collection, and not named by the request.
    var isOfCollection = false
    /// Under which name fields are written.
    var fieldManager = ""
    /// Whether a new object keeps the status it comes with: the server's own objects do.
    var keepsStatus = false
    /// Whether the object brings its field records along.
    var keepsFieldRecords = false
    /// What the records of who owns which fields need to know; nil keeps no records.
    var owned: OwnedWrite?

    /// The entry of `managedFields` that a write other than an apply is noted under.
    func fieldWriter(_ view: ResourceView) -> ManagedFields.Manager {
        ManagedFields.Manager(
            name: fieldManager.isEmpty ? "unknown" : fieldManager,
            operation: "Update",
            apiVersion: view.gvk.apiVersion,
            subresource: subresource
        )
    }
}

/// What some kinds own outside their object, e.g. a service's address. Called after the mutating plugins and before the kind's hooks;
/// `undo` runs when the write failed, and `finish`, with what is stored now, when it happened.
protocol StorageStep: Sendable {
    /// Before an object is stored for the first time (`old` nil) or changed.
    func prepare(_ object: inout JSONValue, old: JSONValue?, isDryRun: Bool) async throws(APIError) -> StorageClaim
    /// After an object was removed.
    func removed(_ object: JSONValue) async
}

/// What a step has claimed for a write that is not decided yet.
struct StorageClaim: Sendable {
    var undo: @Sendable () async -> Void = {}
    var finish: @Sendable (JSONValue) async -> Void = { _ in }
}
