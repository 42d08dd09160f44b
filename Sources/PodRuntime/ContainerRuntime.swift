public import RPC

/// What a container runtime answered instead of doing what it was asked.
public struct RuntimeError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure the kubelet tells apart.
    public enum Code: Sendable, Hashable {
        /// The object is not known to the runtime (any more).
        case notFound
        /// The runtime does not offer the call.
        case unimplemented
        /// The call's deadline passed.
        case deadlineExceeded
        /// The runtime cannot be reached.
        case unavailable
        /// The call was cancelled by us.
        case cancelled
        /// Everything else; the message says what.
        case other
    }

    /// Which kind of failure.
    public let code: Code
    /// The runtime's words.
    public let message: String
    /// The gRPC status name, as gRPC clients print it.
    public let statusName: String

    /// An error with the runtime's words.
    public init(code: Code, message: String, statusName: String = "Unknown") {
        self.code = code
        self.message = message
        self.statusName = statusName
    }

    /// The words users of other kubelets know: `rpc error: code = NotFound desc = …`.
    public var description: String { "rpc error: code = \(statusName) desc = \(message)" }
}

/// The seam between the kubelet and whatever runs containers: the Container Runtime Interface, or a runtime that only
/// pretends. Calls are idempotent where the interface says so: stopping or removing what is gone succeeds.
public protocol ContainerRuntime: Sendable {
    /// False for a runtime that only pretends: the kubelet then prepares no volumes, files or cgroups on the host.
    var runsProcesses: Bool { get }
    /// Keeps the connection to the runtime; returns when cancelled.
    func run() async throws

    /// The runtime's name and versions.
    func version() async throws -> CRIVersionResponse
    /// Whether runtime and network are ready.
    func status() async throws -> CRIStatusResponse

    /// Creates and starts a sandbox; returns its id.
    func runPodSandbox(_ config: CRIPodSandboxConfig, runtimeHandler: String) async throws -> String
    /// Stops a sandbox and releases its network.
    func stopPodSandbox(_ id: String) async throws
    /// Removes a stopped sandbox and what is left of its containers.
    func removePodSandbox(_ id: String) async throws
    /// One sandbox, with its addresses.
    func podSandboxStatus(_ id: String) async throws -> CRIPodSandboxStatus
    /// The sandboxes of one pod (by uid), or all.
    func listPodSandboxes(podUID: String?) async throws -> [CRIPodSandbox]

    /// Creates a container in a sandbox; returns its id.
    func createContainer(sandbox: String, _ config: CRIContainerConfig, sandboxConfig: CRIPodSandboxConfig) async throws -> String
    /// Starts a created container.
    func startContainer(_ id: String) async throws
    /// Asks a container to end, and kills it after `timeout`.
    func stopContainer(_ id: String, timeout: Duration) async throws
    /// Removes a container that does not run.
    func removeContainer(_ id: String) async throws
    /// The containers of one pod (by uid), or all.
    func listContainers(podUID: String?) async throws -> [CRIContainer]
    /// One container.
    func containerStatus(_ id: String) async throws -> CRIContainerStatus
    /// Changes limits of a running container.
    func updateContainerResources(_ id: String, _ resources: CRILinuxContainerResources) async throws
    /// Makes the runtime write to a fresh log file after rotation.
    func reopenContainerLog(_ id: String) async throws

    /// Runs a command to its end.
    func execSync(_ id: String, command: [String], timeout: Duration) async throws -> CRIExecSyncResponse
    /// The address of the runtime's stream for a command.
    func exec(_ request: CRIExecRequest) async throws -> String
    /// The address of the runtime's stream for a container's own streams.
    func attach(_ request: CRIAttachRequest) async throws -> String
    /// The address of the runtime's stream for ports of a sandbox.
    func portForward(sandbox: String, ports: [Int32]) async throws -> String

    /// Usage of all containers.
    func listContainerStats() async throws -> [CRIContainerStats]

    /// All images.
    func listImages() async throws -> [CRIImage]
    /// One image, or nil when it is not present.
    func imageStatus(_ reference: String) async throws -> CRIImage?
    /// Pulls an image; returns its reference.
    func pullImage(_ reference: String, auth: CRIAuthConfig?, sandboxConfig: CRIPodSandboxConfig) async throws -> String
    /// Removes an image and its tags.
    func removeImage(_ reference: String) async throws
    /// The file systems that hold images.
    func imageFilesystems() async throws -> [CRIFilesystemUsage]

    /// Calls `changed` with the uid of every pod in which something happened (or nil: look at all). Throws
    /// `.unimplemented` at once when the runtime has no events: the kubelet then relists.
    func watchEvents(_ changed: @escaping @Sendable (_ podUID: String?) -> Void) async throws
}
