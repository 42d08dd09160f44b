public import RPC
public import Units

/// What a container is doing, as the runtime last said.
public enum ContainerRunState: Sendable, Hashable {
    /// Created, not started: the runtime failed to start it, or is about to.
    case created
    /// Its process runs.
    case running
    /// Its process ended.
    case exited
    /// The runtime cannot tell.
    case unknown
}

/// A sandbox as the runtime last showed it.
public struct ObservedSandbox: Sendable, Hashable {
    /// The runtime's id.
    public var id: String
    /// How many sandboxes the pod had before this one.
    public var attempt: UInt32 = 0
    /// Whether it can hold containers.
    public var isReady: Bool
    /// When it was made, nanoseconds since the epoch.
    public var createdAt: Int64 = 0
    /// Whether it lives in the node's network.
    public var usesHostNetwork = false
    /// The pod's addresses, main one first.
    public var addresses: [String] = []

    /// A sandbox by id.
    public init(id: String, isReady: Bool) {
        self.id = id
        self.isReady = isReady
    }
}

/// A container as the runtime last showed it.
public struct ObservedContainer: Sendable, Hashable {
    /// The runtime's id.
    public var id: String
    /// The name in the pod's spec.
    public var name: String
    /// What it is doing.
    public var state: ContainerRunState
    /// When it was made.
    public var createdAt: Timestamp?
    /// When its process began.
    public var startedAt: Timestamp?
    /// When its process ended.
    public var finishedAt: Timestamp?
    /// The exit code of an ended process.
    public var exitCode = 0
    /// The runtime's word for why it ended (`Completed`, `Error`, `OOMKilled`).
    public var reason = ""
    /// The container's last words.
    public var message = ""
    /// The image as asked for.
    public var image = ""
    /// The image's digest reference.
    public var imageReference = ""
    /// How often it was restarted before this one.
    public var restartCount = 0
    /// Hash of the spec it was made from.
    public var hash = ""
    /// The sandbox it lives in.
    public var sandboxID = ""
    /// Its log file.
    public var logPath = ""
    /// The grace period it was made with.
    public var gracePeriodSeconds: Int64?
    /// The user its process runs as, when the runtime tells.
    public var user: RuntimeUser?

    /// A container by id.
    public init(id: String, name: String, state: ContainerRunState) {
        self.id = id
        self.name = name
        self.state = state
    }
}

/// The numeric user of a process.
public struct RuntimeUser: Sendable, Hashable {
    /// User id.
    public var uid: Int
    /// Group id.
    public var gid: Int
    /// Further groups.
    public var groups: [Int]
}

/// Everything the runtime knows about one pod. Sandboxes and containers are newest first.
public struct ObservedPod: Sendable, Hashable {
    /// The pod's uid.
    public var uid: String
    /// The pod's namespace and name, from the runtime's labels.
    public var namespace = ""
    /// The pod's name.
    public var name = ""
    /// Newest first.
    public var sandboxes: [ObservedSandbox] = []
    /// Newest first.
    public var containers: [ObservedContainer] = []

    /// A pod of which nothing is known.
    public init(uid: String) {
        self.uid = uid
    }

    /// The newest container of that name.
    public func latest(_ name: String) -> ObservedContainer? {
        containers.first { $0.name == name }
    }

    /// The addresses of the newest ready sandbox, else those of the newest.
    public var addresses: [String] {
        (sandboxes.first { $0.isReady } ?? sandboxes.first)?.addresses ?? []
    }

    /// Containers that run or may run.
    public var live: [ObservedContainer] {
        containers.filter { $0.state == .running || $0.state == .unknown }
    }

    /// Whether anything is left that could run a process.
    public var isStopped: Bool {
        live.isEmpty && !sandboxes.contains { $0.isReady }
    }
}

extension ContainerRunState {
    /// The state in the runtime's words.
    public init(_ state: CRIContainerState) {
        switch state {
        case .containerCreated: self = .created
        case .containerRunning: self = .running
        case .containerExited: self = .exited
        default: self = .unknown
        }
    }
}

extension ObservedSandbox {
    /// What the runtime says of a sandbox.
    public init(_ status: CRIPodSandboxStatus) {
        self.init(id: status.id, isReady: status.state == .sandboxReady)
        attempt = status.metadata.attempt
        createdAt = status.createdAt
        usesHostNetwork = status.linux.namespaces.options.network == .node
        if !status.network.ip.isEmpty {
            addresses = [status.network.ip] + status.network.additionalIps.map(\.ip)
        }
    }
}

extension ObservedContainer {
    /// What the runtime says of a container in a sandbox.
    public init(_ status: CRIContainerStatus, sandboxID: String) {
        self.init(
            id: status.id,
            name: status.labels[Labels.containerName] ?? status.metadata.name,
            state: ContainerRunState(status.state)
        )
        self.sandboxID = sandboxID
        createdAt = Timestamp(nanoseconds: status.createdAt)
        startedAt = status.startedAt > 0 ? Timestamp(nanoseconds: status.startedAt) : nil
        finishedAt = status.finishedAt > 0 ? Timestamp(nanoseconds: status.finishedAt) : nil
        exitCode = Int(status.exitCode)
        reason = status.reason
        message = status.message
        image = status.image.userSpecifiedImage.isEmpty ? status.image.image : status.image.userSpecifiedImage
        imageReference = status.imageRef
        restartCount = status.annotations[Labels.restartCount].flatMap { Int($0) } ?? Int(status.metadata.attempt)
        hash = status.annotations[Labels.hash] ?? ""
        logPath = status.logPath
        gracePeriodSeconds = status.annotations[Labels.gracePeriod].flatMap { Int64($0) }
        if status.hasUser, status.user.hasLinux {
            let linux = status.user.linux
            user = RuntimeUser(uid: Int(linux.uid), gid: Int(linux.gid), groups: linux.supplementalGroups.map { Int($0) })
        }
    }
}

extension Timestamp {
    /// From the nanoseconds since the epoch that the runtime interface uses.
    public init(nanoseconds: Int64) {
        self.init(unixSeconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}
