import GRPCCore
public import RPC

/// A container runtime behind the Container Runtime Interface on a unix socket.
public final class CRIRuntime: ContainerRuntime {
    /// The longest an ordinary call may take (as the upstream kubelet's runtimeRequestTimeout).
    public static let callTimeout: Duration = .seconds(120)
    /// A pull may take long, but not for ever.
    static let pullTimeout: Duration = .seconds(1800)
    /// Starting a sandbox includes the network plugins.
    static let sandboxTimeout: Duration = .seconds(240)
    /// Lists answer at once or the runtime is ill.
    static let listTimeout: Duration = .seconds(30)

    private let connection: RuntimeConnection

    /// A runtime at `socketPath`; the socket need not exist yet.
    public init(socketPath: String) throws {
        connection = try RuntimeConnection(socketPath: socketPath)
    }

    /// Always true: containerd and its like run real processes.
    public var runsProcesses: Bool { true }

    /// Keeps the gRPC connection; cancel to close it.
    public func run() async throws {
        try await connection.run()
    }

    /// Lets calls in flight end, then closes.
    public func shutDown() {
        connection.shutDown()
    }

    private var runtime: CRIRuntimeService.Client<RuntimeConnection.Transport> { connection.runtime }
    private var images: CRIImageService.Client<RuntimeConnection.Transport> { connection.images }

    private func call<T: Sendable>(
        _ timeout: Duration = CRIRuntime.callTimeout,
        _ body: @Sendable (CallOptions) async throws -> T
    ) async throws -> T {
        do {
            return try await body(RuntimeConnection.options(timeout: timeout))
        } catch let error as RPCError {
            throw RuntimeError(error)
        }
    }

    /// See `ContainerRuntime.version`.
    public func version() async throws -> CRIVersionResponse {
        try await call(Self.listTimeout) { try await self.runtime.version(.init(), options: $0) }
    }

    /// See `ContainerRuntime.status`.
    public func status() async throws -> CRIStatusResponse {
        try await call(Self.listTimeout) { try await self.runtime.status(.init(), options: $0) }
    }

    /// See `ContainerRuntime.runPodSandbox`.
    public func runPodSandbox(_ config: CRIPodSandboxConfig, runtimeHandler: String) async throws -> String {
        var request = CRIRunPodSandboxRequest()
        request.config = config
        request.runtimeHandler = runtimeHandler
        let message = request
        return try await call(Self.sandboxTimeout) { try await self.runtime.runPodSandbox(message, options: $0) }.podSandboxID
    }

    /// See `ContainerRuntime.stopPodSandbox`.
    public func stopPodSandbox(_ id: String) async throws {
        try await ignoringNotFound {
            _ = try await self.call { try await self.runtime.stopPodSandbox(.with { $0.podSandboxID = id }, options: $0) }
        }
    }

    /// See `ContainerRuntime.removePodSandbox`.
    public func removePodSandbox(_ id: String) async throws {
        try await ignoringNotFound {
            _ = try await self.call { try await self.runtime.removePodSandbox(.with { $0.podSandboxID = id }, options: $0) }
        }
    }

    /// See `ContainerRuntime.podSandboxStatus`.
    public func podSandboxStatus(_ id: String) async throws -> CRIPodSandboxStatus {
        try await call(Self.listTimeout) {
            try await self.runtime.podSandboxStatus(.with { $0.podSandboxID = id }, options: $0)
        }.status
    }

    /// See `ContainerRuntime.listPodSandboxes`.
    public func listPodSandboxes(podUID: String?) async throws -> [CRIPodSandbox] {
        let request = CRIListPodSandboxRequest.with { request in
            if let podUID { request.filter.labelSelector = [Labels.podUID: podUID] }
        }
        return try await call(Self.listTimeout) { try await self.runtime.listPodSandbox(request, options: $0) }.items
    }

    /// See `ContainerRuntime.createContainer`.
    public func createContainer(
        sandbox: String,
        _ config: CRIContainerConfig,
        sandboxConfig: CRIPodSandboxConfig
    ) async throws -> String {
        var request = CRICreateContainerRequest()
        request.podSandboxID = sandbox
        request.config = config
        request.sandboxConfig = sandboxConfig
        let message = request
        return try await call { try await self.runtime.createContainer(message, options: $0) }.containerID
    }

    /// See `ContainerRuntime.startContainer`.
    public func startContainer(_ id: String) async throws {
        _ = try await call { try await self.runtime.startContainer(.with { $0.containerID = id }, options: $0) }
    }

    /// See `ContainerRuntime.stopContainer`.
    public func stopContainer(_ id: String, timeout: Duration) async throws {
        let request = CRIStopContainerRequest.with {
            $0.containerID = id
            $0.timeout = timeout.components.seconds
        }
        try await ignoringNotFound {
            _ = try await self.call(Self.callTimeout + timeout) { try await self.runtime.stopContainer(request, options: $0) }
        }
    }

    /// See `ContainerRuntime.removeContainer`.
    public func removeContainer(_ id: String) async throws {
        try await ignoringNotFound {
            _ = try await self.call { try await self.runtime.removeContainer(.with { $0.containerID = id }, options: $0) }
        }
    }

    /// See `ContainerRuntime.listContainers`.
    public func listContainers(podUID: String?) async throws -> [CRIContainer] {
        let request = CRIListContainersRequest.with { request in
            if let podUID { request.filter.labelSelector = [Labels.podUID: podUID] }
        }
        return try await call(Self.listTimeout) { try await self.runtime.listContainers(request, options: $0) }.containers
    }

