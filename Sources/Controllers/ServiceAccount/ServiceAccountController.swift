import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging

/// Gives every namespace its `default` service account.
final class ServiceAccountController: KeyedController {
    /// The accounts every namespace has.
    static let names = ["default"]

    let queue: WorkQueue<String>
    let workers = 1
    private let context: ControllerContext
    private let namespaces: Cache<Namespace>
    private let accounts: Cache<ServiceAccount>

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("serviceaccount")
        namespaces = context.cache(Namespace.self)
        accounts = context.cache(ServiceAccount.self)
    }

    var synced: [any SyncedCache] { [namespaces, accounts] }

    func start() {
        namespaces.observe { [weak self] in self?.queue.add($0.key) }
        accounts.observe { [weak self] change in
            if change.isDeletion, let summary = change.oldSummary { self?.queue.add(summary.namespace) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let namespace = namespaces.get(key), namespace.status.phase != "Terminating", !namespace.isBeingDeleted else { return .done }
        for name in Self.names where accounts.get("\(key)/\(name)") == nil {
            do {
                try await context.client.create(ServiceAccount(name: name, namespace: key))
            } catch let error as APIError where error.isAlreadyExists || error.isNamespaceTerminating {}
        }
        return .done
    }
}
