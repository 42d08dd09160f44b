import APIModel
import APITypes
import Channels
import Schema
import Synchronization
import Testing
import Units
import Values

@testable import Kubelet

/// An API server's memory, as far as a kubelet sees it: objects, status patches with the server's own merge, deletion.
final class TestAPI: NodeAPI {
    struct State {
        var pods: [String: Pod] = [:]
        var configMaps: [String: ConfigMap] = [:]
        var secrets: [String: Secret] = [:]
        var nodes: [String: Node] = [:]
        var leases: [String: Lease] = [:]
        var revision = 1
        var tokens = 0
        /// How often the pod's status was patched, by uid.
        var patches: [String: Int] = [:]
        /// How often its deletion was asked for, by uid.
        var deletions: [String: Int] = [:]
    }

    let state = Signal(State())
    let events = Mutex<[String]>([])
    private let core = Mutex<KubeletCore?>(nil)

    func connect(_ core: KubeletCore) {
        self.core.withLock { $0 = core }
        for pod in state.value.pods.values { core.podShown(pod) }
    }

    private func show(_ pod: Pod) { core.withLock { $0 }?.podShown(pod) }

    private func change<T>(_ body: (inout State) throws -> T) rethrows -> T {
        var result: Result<T, any Error>?
        state.update { state in
            state.revision += 1
            result = Result { try body(&state) }
        }
        switch result {
        case .success(let value)?: return value
        default: fatalError("a change of the test's state failed")
        }
    }

    // MARK: What the test does

    @discardableResult
    func create(_ pod: Pod) -> Pod {
        let made = change { state -> Pod in
            var pod = pod
            pod.metadata.resourceVersion = "\(state.revision)"
            pod.metadata.creationTimestamp = SystemClock().now
            pod.status.phase = "Pending"
            state.pods[pod.key] = pod
            return pod
        }
        show(made)
        return made
    }

    func update(_ key: String, _ body: (inout Pod) -> Void) {
        let made = change { state -> Pod? in
            guard var pod = state.pods[key] else { return nil }
            body(&pod)
            pod.metadata.resourceVersion = "\(state.revision)"
            state.pods[key] = pod
            return pod
        }
        if let made { show(made) }
    }

    func delete(_ key: String, graceSeconds: Int) {
        update(key) { pod in
            pod.metadata.deletionTimestamp = SystemClock().now + .seconds(graceSeconds)
            pod.metadata.deletionGracePeriodSeconds = graceSeconds
        }
    }

    /// The last finalizer of a deleted pod goes, and the pod with it.
    func release(_ key: String) {
        guard let pod = change({ $0.pods.removeValue(forKey: key) }) else { return }
        core.withLock { $0 }?.podGone(uid: pod.uid)
    }

    func set(_ map: ConfigMap) { change { $0.configMaps[map.key] = map } }
    func set(_ secret: Secret) { change { $0.secrets[secret.key] = secret } }

    func pod(_ key: String) -> Pod? { state.value.pods[key] }

    /// Waits until the pod is as wanted; fails with what it is instead.
    func wait(
        _ key: String,
        seconds: Int = 60,
        _ what: String,
        location: SourceLocation = #_sourceLocation,
        until: @escaping @Sendable (Pod?) -> Bool
    ) async {
        do {
            _ = try await withDeadline(.seconds(seconds), clock: SystemClock()) {
                try await self.state.wait { until($0.pods[key]) }
            }
        } catch {
            let status = pod(key)?.status.value.description ?? "gone"
            let told = events.withLock { $0.suffix(8).joined(separator: "; ") }
            Issue.record("not in time: \(what)\n\(status)\n\(told)", sourceLocation: location)
        }
    }

    func told(_ text: String) -> Bool { events.withLock { $0.contains { $0.contains(text) } } }

    var sink: EventSink {
        EventSink { subject, isWarning, reason, message in
            self.events.withLock { $0.append("\(isWarning ? "Warning" : "Normal") \(reason) \(subject.name) \(message)") }
        }
    }

    // MARK: NodeAPI

    func configMap(_ namespace: String, _ name: String) async throws -> ConfigMap? { state.value.configMaps["\(namespace)/\(name)"] }
    func secret(_ namespace: String, _ name: String) async throws -> Secret? { state.value.secrets["\(namespace)/\(name)"] }
    func claim(_ namespace: String, _ name: String) async throws -> PersistentVolumeClaim? { nil }
    func persistentVolume(_ name: String) async throws -> PersistentVolume? { nil }
    func runtimeHandler(_ name: String) async throws -> String? { nil }

