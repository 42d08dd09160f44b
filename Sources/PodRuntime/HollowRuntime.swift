import Channels
public import RPC
import Synchronization
import Units

/// A container runtime that only pretends: pods start at once, run for ever, and stop when told. Deterministic, and
/// small: thousands of them fit in one process. State guarded by `state`.
public final class HollowRuntime: ContainerRuntime {
    private struct Sandbox {
        var id: String
        var uid: String
        var namespace: String
        var name: String
        var attempt: UInt32
        var isReady = true
        var createdAt: Int64
        var address: String
        var usesHostNetwork: Bool
    }

    private struct PretendContainer {
        var id: String
        var sandbox: String
        var uid: String
        var name: String
        var image: String
        var attempt: UInt32
        var hash: String
        var createdAt: Int64
        var startedAt: Int64 = 0
        var finishedAt: Int64 = 0
        var endsAtOnce = false
    }

    private struct State {
        var sandboxes: [String: Sandbox] = [:]
        var containers: [String: PretendContainer] = [:]
        var byPod: [String: Set<String>] = [:]
        var nextAddress = 1
    }

    /// Addresses that one hollow node may give to pods before it begins again.
    static let addressesPerNode = 256

    private let clock: any ClusterClock
    private let nodeIndex: Int
    private let state = Mutex(State())

    /// The runtime of the hollow node number `nodeIndex`; the number decides the addresses of its pods.
    public init(nodeIndex: Int, clock: any ClusterClock = SystemClock()) {
        self.nodeIndex = nodeIndex
        self.clock = clock
    }

    /// Always false.
    public var runsProcesses: Bool { false }

    /// Nothing to keep: waits until cancelled.
    public func run() async throws {
        while !Task.isCancelled { try await clock.sleep(for: .seconds(3600)) }
    }

    /// See `ContainerRuntime.version`.
    public func version() async throws -> CRIVersionResponse {
        .with {
            $0.runtimeName = "hollow"
            $0.runtimeVersion = "1.0.0"
            $0.runtimeApiVersion = "v1"
        }
    }

    /// See `ContainerRuntime.status`.
    public func status() async throws -> CRIStatusResponse {
        .with {
            $0.status.conditions = ["RuntimeReady", "NetworkReady"].map { type in
                .with {
                    $0.type = type
                    $0.status = true
                }
            }
        }
    }

    private var nanoseconds: Int64 {
        let now = clock.now - Timestamp(unixSeconds: 0)
        return now.components.seconds * 1_000_000_000 + now.components.attoseconds / 1_000_000_000
    }

    // MARK: Sandboxes

    /// See `ContainerRuntime.runPodSandbox`.
    public func runPodSandbox(_ config: CRIPodSandboxConfig, runtimeHandler: String) async throws -> String {
        let meta = config.metadata
        let now = nanoseconds
        return state.withLock { state in
            let id = "sandbox-\(meta.uid)-\(meta.attempt)"
            let number = nodeIndex * Self.addressesPerNode + state.nextAddress % Self.addressesPerNode
            state.nextAddress += 1
            state.sandboxes[id] = Sandbox(
                id: id,
                uid: meta.uid,
                namespace: meta.namespace,
                name: meta.name,
                attempt: meta.attempt,
                createdAt: now,
                address: "10.\(128 + (number >> 16) % 128).\((number >> 8) & 255).\(number & 255)",
                usesHostNetwork: config.linux.securityContext.namespaceOptions.network == .node
            )
            state.byPod[meta.uid, default: []].insert(id)
            return id
        }
    }

    /// See `ContainerRuntime.stopPodSandbox`.
    public func stopPodSandbox(_ id: String) async throws {
        let now = nanoseconds
        state.withLock { state in
            state.sandboxes[id]?.isReady = false
            for key in state.containers.keys where state.containers[key]?.sandbox == id {
                if state.containers[key]?.finishedAt == 0 { state.containers[key]?.finishedAt = now }
            }
        }
    }

