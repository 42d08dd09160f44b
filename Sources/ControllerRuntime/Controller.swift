import Channels
import Logging

/// A part that runs until its task is cancelled.
public protocol Controller: Sendable {
    /// The name, such as `deployment-controller`.
    var name: String { get }
    /// Runs until the task is cancelled.
    func run() async
}

/// What a reconcile asks for.
public enum ReconcileResult: Sendable, Equatable {
    /// Nothing until something changes.
    case done
    /// Once more after a while, even if nothing changes.
    case requeue(after: Duration)
}

/// Brings one object to what it should be.
public protocol Reconciler: Sendable {
    /// Looks at the object of `key` as it is now. Throwing tries again with back-off. Never called twice at once for
    /// the same key.
    func reconcile(_ key: String) async throws -> ReconcileResult
}

/// Takes keys from a queue and reconciles them with a fixed number of workers.
public struct ReconcileRunner: Controller {
    /// The controller's name.
    public let name: String
    private let queue: WorkQueue<String>
    private let workers: Int
    private let reconciler: any Reconciler
    private let ready: @Sendable () async throws -> Void
    private let log: Logger

    /// A runner. `ready` is awaited before the first key, such as for informers to be in sync.
    public init(
        name: String,
        queue: WorkQueue<String>,
        workers: Int = 2,
        reconciler: any Reconciler,
        log: Logger = Logger(label: "controller"),
        ready: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.name = name
        self.queue = queue
        self.workers = workers
        self.reconciler = reconciler
        var log = log
        log[metadataKey: "controller"] = "\(name)"
        self.log = log
        self.ready = ready
    }

    /// Works until the task is cancelled or the queue is shut down; reconciles in progress are finished.
    public func run() async {
        do { try await ready() } catch { return }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<max(workers, 1) {
                    group.addTask { await work() }
                }
            }
        } onCancel: {
            queue.shutDown()
        }
    }

    private func work() async {
        while let key = await queue.get() {
            await reconcile(key)
            queue.done(key)
        }
    }

    private func reconcile(_ key: String) async {
        do {
            switch try await reconciler.reconcile(key) {
            case .done: queue.forget(key)
            case .requeue(let pause):
                queue.forget(key)
                queue.addAfter(key, pause)
            }
        } catch is CancellationError {
            // the process is going down; the key is found again at the next start
        } catch {
            let failures = queue.failures(key)
            log.log(
                level: failures < 5 ? .debug : .warning,
                "reconcile failed",
                metadata: ["key": "\(key)", "failures": "\(failures + 1)", "error": "\(error)"]
            )
            queue.addRateLimited(key)
        }
    }
}
