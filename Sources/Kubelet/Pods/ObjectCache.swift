import APITypes
import Channels
import Logging
import Synchronization
import Units

/// Config maps and secrets that pods of this node refer to, kept current by a watch each as long as some pod mounts
/// them; what no pod mounts is read when asked for. Guarded by `state`.
final class ObjectCache: VolumeObjects {
    struct Key: Hashable, Sendable {
        enum Kind: String, Sendable { case configMap, secret }
        var kind: Kind
        var namespace: String
        var name: String
    }

    private struct State {
        var configMaps: [Key: ConfigMap] = [:]
        var secrets: [Key: Secret] = [:]
        var users: [Key: Set<String>] = [:]
    }

    /// How long a failed watch waits before it begins again.
    private static let rewatchDelay: Duration = .seconds(2)

    private let api: any NodeAPI
    private let clock: any ClusterClock
    private let state = Mutex(State())
    private let watches = TaskSet<Key>()
    private let tokens: TokenCache
    /// Called with the uids of pods that mount what changed.
    private let changed: @Sendable (Set<String>) -> Void

    init(api: any NodeAPI, clock: any ClusterClock, changed: @escaping @Sendable (Set<String>) -> Void) {
        self.api = api
        self.clock = clock
        self.changed = changed
        tokens = TokenCache(clock: clock)
    }

    // MARK: Reading

    func find(configMap name: String, _ namespace: String) async throws -> ConfigMap? {
        let key = Key(kind: .configMap, namespace: namespace, name: name)
        if let held = state.withLock({ $0.configMaps[key] }) { return held }
        let found = try await api.configMap(namespace, name)
        keep(key) { $0.configMaps[key] = found }
        return found
    }

    func find(secret name: String, _ namespace: String) async throws -> Secret? {
        let key = Key(kind: .secret, namespace: namespace, name: name)
        if let held = state.withLock({ $0.secrets[key] }) { return held }
        let found = try await api.secret(namespace, name)
        keep(key) { $0.secrets[key] = found }
        return found
    }

    /// Keeps a value only while a watch tells when it changes.
    private func keep(_ key: Key, _ store: (inout State) -> Void) {
        guard watches.contains(key) else { return }
        state.withLock { store(&$0) }
    }

    func configMap(_ namespace: String, _ name: String) async throws -> ConfigMap {
        guard let found = try await find(configMap: name, namespace) else { throw Self.missing("configmap", name) }
        return found
    }

    func secret(_ namespace: String, _ name: String) async throws -> Secret {
        guard let found = try await find(secret: name, namespace) else { throw Self.missing("secret", name) }
        return found
    }

    func claim(_ namespace: String, _ name: String) async throws -> PersistentVolumeClaim {
        guard let found = try await api.claim(namespace, name) else { throw Self.missing("persistentvolumeclaim", name) }
        return found
    }

    func persistentVolume(_ name: String) async throws -> PersistentVolume {
        guard let found = try await api.persistentVolume(name) else { throw Self.missing("persistentvolume", name) }
        return found
    }

    /// The runtime handler that a runtime class names.
    func runtimeHandler(_ name: String) async throws -> String {
        guard let handler = try await api.runtimeHandler(name) else {
            throw ContainerConfigError(message: "RuntimeClass \"\(name)\" not found")
        }
        return handler
    }

    func token(_ pod: Pod, audience: String, expirationSeconds: Int) async throws -> String {
        let meta = pod.metadata
        let account = pod.spec.serviceAccountName.isEmpty ? "default" : pod.spec.serviceAccountName
        let request = TokenRequest { request in
            request.spec = TokenRequestSpec { spec in
                spec.audiences = audience.isEmpty ? [] : [audience]
                spec.expirationSeconds = expirationSeconds
                spec.boundObjectRef = BoundObjectReference {
                    $0.kind = "Pod"
                    $0.apiVersion = "v1"
                    $0.name = meta.name
                    $0.uid = meta.uid
                }
            }
        }
        return try await tokens.token(podUID: meta.uid, audience: audience, seconds: expirationSeconds) {
            let answer = try await self.api.serviceAccountToken(request, namespace: meta.namespace, account: account)
            let expiry = answer.status.expirationTimestamp ?? self.clock.now + .seconds(expirationSeconds)
            return (answer.status.token, expiry)
        }
    }

    private static func missing(_ kind: String, _ name: String) -> ContainerConfigError {
        ContainerConfigError(message: "\(kind) \"\(name)\" not found")
    }

    // MARK: Watching

    /// Follows what a pod mounts.
    func track(_ pod: Pod) {
        let uid = pod.metadata.uid
        for key in Self.mounted(pod) {
            state.withLock { _ = $0.users[key, default: []].insert(uid) }
            watches.start(key) { await self.watch(key) }
        }
    }

    /// Stops following for a pod; what no other pod mounts is forgotten.
    func untrack(_ uid: String) {
        tokens.forget(podUID: uid)
        let unused = state.withLock { state -> [Key] in
            var unused: [Key] = []
            for (key, users) in state.users where users.contains(uid) {
                let rest = users.subtracting([uid])
                state.users[key] = rest.isEmpty ? nil : rest
                guard rest.isEmpty else { continue }
                state.configMaps[key] = nil
                state.secrets[key] = nil
                unused.append(key)
            }
            return unused
        }
        for key in unused { watches.cancel(key) }
    }

    func close() async {
        await watches.close()
    }

    private func watch(_ key: Key) async {
        while !Task.isCancelled {
            do {
                switch key.kind {
                case .configMap:
                    try await api.watchConfigMap(key.namespace, key.name) { self.objectChanged(key) }
                case .secret:
                    try await api.watchSecret(key.namespace, key.name) { self.objectChanged(key) }
                }
            } catch {
                drop(key)
                if (try? await clock.sleep(for: Self.rewatchDelay)) == nil { return }
            }
        }
    }

    private func drop(_ key: Key) {
        state.withLock { state in
            state.configMaps[key] = nil
            state.secrets[key] = nil
        }
    }

    private func objectChanged(_ key: Key) {
        drop(key)
        let users = state.withLock { $0.users[key] ?? [] }
        if !users.isEmpty { changed(users) }
    }

    private static func mounted(_ pod: Pod) -> Set<Key> {
        let namespace = pod.metadata.namespace
        var keys: Set<Key> = []
        func add(_ kind: Key.Kind, _ name: String) {
            if !name.isEmpty { keys.insert(Key(kind: kind, namespace: namespace, name: name)) }
        }
        for volume in pod.spec.volumes {
            if let source = volume.configMap { add(.configMap, source.name) }
            if let source = volume.secret { add(.secret, source.secretName) }
            for source in volume.projected?.sources ?? [] {
                if let part = source.configMap { add(.configMap, part.name) }
                if let part = source.secret { add(.secret, part.name) }
            }
        }
        return keys
    }
}
