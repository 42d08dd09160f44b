import APIModel
import Channels
import Logging
import Synchronization

/// One informer a kind for everything in a process. State guarded by `state`.
public final class SharedInformers: Sendable {
    private struct State {
        var informers: [ObjectIdentifier: any RunnableInformer] = [:]
        var order: [any RunnableInformer] = []
    }

    /// Where they read from.
    public let source: any ObjectSource
    private let clock: any ClusterClock
    private let random: any RandomSource
    private let log: Logger
    private let state = Mutex(State())
    private let added = Signal(0)

    /// Informers that read from `source`.
    public init(
        source: any ObjectSource,
        clock: any ClusterClock = SystemClock(),
        random: any RandomSource = SystemRandom(),
        log: Logger = Logger(label: "informer")
    ) {
        self.source = source
        self.clock = clock
        self.random = random
        self.log = log
    }

    /// The informer of a kind, over all namespaces, made with the first call. `indexers` count only then.
    public func informer<T: APIObject>(
        _: T.Type = T.self,
        indexers: [String: @Sendable (InformerEntry<T>) -> [String]] = [:]
    ) -> Informer<T> {
        let (informer, isNew) = state.withLock { state -> (Informer<T>, Bool) in
            let key = ObjectIdentifier(T.self)
            if let known = state.informers[key] as? Informer<T> { return (known, false) }
            let informer = Informer<T>(source: source, indexers: indexers, clock: clock, random: random, log: log)
            state.informers[key] = informer
            state.order.append(informer)
            return (informer, true)
        }
        if isNew { added.update { $0 += 1 } }
        return informer
    }

    /// Runs every informer, also those asked for later, until the task is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            var started = 0
            var version: UInt64 = 0
            while !Task.isCancelled {
                let fresh = state.withLock { Array($0.order.dropFirst(started)) }
                started += fresh.count
                for informer in fresh { group.addTask { await informer.run() } }
                if fresh.isEmpty { version = await added.next(after: version).version }
            }
        }
    }

    /// Waits until every informer asked for so far has its first list. Throws `CancellationError`.
    public func waitForSync() async throws {
        for informer in state.withLock({ $0.order }) { try await informer.waitForSync() }
    }

    /// Whether every informer asked for so far has its first list.
    public var hasSynced: Bool {
        state.withLock { $0.order }.allSatisfy(\.hasSynced)
    }
}

/// What the set needs of an informer whatever its kind.
protocol RunnableInformer: Sendable {
    var hasSynced: Bool { get }
    func run() async
    func waitForSync() async throws
}

extension Informer: RunnableInformer {}
