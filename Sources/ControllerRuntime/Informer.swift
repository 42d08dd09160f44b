import APIModel
import Channels
import Logging
import Synchronization
import Units
import Values

/// Keeps a copy of the objects of one kind current: lists, watches, resumes, lists again when it must.
///
/// Content guarded by `state`; handlers are called one change after the other, after the content has changed, on
/// the task that runs the informer.
public final class Informer<T: APIObject>: Sendable {
    /// An object with its index.
    public typealias Entry = InformerEntry<T>

    /// What is told of changes. Called synchronously: it must only take note, such as queueing a key.
    public struct Handlers: Sendable {
        let change: @Sendable (InformerChange<T>) -> Void

        /// One closure for everything; decoding is left to it.
        public init(_ change: @escaping @Sendable (InformerChange<T>) -> Void) {
            self.change = change
        }

        /// A closure each; the objects are decoded for the ones that are set.
        public init(
            onAdd: (@Sendable (T) -> Void)? = nil,
            onUpdate: (@Sendable (T, T) -> Void)? = nil,
            onDelete: (@Sendable (T) -> Void)? = nil
        ) {
            change = { change in
                switch change {
                case .added(let entry): onAdd?(entry.object)
                case .updated(let old, let new): onUpdate?(old.object, new.object)
                case .deleted(let entry): onDelete?(entry.object)
                }
            }
        }
    }

    private struct State {
        var store: InformerStore<T>
        var handlers: [Handlers] = []
        var revision = ""
        var isRunning = false
    }

    /// The resource watched.
    public let resource: GroupVersionResource
    private let source: any ObjectSource
    private let namespace: String?
    private let options: ListOptions
    private let keepsDecoded: Bool
    private let clock: any ClusterClock
    private let random: any RandomSource
    private let log: Logger
    private let state: Mutex<State>
    /// Held while handlers are called, so that a handler that joins late misses nothing and sees nothing twice.
    private let delivery = Mutex(())
    private let synced = Signal(false)

    /// An informer; nothing happens before `run`.
    ///
    /// - Parameters:
    ///   - namespace: only objects of this namespace; nil is all.
    ///   - options: label and field selectors.
    ///   - indexers: further indices, by name: the values under which an entry is found.
    ///   - keepsDecoded: keep the decoded objects too: faster to read, several times the memory.
    public init(
        source: any ObjectSource,
        resource: GroupVersionResource = T.resource,
        namespace: String? = nil,
        options: ListOptions = ListOptions(),
        indexers: [String: @Sendable (Entry) -> [String]] = [:],
        keepsDecoded: Bool = false,
        clock: any ClusterClock = SystemClock(),
        random: any RandomSource = SystemRandom(),
        log: Logger = Logger(label: "informer")
    ) {
        self.source = source
        self.resource = resource
        self.namespace = namespace
        self.options = options
        self.keepsDecoded = keepsDecoded
        self.clock = clock
        self.random = random
        var log = log
        log[metadataKey: "resource"] = "\(resource.groupResource)"
        self.log = log
        state = Mutex(State(store: InformerStore(indexers: indexers)))
    }

    // MARK: Reading

    /// Whether the first list is in.
    public var hasSynced: Bool { synced.value }

    /// Waits for the first list. Throws `CancellationError`.
    public func waitForSync() async throws {
        try await synced.wait { $0 }
    }

    /// The revision up to which changes are known.
    public var revision: String { state.withLock { $0.revision } }

    /// The number of objects.
    public var count: Int { state.withLock { $0.store.entries.count } }

    /// One object.
    public func get(_ namespace: String?, _ name: String) -> T? {
        entry(namespace, name)?.object
    }

    /// One object by its key, `namespace/name` or the name.
    public func get(key: String) -> T? {
        entry(key: key)?.object
    }

    /// One entry, not decoded.
    public func entry(_ namespace: String?, _ name: String) -> Entry? {
        let key = namespace.map { $0.isEmpty ? name : "\($0)/\(name)" } ?? name
        return entry(key: key)
    }

    /// One entry by its key, not decoded.
    public func entry(key: String) -> Entry? {
        state.withLock { $0.store.entries[key] }
    }

    /// The objects of a namespace, or all, in the order of their keys.
    public func list(_ namespace: String? = nil) -> [T] {
        entries(namespace).map { $0.object }
    }

    /// The objects of a namespace, or all, whose labels match.
    public func list(_ namespace: String? = nil, selector: LabelSelector) -> [T] {
        entries(namespace).filter { selector.matches($0.summary.labels) }.map { $0.object }
    }

    /// The entries of a namespace, or all, in the order of their keys, not decoded.
    public func entries(_ namespace: String? = nil) -> [Entry] {
        Self.inOrder(state.withLock { $0.store.entries(namespace: namespace) })
    }

    /// The objects found under `value` in an index.
    public func byIndex(_ index: String, _ value: String) -> [T] {
        entries(index: index, value).map { $0.object }
    }

