import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units

/// Removes the pods nobody else will: finished ones beyond a limit, those of lost nodes, those deleted before placement.
/// Keeps only counts and rare keys of its own, and decodes pods when there is something to do.
final class PodGCController: Controller, Subscriber {
    /// How often it looks.
    static let period: Duration = .seconds(20)
    /// A node unknown to the cache may only be new; it is verified after this time.
    static let quarantine: Duration = .seconds(40)

    private struct Census {
        var finished: Set<String> = []
        var unplaced: Set<String> = []
        var unknownSince: [String: Duration] = [:]

        mutating func note(_ key: String, _ pod: Pod?) {
            finished.remove(key)
            unplaced.remove(key)
            guard let pod else { return }
            if pod.isFinished { finished.insert(key) }
            if pod.spec.nodeName.isEmpty, pod.isBeingDeleted { unplaced.insert(key) }
        }
    }

    let name = "pod-garbage-collector-controller"
    private let context: ControllerContext
    private let pods: Cache<Pod>
    private let nodes: Cache<Node>
    private let census = Mutex(Census())

    init(_ context: ControllerContext) {
        self.context = context
        pods = context.cache(Pod.self)
        nodes = context.cache(Node.self)
    }

    func start() {
        pods.observe { [weak self] change in
            let pod = change.new
            self?.census.withLock { $0.note(change.key, pod) }
        }
    }

    func run() async {
        await pods.waitUntilSynced()
        await nodes.waitUntilSynced()
        while !Task.isCancelled {
            await collect()
            do { try await context.clock.sleep(for: Self.period) } catch { return }
        }
    }

    private func collect() async {
        let known = Dictionary(nodes.list().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let gone = await verifiedGone(known: Set(known.keys))
        let threshold = context.configuration.terminatedPodThreshold
        let (finished, unplaced) = census.withLock { census in
            (threshold > 0 && census.finished.count > threshold ? census.finished : [], census.unplaced)
        }
        var candidates = finished.union(unplaced).compactMap { pods.get($0) }
        let outOfService = known.values.filter { $0.spec.taints.contains { $0.key == "node.kubernetes.io/out-of-service" } }
        for node in gone.union(outOfService.map(\.name)) { candidates += pods.onNode(node) }
        guard !candidates.isEmpty else { return }
        let plan = PodGCPlan.plan(pods: candidates, nodes: known, gone: gone, threshold: threshold)
        _ = await Batches.concurrently(plan.removals) { [self] in try await remove($0) }
    }

    /// Nodes that pods name, that have been unknown for a while, and that a live read does not find either.
    private func verifiedGone(known: Set<String>) async -> Set<String> {
        let now = context.clock.monotonic
        let unknown = pods.nodeNames.subtracting(known)
        let due = census.withLock { census in
            census.unknownSince = census.unknownSince.filter { unknown.contains($0.key) }
            for node in unknown where census.unknownSince[node] == nil { census.unknownSince[node] = now }
            return census.unknownSince.filter { now - $0.value >= Self.quarantine }.map(\.key)
        }
        var gone: Set<String> = []
        for node in due {
            do {
                _ = try await context.client.get(Node.self, name: node)
            } catch let error as APIError where error.isNotFound {
                gone.insert(node)
            } catch {
                context.logger.warning("cannot look up node", metadata: ["node": "\(node)", "error": "\(error)"])
            }
        }
        return gone
    }

    private func remove(_ removal: PodGCPlan.Removal) async throws {
        let pod = removal.pod
        context.logger.info(
            "PodGC is force deleting Pod",
            metadata: ["pod": "\(pod.key)", "reason": "\(removal.reason.rawValue)"]
        )
        do {
            if let failed = pod.markedFailed(removal.reason, now: context.clock.now) {
                _ = try await context.client.updateStatus(failed)
            }
            let options = DeleteOptions {
                $0.gracePeriodSeconds = 0
                $0.preconditions = Preconditions(fields: ["uid": .string(pod.uid)])
            }
            try await context.client.delete(Pod.self, namespace: pod.namespace, name: pod.name, options: options)
        } catch let error as APIError where error.isNotFound || error.isConflict {
            // Gone, or changed meanwhile: the next round sees it as it is then.
        }
    }
}