    /// See `ContainerRuntime.containerStatus`.
    public func containerStatus(_ id: String) async throws -> CRIContainerStatus {
        try await call(Self.listTimeout) {
            try await self.runtime.containerStatus(.with { $0.containerID = id }, options: $0)
        }.status
    }

    /// See `ContainerRuntime.updateContainerResources`.
    public func updateContainerResources(_ id: String, _ resources: CRILinuxContainerResources) async throws {
        let request = CRIUpdateContainerResourcesRequest.with {
            $0.containerID = id
            $0.linux = resources
        }
        _ = try await call { try await self.runtime.updateContainerResources(request, options: $0) }
    }

    /// See `ContainerRuntime.reopenContainerLog`.
    public func reopenContainerLog(_ id: String) async throws {
        _ = try await call { try await self.runtime.reopenContainerLog(.with { $0.containerID = id }, options: $0) }
    }

    private func ignoringNotFound(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as RuntimeError where error.code == .notFound {
            return
        }
    }
}

// MARK: - Streams, usage, images, events

extension CRIRuntime {
    /// See `ContainerRuntime.execSync`.
    public func execSync(_ id: String, command: [String], timeout: Duration) async throws -> CRIExecSyncResponse {
        let request = CRIExecSyncRequest.with {
            $0.containerID = id
            $0.cmd = command
            $0.timeout = timeout.components.seconds
        }
        // A timeout of zero means none to the runtime: the call's own deadline then ends it.
        let deadline = timeout > .zero ? timeout + .seconds(5) : Self.callTimeout
        return try await call(deadline) { try await self.runtime.execSync(request, options: $0) }
    }

    /// See `ContainerRuntime.exec`.
    public func exec(_ request: CRIExecRequest) async throws -> String {
        try await call(Self.listTimeout) { try await self.runtime.exec(request, options: $0) }.url
    }

    /// See `ContainerRuntime.attach`.
    public func attach(_ request: CRIAttachRequest) async throws -> String {
        try await call(Self.listTimeout) { try await self.runtime.attach(request, options: $0) }.url
    }

    /// See `ContainerRuntime.portForward`.
    public func portForward(sandbox: String, ports: [Int32]) async throws -> String {
        let request = CRIPortForwardRequest.with {
            $0.podSandboxID = sandbox
            $0.port = ports
        }
        return try await call(Self.listTimeout) { try await self.runtime.portForward(request, options: $0) }.url
    }

    /// See `ContainerRuntime.listContainerStats`.
    public func listContainerStats() async throws -> [CRIContainerStats] {
        try await call(Self.listTimeout) { try await self.runtime.listContainerStats(.init(), options: $0) }.stats
    }

    /// See `ContainerRuntime.listImages`.
    public func listImages() async throws -> [CRIImage] {
        try await call(Self.listTimeout) { try await self.images.listImages(.init(), options: $0) }.images
    }

    /// See `ContainerRuntime.imageStatus`.
    public func imageStatus(_ reference: String) async throws -> CRIImage? {
        let request = CRIImageStatusRequest.with { $0.image.image = reference }
        let response = try await call(Self.listTimeout) { try await self.images.imageStatus(request, options: $0) }
        guard response.hasImage, !response.image.id.isEmpty else { return nil }
        return response.image
    }

    /// See `ContainerRuntime.pullImage`.
    public func pullImage(
        _ reference: String,
        auth: CRIAuthConfig?,
        sandboxConfig: CRIPodSandboxConfig
    ) async throws -> String {
        let request = CRIPullImageRequest.with {
            $0.image.image = reference
            if let auth { $0.auth = auth }
            $0.sandboxConfig = sandboxConfig
        }
        return try await call(Self.pullTimeout) { try await self.images.pullImage(request, options: $0) }.imageRef
    }

    /// See `ContainerRuntime.removeImage`.
    public func removeImage(_ reference: String) async throws {
        let request = CRIRemoveImageRequest.with { $0.image.image = reference }
        _ = try await call { try await self.images.removeImage(request, options: $0) }
    }

    /// See `ContainerRuntime.imageFilesystems`.
    public func imageFilesystems() async throws -> [CRIFilesystemUsage] {
        try await call(Self.listTimeout) { try await self.images.imageFsInfo(.init(), options: $0) }.imageFilesystems
    }

    /// See `ContainerRuntime.watchEvents`.
    public func watchEvents(_ changed: @escaping @Sendable (_ podUID: String?) -> Void) async throws {
        var options = RuntimeConnection.options(timeout: nil)
        options.waitForReady = true
        do {
            try await runtime.getContainerEvents(.init(), options: options) { response in
                for try await event in response.messages {
                    let uid = event.podSandboxStatus.metadata.uid
                    changed(uid.isEmpty ? nil : uid)
                }
            }
        } catch let error as RPCError {
            throw RuntimeError(error)
        }
    }
}

extension RuntimeError {
    init(_ error: RPCError) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            case .unimplemented: .unimplemented
            case .deadlineExceeded: .deadlineExceeded
            case .unavailable: .unavailable
            case .cancelled: .cancelled
            default: .other
            }
        let words = error.code.description.split(separator: " ").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        self.init(code: code, message: error.message, statusName: words.joined())
    }
}
