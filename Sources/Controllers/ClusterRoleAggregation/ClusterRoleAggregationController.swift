import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Synchronization
import Values

/// Writes the rules of cluster roles that are put together from others, admin, edit and view among them.
///
/// Which roles those are is guarded by `gathering`.
final class ClusterRoleAggregationController: KeyedController {
    /// Who owns the rules it writes.
    static let fieldManager = "clusterrole-aggregation-controller"

    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let roles: Cache<ClusterRole>
    private let gathering = Mutex<Set<String>>([])

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("ClusterRoleAggregator")
        workers = context.configuration.workers
        roles = context.cache(ClusterRole.self)
    }

    var synced: [any SyncedCache] { [roles] }

    func start() {
        roles.observe { [weak self] in self?.changed($0) }
    }

    /// Whatever role changes may be part of any that gathers; there are few of those.
    private func changed(_ change: CacheChange<ClusterRole>) {
        let gathers = change.new?.fields["aggregationRule"]?.object != nil
        let due = gathering.withLock { names in
            if gathers { names.insert(change.key) } else { names.remove(change.key) }
            return names
        }
        for name in due { queue.add(name) }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let role = roles.get(key),
            let rules = try ClusterRoleAggregationPlan.rules(of: role, matching: { roles.list(namespace: nil, matching: $0) })
        else { return .done }
        let wanted: JSONValue = [
            "apiVersion": .string(ClusterRole.gvk.apiVersion), "kind": .string(ClusterRole.gvk.kind),
            // Of this role only: one of that name made anew meanwhile is looked at again.
            "metadata": ["name": .string(role.name), "uid": .string(role.uid)], "rules": .array(rules),
        ]
        let options = WriteOptions(fieldManager: Self.fieldManager, force: true)
        do {
            try await context.client.patch(ClusterRole.self, name: role.name, type: .apply, wanted, options: options)
        } catch let error as APIError where error.isNotFound || error.isConflict {
            // It is gone; its successor is queued by its own change.
        }
        return .done
    }
}
