import APIClient
import APIModel
import APITypes
import Values

/// Speaks to a real API server.
struct ClientAPI: NodeAPI {
    let client: APIClient

    private func found<T>(_ body: () async throws -> T) async throws -> T? {
        do {
            return try await body()
        } catch let error as APIError where error.isNotFound {
            return nil
        }
    }

    func configMap(_ namespace: String, _ name: String) async throws -> ConfigMap? {
        try await found { try await client.get(ConfigMap.self, namespace: namespace, name: name) }
    }

    func secret(_ namespace: String, _ name: String) async throws -> Secret? {
        try await found { try await client.get(Secret.self, namespace: namespace, name: name) }
    }

    func claim(_ namespace: String, _ name: String) async throws -> PersistentVolumeClaim? {
        try await found { try await client.get(PersistentVolumeClaim.self, namespace: namespace, name: name) }
    }

    func persistentVolume(_ name: String) async throws -> PersistentVolume? {
        try await found { try await client.get(PersistentVolume.self, name: name) }
    }

    func runtimeHandler(_ name: String) async throws -> String? {
        try await found { try await client.get(RuntimeClass.self, name: name) }?.handler
    }

    func serviceAccountToken(_ request: TokenRequest, namespace: String, account: String) async throws -> TokenRequest {
        let answer = try await client.create(
            ServiceAccount.resource,
            namespace: namespace,
            name: account,
            subresource: "token",
            request.json
        )
        return try TokenRequest(json: answer)
    }

    func pod(_ namespace: String, _ name: String) async throws -> Pod? {
        try await found { try await client.get(Pod.self, namespace: namespace, name: name) }
    }

    func patchPodStatus(_ namespace: String, _ name: String, patch: JSONValue) async throws -> Pod? {
        try await found {
            try await client.patch(
                Pod.self,
                namespace: namespace,
                name: name,
                subresource: "status",
                type: .strategic,
                patch
            )
        }
    }

    func deletePod(_ namespace: String, _ name: String, uid: String) async throws {
        var options = DeleteOptions()
        options.gracePeriodSeconds = 0
        options.preconditions = Preconditions { $0.uid = uid }
        let final = options
        do {
            try await client.delete(Pod.self, namespace: namespace, name: name, options: final)
        } catch let error as APIError where error.isNotFound || error.isConflict {
            // Gone already, or another pod took the name: either way this one is no more.
            return
        }
    }

    func node(_ name: String) async throws -> Node? {
        try await found { try await client.get(Node.self, name: name) }
    }

    func createNode(_ node: Node) async throws -> Node {
        try await client.create(node)
    }

    func patchNode(_ name: String, patch: JSONValue) async throws {
        _ = try await client.patch(Node.self, name: name, type: .strategic, patch)
    }

    func patchNodeStatus(_ name: String, patch: JSONValue) async throws -> Node {
        try await client.patch(Node.self, name: name, subresource: "status", type: .strategic, patch)
    }

    func lease(_ namespace: String, _ name: String) async throws -> Lease? {
        try await found { try await client.get(Lease.self, namespace: namespace, name: name) }
    }

    func createLease(_ lease: Lease) async throws -> Lease {
        try await client.create(lease)
    }

    func updateLease(_ lease: Lease) async throws -> Lease {
        try await client.update(lease)
    }

    func watchConfigMap(_ namespace: String, _ name: String, changed: @escaping @Sendable () -> Void) async throws {
        try await watch(ConfigMap.self, namespace, name, changed)
    }

    func watchSecret(_ namespace: String, _ name: String, changed: @escaping @Sendable () -> Void) async throws {
        try await watch(Secret.self, namespace, name, changed)
    }

    private func watch<T: APIObject>(
        _ type: T.Type,
        _ namespace: String,
        _ name: String,
        _ changed: @escaping @Sendable () -> Void
    ) async throws {
        var options = ListOptions()
        options.fieldSelector = "metadata.name=\(name)"
        let list = try await client.list(T.resource, namespace: namespace, options: options)
        options.resourceVersion = list.resourceVersion
        options.allowWatchBookmarks = true
        // What was read before the watch began may be old.
        changed()
        for try await event in try await client.watch(T.resource, namespace: namespace, options: options) {
            if event.type != .bookmark { changed() }
        }
    }
}
