import APIModel
import Synchronization
import Values

/// One object in an informer: encoded, with its summary; decoded when asked for. `tree` is guarded by its mutex.
public final class InformerEntry<T: APIObject>: Sendable {
    /// The object as it is kept; it has a summary.
    public let encoded: EncodedObject
    private let kept: T?
    private let tree: Mutex<DecodedTree?>

    init(_ encoded: EncodedObject, kept: T?, tree: DecodedTree? = nil) {
        self.encoded = encoded
        self.kept = kept
        self.tree = Mutex(tree)
    }

    /// The small index.
    public var summary: ObjectSummary { encoded.summary ?? ObjectSummary(name: "", namespace: "", uid: "") }

    /// `namespace/name`, or the name.
    public var key: String { encoded.key }

    /// The resource version.
    public var resourceVersion: String { encoded.resourceVersion }

    /// The object, decoded now unless the informer keeps decoded objects. An entry whose bytes have gone bad reads
    /// as an empty object with its name; it was decodable when it came.
    public var object: T {
        if let kept { return kept }
        if let shared = tree.withLock({ $0 }), let json = try? shared.value() { return T(value: json) }
        guard let json = try? encoded.decoded() else { return T(name: summary.name, namespace: summary.namespace) }
        return T(value: json)
    }

    /// The change is delivered: who asks from now on decodes for himself.
    func letGoOfTree() { tree.withLock { $0 = nil } }
}

/// One change of an informer's content.
public enum InformerChange<T: APIObject>: Sendable {
    /// The object is new to the informer.
    case added(InformerEntry<T>)
    /// The object has changed, or was listed again.
    case updated(old: InformerEntry<T>, new: InformerEntry<T>)
    /// The object is gone; what is known of its last state.
    case deleted(InformerEntry<T>)

    /// The entry the change leaves or removes.
    public var entry: InformerEntry<T> {
        switch self {
        case .added(let entry), .updated(_, let entry), .deleted(let entry): entry
        }
    }
}

/// The content of an informer with its indices. Pure.
struct InformerStore<T: APIObject> {
    typealias Entry = InformerEntry<T>

    private(set) var entries: [String: Entry] = [:]
    private var byNamespace: [String: Set<String>] = [:]
    private var byIndex: [String: [String: Set<String>]] = [:]
    private let indexers: [String: @Sendable (Entry) -> [String]]

    /// The built-in index by the uid of the controlling owner.
    static var controllerIndex: String { "controller-uid" }

    init(indexers: [String: @Sendable (Entry) -> [String]]) {
        var all = indexers
        all[Self.controllerIndex] = { $0.summary.controllerUID.map { [$0] } ?? [] }
        self.indexers = all
    }

    /// Takes one change; nil when it changes nothing.
    mutating func apply(_ type: WatchEventType, _ entry: Entry) -> InformerChange<T>? {
        let key = entry.key
        let old = entries[key]
        switch type {
        case .added, .modified:
            if let old, old.resourceVersion == entry.resourceVersion, !old.resourceVersion.isEmpty,
                old.summary.uid == entry.summary.uid
            {
                return nil
            }
            insert(key, entry, replacing: old)
            return old.map { .updated(old: $0, new: entry) } ?? .added(entry)
        case .deleted:
            guard let old else { return nil }
            remove(key, old)
            return .deleted(entry)
        case .bookmark, .error: return nil
        }
    }

    /// Takes a whole list: what is not in it is gone.
    mutating func replace(_ list: [Entry]) -> [InformerChange<T>] {
        var changes: [InformerChange<T>] = []
        var gone = Set(entries.keys)
        for entry in list {
            gone.remove(entry.key)
            if let change = apply(.modified, entry) { changes.append(change) }
        }
        for key in gone.sorted() {
            guard let old = entries[key] else { continue }
            remove(key, old)
            changes.append(.deleted(old))
        }
        return changes
    }

    func entries(namespace: String?) -> [Entry] {
        guard let namespace else { return Array(entries.values) }
        guard let keys = byNamespace[namespace] else { return [] }
        return keys.compactMap { entries[$0] }
    }

    func entries(index: String, value: String) -> [Entry] {
        guard let keys = byIndex[index]?[value] else { return [] }
        return keys.compactMap { entries[$0] }
    }

    private mutating func insert(_ key: String, _ entry: Entry, replacing old: Entry?) {
        if let old { unindex(key, old) }
        entries[key] = entry
        byNamespace[entry.summary.namespace, default: []].insert(key)
        for (name, values) in indexers {
            for value in values(entry) { byIndex[name, default: [:]][value, default: []].insert(key) }
        }
    }

    private mutating func remove(_ key: String, _ old: Entry) {
        unindex(key, old)
        entries[key] = nil
        byNamespace[old.summary.namespace]?.remove(key)
        if byNamespace[old.summary.namespace]?.isEmpty == true { byNamespace[old.summary.namespace] = nil }
    }

    private mutating func unindex(_ key: String, _ old: Entry) {
        for (name, values) in indexers {
            for value in values(old) {
                byIndex[name]?[value]?.remove(key)
                if byIndex[name]?[value]?.isEmpty == true { byIndex[name]?[value] = nil }
            }
        }
    }
}