    func serviceAccountToken(_ request: TokenRequest, namespace: String, account: String) async throws -> TokenRequest {
        let number = change { state -> Int in
            state.tokens += 1
            return state.tokens
        }
        var answer = request
        answer.status = TokenRequestStatus {
            $0.token = "token-\(number)-of-\(account)"
            $0.expirationTimestamp = SystemClock().now + .seconds(3600)
        }
        return answer
    }

    func pod(_ namespace: String, _ name: String) async throws -> Pod? { pod("\(namespace)/\(name)") }

    func patchPodStatus(_ namespace: String, _ name: String, patch: JSONValue) async throws -> Pod? {
        let schema = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
        guard let current = pod("\(namespace)/\(name)") else { return nil }
        let merged = try StrategicMergePatch.apply(patch, to: current.value, schema: schema)
        let made = change { state -> Pod? in
            guard let old = state.pods[current.key], old.uid == patch["metadata"]?["uid"]?.string else { return nil }
            var pod = old
            pod.status = Self.asServed(PodStatus(value: merged["status"]))
            pod.metadata.resourceVersion = "\(state.revision)"
            state.pods[current.key] = pod
            state.patches[pod.uid, default: 0] += 1
            return pod
        }
        if let made { show(made) }
        return made
    }

    /// What the server's encoder makes of it: some absent fields are written out.
    private static func asServed(_ status: PodStatus) -> PodStatus {
        var status = status
        status.conditions = status.conditions.map { condition in
            var condition = condition
            condition.fields["lastProbeTime"] = .null
            return condition
        }
        status.containerStatuses = status.containerStatuses.map { container in
            var container = container
            if container.fields["lastState"] == nil { container.fields["lastState"] = [:] }
            return container
        }
        return status
    }

    func deletePod(_ namespace: String, _ name: String, uid: String) async throws {
        let held = change { state -> Pod? in
            state.deletions[uid, default: 0] += 1
            guard let pod = state.pods["\(namespace)/\(name)"], !pod.metadata.finalizers.isEmpty else {
                state.pods["\(namespace)/\(name)"] = nil
                return nil
            }
            return pod
        }
        if held == nil { core.withLock { $0 }?.podGone(uid: uid) }
    }

    func node(_ name: String) async throws -> Node? { state.value.nodes[name] }
    func createNode(_ node: Node) async throws -> Node {
        change { $0.nodes[node.name] = node }
        return node
    }
    func patchNode(_ name: String, patch: JSONValue) async throws {}
    func patchNodeStatus(_ name: String, patch: JSONValue) async throws -> Node {
        let schema = BuiltinSchema.node("io.k8s.api.core.v1.Node")
        let current = state.value.nodes[name] ?? Node(name: name)
        let merged = try StrategicMergePatch.apply(patch, to: current.value, schema: schema)
        var node = current
        node.status = NodeStatus(value: merged["status"])
        let made = node
        change { $0.nodes[name] = made }
        return made
    }
    func lease(_ namespace: String, _ name: String) async throws -> Lease? { state.value.leases[name] }
    func createLease(_ lease: Lease) async throws -> Lease {
        change { $0.leases[lease.name] = lease }
        return lease
    }
    func updateLease(_ lease: Lease) async throws -> Lease { try await createLease(lease) }

    func watchConfigMap(_ namespace: String, _ name: String, changed: @escaping @Sendable () -> Void) async throws {
        try await watch({ $0.configMaps["\(namespace)/\(name)"]?.value }, changed)
    }
    func watchSecret(_ namespace: String, _ name: String, changed: @escaping @Sendable () -> Void) async throws {
        try await watch({ $0.secrets["\(namespace)/\(name)"]?.value }, changed)
    }

    private func watch(_ look: @escaping @Sendable (State) -> JSONValue?, _ changed: @Sendable () -> Void) async throws {
        var last = look(state.value)
        while !Task.isCancelled {
            let seen = last
            _ = try await state.wait { look($0) != seen }
            last = look(state.value)
            changed()
        }
    }
}

extension TestAPI {
    /// Deletes the pod from the API at once, as `kubectl delete --force --grace-period=0` does.
    func removeByForce(_ key: String, _ core: KubeletCore) {
        guard var last = pod(key) else { return }
        last.metadata.deletionTimestamp = SystemClock().now
        last.metadata.deletionGracePeriodSeconds = 0
        forget(key)
        core.podGone(uid: last.metadata.uid, last: last)
    }

    /// Makes the pod unknown, as if it had been deleted while no kubelet ran.
    func forget(_ key: String) {
        state.update { $0.pods[key] = nil }
    }
}
