import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// One change of a cached object. Both states are decoded at most once, whoever asks.
final class CacheChange<T: APIObject>: Sendable {
    private struct Decoded {
        var old: T?
        var new: T?
    }

    /// Name, labels and owners before; nil for an object that is new.
    let oldSummary: ObjectSummary?
    /// The same now; nil for an object that is gone.
    let newSummary: ObjectSummary?
    private let oldEntry: InformerEntry<T>?
    private let newEntry: InformerEntry<T>?
    private let decoded = Mutex(Decoded())

    init(_ change: InformerChange<T>) {
        switch change {
        case .added(let entry): (oldEntry, newEntry) = (nil, entry)
        case .updated(let old, let new): (oldEntry, newEntry) = (old, new)
        case .deleted(let entry): (oldEntry, newEntry) = (entry, nil)
        }
        oldSummary = oldEntry?.summary
        newSummary = newEntry?.summary
    }

    /// The state before.
    var old: T? {
        decoded.withLock { decoded in
            if decoded.old == nil { decoded.old = oldEntry?.object }
            return decoded.old
        }
    }

    /// The state now.
    var new: T? {
        decoded.withLock { decoded in
            if decoded.new == nil { decoded.new = newEntry?.object }
            return decoded.new
        }
    }

    /// The newest state there is, be it the last one.
    var latest: T? { newEntry == nil ? old : new }

    /// The object's key.
    var key: String { (newEntry ?? oldEntry)?.key ?? "" }

    /// Whether the object is gone.
    var isDeletion: Bool { newEntry == nil }
}

/// The objects of one kind as the controllers read them: a shared informer, with the two indices that they need.
/// The indices are guarded by `state` and fed before any observer is told.
final class Cache<T: APIObject>: SyncedCache {
    fileprivate struct State {
        /// Keys of objects nobody controls, by namespace.
        var orphans: [String: Set<String>] = [:]
        /// Keys of pods, by node.
        var onNode: [String: Set<String>] = [:]
        var nodes: [String: String] = [:]
        var observers: [@Sendable (CacheChange<T>) -> Void] = []
    }

    private let informer: Informer<T>
    private let isAdoptable: Bool
    private let state = Mutex(State())

    init(_ informer: Informer<T>, isAdoptable: Bool) {
        self.informer = informer
        self.isAdoptable = isAdoptable
    }

    /// Starts to follow the informer; to be called once, after the observers have been added.
    func connect() {
        informer.addHandlers(Informer<T>.Handlers { [weak self] in self?.changed($0) })
    }

    /// Calls `body` after every change. It must only take note.
    func observe(_ body: @escaping @Sendable (CacheChange<T>) -> Void) {
        state.withLock { $0.observers.append(body) }
    }

    /// The revision up to which changes are known.
    var revision: UInt64 { UInt64(informer.revision) ?? 0 }

    func waitUntilSynced() async {
        // Cancellation ends the wait; the caller's own loop ends with it.
        try? await informer.waitForSync()
    }

    func get(_ key: String) -> T? { informer.get(key: key) }

    /// Name, labels and owners of an object, without decoding it.
    func summary(_ key: String) -> ObjectSummary? { informer.entry(key: key)?.summary }

    func list(namespace: String? = nil) -> [T] { informer.list(namespace) }

    func list(namespace: String?, matching selector: LabelSelector) -> [T] { informer.list(namespace, selector: selector) }

    /// Name and labels of the objects of a namespace, without decoding them.
    func summaries(namespace: String?) -> [ObjectSummary] { informer.entries(namespace).map(\.summary) }

    /// The objects whose managing owner has this uid.
    func controlled(by uid: String) -> [T] { informer.controlled(by: uid) }

    /// The objects of a namespace that nobody controls.
    func orphans(in namespace: String) -> [T] {
        state.withLock { $0.orphans[namespace] ?? [] }.sorted().compactMap { informer.get(key: $0) }
    }

    /// The pods placed on a node.
    func onNode(_ name: String) -> [T] {
        state.withLock { $0.onNode[name] ?? [] }.sorted().compactMap { informer.get(key: $0) }
    }

    /// The nodes that pods are placed on.
    var nodeNames: Set<String> { state.withLock { Set($0.onNode.keys) } }

    private func changed(_ informerChange: InformerChange<T>) {
        let change = CacheChange(informerChange)
        // Only pods are decoded here: most kinds change without anybody looking at more than the summary.
        let node = T.self == Pod.self ? (change.new as? Pod)?.spec.nodeName ?? "" : ""
        let observers = state.withLock { state in
            if isAdoptable { state.noteOrphan(change) }
            if T.self == Pod.self { state.place(change.key, on: node) }
            return state.observers
        }
        for observer in observers { observer(change) }
    }
}

extension Cache.State {
    fileprivate mutating func noteOrphan(_ change: CacheChange<T>) {
        if let old = change.oldSummary, old.controllerUID == nil { orphans[old.namespace]?.remove(change.key) }
        if let new = change.newSummary, new.controllerUID == nil { orphans[new.namespace, default: []].insert(change.key) }
        if let namespace = (change.newSummary ?? change.oldSummary)?.namespace, orphans[namespace]?.isEmpty == true {
            orphans[namespace] = nil
        }
    }

    fileprivate mutating func place(_ key: String, on node: String) {
        let before = nodes[key] ?? ""
        guard before != node else { return }
        onNode[before]?.remove(key)
        if onNode[before]?.isEmpty == true { onNode[before] = nil }
        if node.isEmpty {
            nodes[key] = nil
        } else {
            nodes[key] = node
            onNode[node, default: []].insert(key)
        }
    }
}
