import APITypes
import Channels
import Glibc
import Logging

/// The cgroups of pods (cgroup v1, v1 with a v2 side tree, or v2). The runtime makes containers' own below them.
struct PodCgroups: Sendable {
    enum Version: Sendable { case v1, v2, none }

    let version: Version
    let root: String
    let pool: BlockingPool
    let mountPoint: String
    let logger: Logger

    init(root: String, pool: BlockingPool, isEnabled: Bool, logger: Logger, mountPoint: String = "/sys/fs/cgroup") {
        self.root = root
        self.pool = pool
        self.mountPoint = mountPoint
        self.logger = logger
        if !isEnabled {
            version = .none
        } else if HostFiles.exists("\(mountPoint)/cgroup.controllers") {
            version = .v2
        } else {
            version = HostFiles.isDirectory("\(mountPoint)/cpu") || HostFiles.isDirectory("\(mountPoint)/memory") ? .v1 : .none
        }
    }

    /// Whether containers' memory is limited by version 2: files of that version may be named to the runtime.
    static func hasUnifiedMemory(mountPoint: String = "/sys/fs/cgroup") -> Bool {
        let controllers = HostFiles.text("\(mountPoint)/cgroup.controllers") ?? ""
        return controllers.split(whereSeparator: \.isWhitespace).contains("memory")
    }

    /// Makes the pod's cgroup and sets its limits. Failures are logged: the containers' own limits still hold.
    func setUp(_ pod: Pod) async {
        let path = PodCgroup.path(pod, root: root)
        let limits = LinuxResources.pod(pod)
        do {
            try await pool.run { try apply(path, limits) }
        } catch {
            logger.warning("pod cgroup not set up", metadata: ["pod": "\(pod.key)", "error": "\(error)"])
        }
    }

    /// Gives the pod's cgroup other limits; what has none any more loses it.
    func resize(_ pod: Pod, to limits: LinuxResources.PodLimits) async throws {
        let path = PodCgroup.path(pod, root: root)
        try await pool.run { try apply(path, limits, lifts: true) }
    }

    /// Removes the pod's cgroups; they are empty once its containers are gone.
    func tearDown(uid: String) async {
        guard version != .none else { return }
        try? await pool.run {
            for parent in parents() {
                for quality in ["", "/burstable", "/besteffort"] {
                    let path = "\(parent)\(root)/kubepods\(quality)/pod\(uid)"
                    Self.removeEmpty(path)
                }
            }
        }
    }

    private func parents() -> [String] {
        guard version == .v1 else { return [mountPoint] }
        return HostFiles.list(mountPoint).map { "\(mountPoint)/\($0)" }
            .filter { HostFiles.kind($0, followLinks: false) == S_IFDIR }
    }

    /// - Parameter lifts: a limit that the pod does not have is lifted, not left as it was.
    private func apply(_ path: String, _ limits: LinuxResources.PodLimits, lifts: Bool = false) throws {
        switch version {
        case .none:
            return
        case .v1:
            let cpu = "\(mountPoint)/cpu\(path)"
            try HostFiles.makeDirectories(cpu)
            try HostFiles.write("\(cpu)/cpu.shares", "\(limits.shares)")
            if let all = Self.bestEffort(path) {
                try HostFiles.write("\(mountPoint)/cpu\(all)/cpu.shares", "\(LinuxResources.minimumShares)")
            }
            if let quota = limits.quota {
                try HostFiles.write("\(cpu)/cpu.cfs_period_us", "\(LinuxResources.cpuPeriod)")
                try HostFiles.write("\(cpu)/cpu.cfs_quota_us", "\(quota)")
            } else if lifts {
                try HostFiles.write("\(cpu)/cpu.cfs_quota_us", "-1")
            }
            if let memory = limits.memory {
                try HostFiles.makeDirectories("\(mountPoint)/memory\(path)")
                try HostFiles.write("\(mountPoint)/memory\(path)/memory.limit_in_bytes", "\(memory)")
            } else if lifts, HostFiles.isDirectory("\(mountPoint)/memory\(path)") {
                try HostFiles.write("\(mountPoint)/memory\(path)/memory.limit_in_bytes", "-1")
            }
        case .v2:
            let controllers = try enableControllers(path)
            let directory = "\(mountPoint)\(path)"
            if controllers.contains("cpu") {
                try HostFiles.write("\(directory)/cpu.weight", "\(Self.weight(shares: limits.shares))")
                if let all = Self.bestEffort(path) {
                    let least = Self.weight(shares: LinuxResources.minimumShares)
                    try HostFiles.write("\(mountPoint)\(all)/cpu.weight", "\(least)")
                }
                if let quota = limits.quota {
                    try HostFiles.write("\(directory)/cpu.max", "\(quota) \(LinuxResources.cpuPeriod)")
                } else if lifts {
                    try HostFiles.write("\(directory)/cpu.max", "max \(LinuxResources.cpuPeriod)")
                }
            }
            if controllers.contains("memory"), let memory = limits.memory {
                try HostFiles.write("\(directory)/memory.max", "\(memory)")
            } else if lifts, controllers.contains("memory") {
                try HostFiles.write("\(directory)/memory.max", "max")
            }
        }
    }

    private static let wantedControllers: Set = ["cpu", "memory", "pids"]

    /// Makes each level of `path` and lets the level below use cpu, memory and pids; returns those of them that there are:
    /// some may be bound to version 1.
    private func enableControllers(_ path: String) throws -> Set<String> {
        var directory = mountPoint
        let listed = HostFiles.text("\(mountPoint)/cgroup.controllers") ?? ""
        let controllers = Self.wantedControllers.intersection(listed.split(whereSeparator: \.isWhitespace).map(String.init))
        let enabling = controllers.sorted().map { "+\($0)" }.joined(separator: " ")
        for part in path.split(separator: "/") {
            if !controllers.isEmpty { try HostFiles.write("\(directory)/cgroup.subtree_control", enabling) }
            directory += "/\(part)"
            if mkdir(directory, 0o755) != 0, errno != EEXIST {
                throw FileError(operation: "mkdir", path: directory, code: errno)
            }
        }
        return controllers
    }

    /// The cgroup of all pods that asked for nothing, if the pod at `path` is one: the kernel's default weight would let
    /// them together take more than a pod with requests.
    private static func bestEffort(_ path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), path[..<slash].hasSuffix("/besteffort") else { return nil }
        return String(path[..<slash])
    }

    /// v2's weight (1–10000) for v1's shares (2–262144).
    static func weight(shares: Int64) -> Int64 {
        1 + (max(shares, 2) - 2) * 9999 / 262_142
    }

    private static func removeEmpty(_ path: String) {
        guard HostFiles.isDirectory(path) else { return }
        for name in HostFiles.list(path) where HostFiles.isDirectory("\(path)/\(name)") { removeEmpty("\(path)/\(name)") }
        rmdir(path)
    }
}