    /// See `ContainerRuntime.removePodSandbox`.
    public func removePodSandbox(_ id: String) async throws {
        state.withLock { state in
            guard let sandbox = state.sandboxes.removeValue(forKey: id) else { return }
            for (key, container) in state.containers where container.sandbox == id { state.containers[key] = nil }
            state.byPod[sandbox.uid]?.remove(id)
            if state.byPod[sandbox.uid]?.isEmpty == true { state.byPod[sandbox.uid] = nil }
        }
    }

    /// See `ContainerRuntime.podSandboxStatus`.
    public func podSandboxStatus(_ id: String) async throws -> CRIPodSandboxStatus {
        guard let sandbox = state.withLock({ $0.sandboxes[id] }) else { throw Self.notFound(id) }
        return .with {
            $0.id = id
            $0.metadata.name = sandbox.name
            $0.metadata.namespace = sandbox.namespace
            $0.metadata.uid = sandbox.uid
            $0.metadata.attempt = sandbox.attempt
            $0.state = sandbox.isReady ? .sandboxReady : .sandboxNotready
            $0.createdAt = sandbox.createdAt
            $0.network.ip = sandbox.usesHostNetwork ? "" : sandbox.address
            $0.linux.namespaces.options.network = sandbox.usesHostNetwork ? .node : .pod
        }
    }

    /// See `ContainerRuntime.listPodSandboxes`.
    public func listPodSandboxes(podUID: String?) async throws -> [CRIPodSandbox] {
        let found = state.withLock { state in
            podUID.map { uid in (state.byPod[uid] ?? []).compactMap { state.sandboxes[$0] } } ?? Array(state.sandboxes.values)
        }
        return found.map { sandbox in
            .with {
                $0.id = sandbox.id
                $0.metadata.name = sandbox.name
                $0.metadata.namespace = sandbox.namespace
                $0.metadata.uid = sandbox.uid
                $0.metadata.attempt = sandbox.attempt
                $0.state = sandbox.isReady ? .sandboxReady : .sandboxNotready
                $0.createdAt = sandbox.createdAt
                $0.labels = [Labels.podUID: sandbox.uid]
            }
        }
    }

    // MARK: Containers

    /// See `ContainerRuntime.createContainer`.
    public func createContainer(
        sandbox: String,
        _ config: CRIContainerConfig,
        sandboxConfig: CRIPodSandboxConfig
    ) async throws -> String {
        let now = nanoseconds
        let uid = sandboxConfig.metadata.uid
        let id = "\(uid)-\(config.metadata.name)-\(config.metadata.attempt)"
        state.withLock { state in
            state.containers[id] = PretendContainer(
                id: id,
                sandbox: sandbox,
                uid: uid,
                name: config.metadata.name,
                image: config.image.image,
                attempt: config.metadata.attempt,
                hash: config.annotations[Labels.hash] ?? "",
                createdAt: now,
                endsAtOnce: config.annotations[Labels.endsAtOnce] != nil
            )
        }
        return id
    }

    /// See `ContainerRuntime.startContainer`.
    public func startContainer(_ id: String) async throws {
        let now = nanoseconds
        state.withLock { state in
            state.containers[id]?.startedAt = now
            if state.containers[id]?.endsAtOnce == true { state.containers[id]?.finishedAt = now }
        }
    }

    /// See `ContainerRuntime.stopContainer`.
    public func stopContainer(_ id: String, timeout: Duration) async throws {
        let now = nanoseconds
        state.withLock { state in
            if state.containers[id]?.finishedAt == 0 { state.containers[id]?.finishedAt = now }
        }
    }

    /// See `ContainerRuntime.removeContainer`.
    public func removeContainer(_ id: String) async throws {
        state.withLock { _ = $0.containers.removeValue(forKey: id) }
    }

    private static func state(_ container: PretendContainer) -> CRIContainerState {
        if container.finishedAt > 0 { return .containerExited }
        return container.startedAt > 0 ? .containerRunning : .containerCreated
    }

