import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging

/// Publishes the certificate that vouches for the API server to every namespace, as pods mount it.
final class RootCAPublisher: KeyedController {
    /// The ConfigMap's name.
    static let name = "kube-root-ca.crt"
    /// The key the certificate is under.
    static let dataKey = "ca.crt"
    /// What tells people that the object is maintained.
    static let descriptionKey = "kubernetes.io/description"
    static let description =
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. "
        + "No other usage is guaranteed across distributions of Kubernetes clusters."

    let queue: WorkQueue<String>
    let workers = 1
    private let context: ControllerContext
    private let namespaces: Cache<Namespace>
    private let maps: Cache<ConfigMap>

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("root_ca_cert_publisher")
        namespaces = context.cache(Namespace.self)
        maps = context.cache(ConfigMap.self)
    }

    var synced: [any SyncedCache] { [namespaces, maps] }

    func start() {
        namespaces.observe { [weak self] in self?.queue.add($0.key) }
        maps.observe { [weak self] change in
            guard let summary = change.newSummary ?? change.oldSummary, summary.name == Self.name else { return }
            self?.queue.add(summary.namespace)
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let namespace = namespaces.get(key), !namespace.isBeingDeleted, namespace.status.phase != "Terminating" else { return .done }
        guard !context.configuration.rootCA.isEmpty else { return .done }
        let data = [Self.dataKey: context.configuration.rootCA]
        guard var map = maps.get("\(key)/\(Self.name)") else {
            var fresh = ConfigMap(name: Self.name, namespace: key)
            fresh.metadata.annotations = [Self.descriptionKey: Self.description]
            fresh.data = data
            do {
                try await context.client.create(fresh)
            } catch let error as APIError where error.isAlreadyExists || error.isNamespaceTerminating {}
            return .done
        }
        guard map.data != data || map.annotations[Self.descriptionKey] == nil else { return .done }
        map.data = data
        map.metadata.annotations[Self.descriptionKey] = Self.description
        try await context.client.update(map)
        return .done
    }
}
