import Channels
import ControllerRuntime
import Logging

/// A controller that works on keys: whatever changes, the key of the object concerned is queued, and one worker at a
/// time brings that object in line.
protocol KeyedController: Reconciler, AnyObject {
    /// The keys to work on; its name is the controller's in metrics.
    var queue: WorkQueue<String> { get }
    /// How many keys are worked on at a time.
    var workers: Int { get }
    /// What must have been read once before the first decision.
    var synced: [any SyncedCache] { get }
    /// Subscribes to the changes that queue keys.
    func start()
}

/// A cache that is complete at some time.
protocol SyncedCache: Sendable {
    /// Returns once every object that existed at the start has been seen.
    func waitUntilSynced() async
}

/// A controller that subscribes before the caches are connected.
protocol Subscriber: Sendable {
    /// Subscribes to the changes it has to know of.
    func start()
}

/// Runs a keyed controller once its caches are complete.
struct KeyedControllerLoop: Controller, Subscriber {
    let name: String
    let controller: any KeyedController
    let logger: Logger

    func start() { controller.start() }

    func run() async {
        let caches = controller.synced
        let runner = ReconcileRunner(
            name: name,
            queue: controller.queue,
            workers: controller.workers,
            reconciler: controller,
            log: logger
        ) {
            for cache in caches { await cache.waitUntilSynced() }
            try Task.checkCancellation()
        }
        await runner.run()
    }
}