    /// The entries found under `value` in an index, in the order of their keys.
    public func entries(index: String, _ value: String) -> [Entry] {
        Self.inOrder(state.withLock { $0.store.entries(index: index, value: value) })
    }

    /// Most questions find nothing or one: every new pod asks for the disruption budgets of its namespace.
    private static func inOrder(_ entries: [Entry]) -> [Entry] {
        entries.count < 2 ? entries : entries.sorted { $0.key < $1.key }
    }

    /// The objects whose controlling owner has this uid.
    public func controlled(by uid: String) -> [T] {
        byIndex(InformerStore<T>.controllerIndex, uid)
    }

    /// Adds handlers; objects known already are told as added.
    public func addHandlers(_ handlers: Handlers) {
        delivery.withLock { _ in
            let known = state.withLock { state in
                state.handlers.append(handlers)
                return Array(state.store.entries.values)
            }
            for entry in known.sorted(by: { $0.key < $1.key }) { handlers.change(.added(entry)) }
        }
    }

    /// Queues the key of every object that changes.
    public func addHandlers(queueing queue: WorkQueue<String>) {
        addHandlers(Handlers { queue.add($0.entry.key) })
    }

    // MARK: Running

    /// Keeps the content current until the task is cancelled.
    public func run() async {
        let isFirst = state.withLock { state in
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard isFirst else { return }
        defer { state.withLock { $0.isRunning = false } }
        var pause = RelistPause(random: random)
        var mustList = true
        while !Task.isCancelled {
            do {
                if mustList {
                    try await relist()
                    mustList = false
                }
                let began = clock.monotonic
                try await follow()
                // a server that ends every watch at once must not be asked without pause
                if clock.monotonic - began < .seconds(1) { try await clock.sleep(for: pause.next()) } else { pause.reset() }
            } catch is CancellationError {
                return
            } catch let error as APIError where error.isExpired {
                mustList = true
                log.debug("watch too old, listing again")
            } catch {
                if Task.isCancelled { return }
                log.debug("list or watch failed", metadata: ["error": "\(error)"])
                do { try await clock.sleep(for: pause.next()) } catch { return }
            }
        }
    }

    private func relist() async throws {
        let (items, revision) = try await source.list(resource, namespace: namespace, options: options)
        let entries = items.compactMap { entry($0) }
        deliver { state in
            state.revision = revision
            return state.store.replace(entries)
        }
        if !synced.value { synced.set(true) }
    }

    private func follow() async throws {
        var options = options
        options.timeoutSeconds = 300 + random.below(300)
        let from = state.withLock { $0.revision }
        let watch = try await source.watch(resource, namespace: namespace, from: from, options: options)
        for try await batch in watch {
            let known = batch.map { event in
                (event.type, event.object.resourceVersion, event.type == .bookmark ? nil : entry(event.object, event.tree))
            }
            deliver { state in
                known.compactMap { type, revision, entry in
                    if !revision.isEmpty { state.revision = revision }
                    return entry.flatMap { state.store.apply(type, $0) }
                }
            }
        }
        try Task.checkCancellation()
    }

    private func deliver(_ change: (inout sending State) -> sending [InformerChange<T>]) {
        delivery.withLock { _ in
            let (changes, handlers) = state.withLock { state -> ([InformerChange<T>], [Handlers]) in
                let changes = change(&state)
                return (changes, state.handlers)
            }
            for change in changes {
                for handler in handlers { handler.change(change) }
                change.entry.letGoOfTree()
            }
        }
    }

    /// An entry for an object as it came; nil, with a word in the log, for one that cannot be read.
    private func entry(_ object: EncodedObject, _ tree: DecodedTree? = nil) -> Entry? {
        if object.summary != nil, !keepsDecoded { return Entry(object, kept: nil, tree: tree) }
        do {
            let decoded = T(value: try tree?.value() ?? object.decoded())
            let summary = object.summary ?? ObjectSummary(decoded.metadata)
            guard !summary.name.isEmpty else { throw APIError.internalError("the object has no name") }
            let known =
                object.summary != nil
                ? object
                : EncodedObject(
                    bytes: object.bytes,
                    resourceVersion: object.resourceVersion,
                    summary: summary,
                    isTerminating: object.isTerminating
                )
            return Entry(known, kept: keepsDecoded ? decoded : nil)
        } catch {
            log.warning("object left out", metadata: ["error": "\(error)", "revision": "\(object.resourceVersion)"])
            return nil
        }
    }
}

/// The pauses between failed attempts: 0.8 s doubling to 30 s, with jitter, as client-go's reflector.
struct RelistPause {
    private static let first = Duration.milliseconds(800)
    private static let longest = Duration.seconds(30)
    private let random: any RandomSource
    private var current = RelistPause.first

    init(random: any RandomSource) {
        self.random = random
    }

    mutating func next() -> Duration {
        let pause = random.jitter(current, by: 0.5)
        current = min(current * 2, Self.longest)
        return pause
    }

    mutating func reset() {
        current = Self.first
    }
}