    /// See `ContainerRuntime.listContainers`.
    public func listContainers(podUID: String?) async throws -> [CRIContainer] {
        let found = state.withLock { state in
            guard let podUID else { return Array(state.containers.values) }
            let sandboxes = state.byPod[podUID] ?? []
            return state.containers.values.filter { sandboxes.contains($0.sandbox) }
        }
        return found.map { container in
            .with {
                $0.id = container.id
                $0.podSandboxID = container.sandbox
                $0.metadata.name = container.name
                $0.metadata.attempt = container.attempt
                $0.state = Self.state(container)
                $0.createdAt = container.createdAt
                $0.labels = [Labels.podUID: container.uid, Labels.containerName: container.name]
            }
        }
    }

    /// See `ContainerRuntime.containerStatus`.
    public func containerStatus(_ id: String) async throws -> CRIContainerStatus {
        guard let container = state.withLock({ $0.containers[id] }) else { throw Self.notFound(id) }
        return .with {
            $0.id = id
            $0.metadata.name = container.name
            $0.metadata.attempt = container.attempt
            $0.state = Self.state(container)
            $0.createdAt = container.createdAt
            $0.startedAt = container.startedAt
            $0.finishedAt = container.finishedAt
            $0.reason = container.finishedAt > 0 ? "Completed" : ""
            $0.image.image = container.image
            $0.imageRef = Self.imageID(container.image)
            $0.labels = [Labels.podUID: container.uid, Labels.containerName: container.name]
            $0.annotations = [Labels.hash: container.hash, Labels.restartCount: "\(container.attempt)"]
        }
    }

    /// Nothing is limited.
    public func updateContainerResources(_ id: String, _ resources: CRILinuxContainerResources) async throws {}
    /// There are no logs.
    public func reopenContainerLog(_ id: String) async throws {}

    private static func notFound(_ id: String) -> RuntimeError {
        RuntimeError(code: .notFound, message: "\"\(id)\": not found", statusName: "NotFound")
    }

    private static func unimplemented() -> RuntimeError {
        RuntimeError(code: .unimplemented, message: "this node is hollow: nothing runs on it", statusName: "Unimplemented")
    }
}

// MARK: - Streams, usage, images, events

extension HollowRuntime {
    /// Every command succeeds and says nothing.
    public func execSync(_ id: String, command: [String], timeout: Duration) async throws -> CRIExecSyncResponse {
        CRIExecSyncResponse()
    }

    /// See `ContainerRuntime.exec`.
    public func exec(_ request: CRIExecRequest) async throws -> String { throw Self.unimplemented() }
    /// See `ContainerRuntime.attach`.
    public func attach(_ request: CRIAttachRequest) async throws -> String { throw Self.unimplemented() }
    /// See `ContainerRuntime.portForward`.
    public func portForward(sandbox: String, ports: [Int32]) async throws -> String { throw Self.unimplemented() }
    /// See `ContainerRuntime.listContainerStats`.
    public func listContainerStats() async throws -> [CRIContainerStats] { [] }
    /// See `ContainerRuntime.listImages`.
    public func listImages() async throws -> [CRIImage] { [] }

    /// Every image is present.
    public func imageStatus(_ reference: String) async throws -> CRIImage? {
        .with {
            $0.id = reference
            $0.uid.value = 0
        }
    }

    /// See `ContainerRuntime.pullImage`.
    public func pullImage(
        _ reference: String,
        auth: CRIAuthConfig?,
        sandboxConfig: CRIPodSandboxConfig
    ) async throws -> String {
        Self.imageID(reference)
    }

    /// See `ContainerRuntime.removeImage`.
    public func removeImage(_ reference: String) async throws {}
    /// See `ContainerRuntime.imageFilesystems`.
    public func imageFilesystems() async throws -> [CRIFilesystemUsage] { [] }

    /// See `ContainerRuntime.watchEvents`.
    public func watchEvents(_ changed: @escaping @Sendable (_ podUID: String?) -> Void) async throws {
        throw Self.unimplemented()
    }

    /// A digest that follows from the name.
    static func imageID(_ reference: String) -> String {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in reference.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        let word = String(hash, radix: 16)
        let padded = String(repeating: "0", count: 16 - word.count) + word
        let name = ImageName(reference).map { "\($0.registry)/\($0.repository)" } ?? reference
        return "\(name)@sha256:\(String(repeating: padded, count: 4))"
    }
}
