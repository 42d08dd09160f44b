import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Empties namespaces that are being deleted, pods first, and lets them go when nothing is left.
final class NamespaceController: KeyedController {
    /// The finalizer that is this controller's to remove.
    static let finalizer = "kubernetes"

    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let namespaces: Cache<Namespace>
    private let pods: Cache<Pod>

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("namespace")
        workers = context.configuration.workers
        namespaces = context.cache(Namespace.self)
        pods = context.cache(Pod.self)
    }

    var synced: [any SyncedCache] { [namespaces] }

    func start() {
        namespaces.observe { [weak self] change in
            if change.new?.isBeingDeleted == true { self?.queue.add(change.key) }
        }
        // Pods go first; the last one to stop lets the rest go without waiting for the estimate.
        pods.observe { [weak self] change in
            guard let self, change.isDeletion, let namespace = change.oldSummary?.namespace else { return }
            if namespaces.get(namespace)?.isBeingDeleted == true { queue.add(namespace) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard namespaces.get(key)?.isBeingDeleted == true else { return .done }
        do {
            var namespace = try await context.client.get(Namespace.self, name: key)
            guard namespace.isBeingDeleted, namespace.spec.finalizers.contains(Self.finalizer) else { return .done }
            if namespace.status.phase != "Terminating" {
                namespace.status.phase = "Terminating"
                namespace = try await context.client.updateStatus(namespace)
            }
            let progress = try await purge(namespace)
            if progress.apply(to: &namespace, now: context.clock.now) {
                namespace = try await context.client.updateStatus(namespace)
            }
            if progress.estimate > 0 {
                // Half of the estimate, as others may be quicker than they promised.
                return .requeue(after: .seconds(progress.estimate / 2 + 1))
            }
            if let failure = progress.contentFailures.first ?? progress.discoveryFailure {
                throw APIError.internalError(failure)
            }
            try await finalize(namespace)
        } catch let error as APIError where error.isNotFound {}
        return .done
    }

    private func purge(_ namespace: Namespace) async throws -> NamespaceProgress {
        var progress = NamespaceProgress()
        let discovery = try await context.client.discover()
        if !discovery.failures.isEmpty {
            let list = discovery.failures.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
            let cause = "unable to retrieve the complete list of server APIs: \(list)"
            progress.discoveryFailure = "Discovery failed for some groups, \(discovery.failures.count) failing: \(cause)"
        }
        let resources = discovery.deletable.filter(\.namespaced)
        let pods = resources.filter { $0.resource.group.isEmpty && $0.resource.resource == "pods" }
        for resource in pods { await empty(resource, namespace, &progress) }
        if !progress.remaining.isEmpty { return progress }
        for resource in resources where !pods.contains(resource) { await empty(resource, namespace, &progress) }
        return progress
    }

    private func empty(_ found: DiscoveredResource, _ namespace: Namespace, _ progress: inout NamespaceProgress) async {
        let resource = found.resource
        let name = namespace.name
        do {
            let grace = resource.resource == "pods" ? try await gracePeriod(namespace) : 0
            let policy = DeleteOptions { $0.propagationPolicy = "Background" }
            guard found.verbs.contains("list") else { return }
            var items = try await context.client.list(resource, namespace: name).items
            if items.isEmpty { return }
            if found.verbs.contains("deletecollection") {
                try await context.client.deleteCollection(resource, namespace: name, options: policy)
            } else {
                for item in items {
                    guard let object = item["metadata"]?["name"]?.string else { continue }
                    do {
                        try await context.client.delete(resource, namespace: name, name: object, options: policy)
                    } catch let error as APIError where error.isNotFound || error.code == 405 {}
                }
            }
            items = try await context.client.list(resource, namespace: name).items
            let finalizers = items.map { ($0["metadata"]?["finalizers"]?.array ?? []).compactMap(\.string) }
            progress.add(resource, namespace: name, items: finalizers, grace: grace)
        } catch let error as APIError where error.isNotFound || error.code == 405 {
            // The resource went away between discovery and now, or cannot do this.
        } catch {
            progress.contentFailures.append("\(error)")
        }
    }

    /// How long the pods may still take, at most; 0 once that time has passed.
    private func gracePeriod(_ namespace: Namespace) async throws -> Int {
        let pods: [Pod] = try await context.client.list(Pod.self, namespace: namespace.name).items
        let longest = pods.filter { !$0.isFinished }.compactMap(\.spec.terminationGracePeriodSeconds).max() ?? 0
        guard let since = namespace.metadata.deletionTimestamp else { return longest }
        return context.clock.now - since >= .seconds(longest) ? 0 : longest
    }

    private func finalize(_ namespace: Namespace) async throws {
        var copy = namespace
        copy.spec.finalizers = namespace.spec.finalizers.filter { $0 != Self.finalizer }.sorted()
        _ = try await context.client.update(
            Namespace.resource,
            name: namespace.name,
            subresource: "finalize",
            copy.json
        )
    }
}
