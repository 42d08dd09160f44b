import APIClient
import APIModel
import APITypes
import Channels
import Synchronization
import Units
import Values

@testable import Controllers

/// Nodes that pretend: they place pods on themselves, make them run after a moment, and let deleted ones go.
final class HollowNodes: Sendable {
    private struct State {
        var silent: Set<String> = []
        var stuck: Set<String> = []
        var nextNode = 0
        var nextAddress = 0
    }

    let names: [String]
    private let client: APIClient
    private let clock: ManualClock
    private let random: SeededRandom
    private let state = Mutex(State())

    init(client: APIClient, names: [String], clock: ManualClock, random: SeededRandom) {
        self.client = client
        self.names = names
        self.clock = clock
        self.random = random
    }

    /// A silent node neither renews its lease nor moves its pods.
    func silence(_ name: String) { state.withLock { _ = $0.silent.insert(name) } }
    func wake(_ name: String) { state.withLock { _ = $0.silent.remove(name) } }

    /// Pods with this image never become ready.
    func neverReady(_ image: String) { state.withLock { _ = $0.stuck.insert(image) } }

    func register() async throws {
        for name in names {
            var node = Node(name: name)
            node.metadata.labels = ["kubernetes.io/os": "linux", "topology.kubernetes.io/zone": "z1", "kubernetes.io/hostname": name]
            let created = try await client.create(node)
            var ready = created
            ready.status.conditions = [
                NodeCondition {
                    $0.type = "Ready"
                    $0.status = "True"
                    $0.reason = "KubeletReady"
                    $0.lastHeartbeatTime = clock.now
                    $0.lastTransitionTime = clock.now
                }
            ]
            try await client.updateStatus(ready)
        }
        _ = try? await client.create(Namespace(name: "kube-node-lease"))
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.followPods() }
            group.addTask { try await self.renewLeases() }
            try await group.waitForAll()
        }
    }

    private func renewLeases() async throws {
        while true {
            for name in names where !state.withLock({ $0.silent.contains(name) }) { try? await renew(name) }
            try await clock.sleep(for: .seconds(5))
        }
    }

    private func renew(_ name: String) async throws {
        do {
            var lease = try await client.get(Lease.self, namespace: "kube-node-lease", name: name)
            lease.spec.renewTime = clock.now
            try await client.update(lease)
        } catch let error as APIError where error.isNotFound {
            var lease = Lease(name: name, namespace: "kube-node-lease")
            lease.spec.holderIdentity = name
            lease.spec.renewTime = clock.now
            try await client.create(lease)
        }
    }

    private func followPods() async throws {
        while !Task.isCancelled {
            do {
                let found = try await client.list(Pod.self)
                for pod in found.items { handle(pod) }
                for try await event in try await client.watch(Pod.self, options: ListOptions(resourceVersion: found.resourceVersion)) {
                    if event.type == .added || event.type == .modified { handle(event.object) }
                }
            } catch is CancellationError {
                return
            } catch {
                try await clock.sleep(for: .milliseconds(100))
            }
        }
    }

    private func handle(_ pod: Pod) {
        // unstructured: a pretended kubelet works on every pod independently
        Task { try? await self.act(pod) }
    }

    private func act(_ pod: Pod) async throws {
        if pod.spec.nodeName.isEmpty {
            guard !pod.isBeingDeleted else { return }
            let usable = names.filter { name in !state.withLock { $0.silent.contains(name) } }
            guard !usable.isEmpty else { return }
            let wanted = NodeFit.target(of: pod)
            let node = state.withLock { state in
                state.nextNode += 1
                return wanted.isEmpty ? usable[state.nextNode % usable.count] : wanted
            }
            let binding: JSONValue = [
                "apiVersion": "v1", "kind": "Binding", "metadata": ["name": .string(pod.name)],
                "target": ["kind": "Node", "name": .string(node)],
            ]
            try await client.create(subresource: "binding", of: Pod.self, namespace: pod.namespace, name: pod.name, binding)
            return
        }
        guard !state.withLock({ $0.silent.contains(pod.spec.nodeName) }) else { return }
        if pod.isBeingDeleted {
            try await clock.sleep(for: .milliseconds(300))
            let options = DeleteOptions { $0.gracePeriodSeconds = 0 }
            try await client.delete(Pod.self, namespace: pod.namespace, name: pod.name, options: options)
            return
        }
        guard pod.status.phase == "Pending" || pod.status.phase.isEmpty else { return }
        try await clock.sleep(for: .milliseconds(Int64(100 + random.next() % 400)))
        try await start(pod)
    }

    private func start(_ pod: Pod) async throws {
        let isStuck = state.withLock { $0.stuck.contains(pod.spec.containers.first?.image ?? "") }
        let number = state.withLock { state in
            state.nextAddress += 1
            return state.nextAddress
        }
        let fresh = try await client.get(Pod.self, namespace: pod.namespace, name: pod.name)
        guard fresh.uid == pod.uid, !fresh.isBeingDeleted, fresh.status.phase != "Running" else { return }
        var running = fresh
        running.status.phase = "Running"
        running.status.podIP = "10.244.\(number / 250).\(number % 250 + 1)"
        running.status.podIPs = [PodIP { $0.ip = running.status.podIP }]
        running.status.conditions = [
            PodCondition {
                $0.type = "Ready"
                $0.status = isStuck ? "False" : "True"
                $0.lastTransitionTime = clock.now
            }
        ]
        try await client.updateStatus(running)
        try await finish(running)
    }

    /// Pods whose image says so end after a while, well or badly.
    private func finish(_ pod: Pod) async throws {
        let image = pod.spec.containers.first?.image ?? ""
        guard image.hasPrefix("ends:") else { return }
        try await clock.sleep(for: .milliseconds(500))
        try await client.retryOnConflict { try await end(pod, code: Int(image.dropFirst(5)) ?? 0) }
    }

    private func end(_ pod: Pod, code: Int) async throws {
        var ended = try await client.get(Pod.self, namespace: pod.namespace, name: pod.name)
        guard ended.uid == pod.uid, !ended.isBeingDeleted else { return }
        ended.status.phase = code == 0 ? "Succeeded" : "Failed"
        ended.status.conditions = [
            PodCondition {
                $0.type = "Ready"
                $0.status = "False"
                $0.lastTransitionTime = clock.now
            }
        ]
        ended.status.containerStatuses = [
            ContainerStatus { status in
                status.name = pod.spec.containers.first?.name ?? ""
                status.state.terminated = ContainerStateTerminated {
                    $0.exitCode = code
                    $0.finishedAt = clock.now
                }
            }
        ]
        try await client.updateStatus(ended)
    }
}
