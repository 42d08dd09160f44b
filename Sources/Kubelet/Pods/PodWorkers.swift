import APITypes
import Channels
import Logging
import Units

/// Runs passes over pods: one at a time per pod, any number of pods at once, and always for the newest state. A pod at
/// rest has no task: the queue remembers what is due, so thousands of idle pods cost nothing.
final class PodWorkers: Sendable {
    /// Waits after failed passes.
    static let retryBase: Duration = .milliseconds(300)
    static let retryLimit: Duration = .seconds(10)

    private let node: NodeContext
    private let queue: WorkQueue<String>

    init(node: NodeContext) {
        self.node = node
        queue = WorkQueue(
            name: "pods",
            clock: node.clock,
            backoff: RetryBackoff(base: Self.retryBase, limit: Self.retryLimit)
        )
    }

    /// Passes over pods until cancelled.
    func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                while let uid = await queue.get() {
                    group.addTask { await self.pass(uid) }
                }
                group.cancelAll()
            }
        } onCancel: {
            queue.shutDown()
        }
    }

    /// Something changed about a pod.
    func wake(_ uid: String) {
        queue.add(uid)
    }

    /// Carries out what a change to the table asks for.
    func act(_ action: PodTable.Action, _ uid: String) {
        switch action {
        case .none:
            return
        case .sync:
            queue.add(uid)
        case .interrupt(let cancel):
            queue.add(uid)
            cancel()
        }
    }

    private func pass(_ uid: String) async {
        let sync = PodSync(node: node, uid: uid)
        // unstructured: the pass must be cancellable on its own when the pod is to be ended; it is awaited right here.
        let task = Task { await sync.run() }
        node.pods.change(uid) { $0.cancelSync = { task.cancel() } }
        let outcome = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        node.pods.change(uid) { $0.cancelSync = nil }
        settle(uid, outcome)
        queue.done(uid)
    }

    private func settle(_ uid: String, _ outcome: SyncOutcome) {
        switch outcome {
        case .gone:
            queue.forget(uid)
        case .settled(let until):
            queue.forget(uid)
            guard let until else { return }
            queue.addAfter(uid, max(until - node.clock.now, .zero))
        case .failed(let message):
            node.logger.debug("pod pass failed", metadata: ["uid": "\(uid)", "error": "\(message)"])
            queue.addRateLimited(uid)
        }
    }
}
