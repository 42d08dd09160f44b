import APIModel
import APITypes
import Channels
import ControllerRuntime
import Glibc
import Logging
import Units

/// Brings the pod network of one node about: the bridge, the kernel's settings, the rules and the CNI configuration.
///
/// `run` waits for the node's pod range and applies the plan; what it made stays until `cleanUp`.
public struct PodNetwork: Sendable {
    /// Where the network is set up and for whom.
    public struct Configuration: Sendable {
        /// Tells clusters on one machine apart.
        public var clusterID: String
        /// The addresses of all pods.
        public var clusterCIDR: CIDR
        /// The node's name.
        public var nodeName: String
        /// Where the container runtime looks for CNI configuration.
        public var cniDirectory: String
        /// Where host-local keeps its records.
        public var stateDirectory: String

        /// The settings of one node.
        public init(clusterID: String, clusterCIDR: CIDR, nodeName: String, cniDirectory: String, stateDirectory: String) {
            self.clusterID = clusterID
            self.clusterCIDR = clusterCIDR
            self.nodeName = nodeName
            self.cniDirectory = cniDirectory
            self.stateDirectory = stateDirectory
        }
    }

    private let configuration: Configuration
    private let logger: Logger
    private static let fileName = "10-apus.conflist"
    private static let retryDelay = Duration.seconds(2)

    /// A network that is not there yet.
    public init(configuration: Configuration, logger: Logger = Logger(label: "cluster-network")) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Applies the plan as soon as the node has a pod range, and again when the range changes, until cancelled.
    ///
    /// - Parameter ready: called after each success.
    public func run(source: any ObjectSource, ready: @escaping @Sendable (PodNetworkPlan) -> Void) async {
        var options = ListOptions()
        options.fieldSelector = "metadata.name=\(configuration.nodeName)"
        let nodes = Informer<Node>(source: source, options: options, log: logger)
        let range = Signal<CIDR?>(nil)
        nodes.addHandlers(
            Informer<Node>.Handlers { change in
                let found = CIDR(change.entry.object.spec.podCIDR)
                if let found, range.value != found { range.set(found) }
            }
        )
        await withDiscardingTaskGroup { group in
            group.addTask { await nodes.run() }
            group.addTask { await follow(range, ready) }
        }
    }

    private func follow(_ range: Signal<CIDR?>, _ ready: @escaping @Sendable (PodNetworkPlan) -> Void) async {
        var (value, version) = range.current
        while !Task.isCancelled {
            if let podCIDR = value {
                do {
                    let plan = plan(podCIDR)
                    try await apply(plan)
                    logger.info("pod network ready", metadata: ["range": "\(podCIDR)", "bridge": "\(plan.bridge)"])
                    ready(plan)
                } catch {
                    logger.error("the pod network could not be set up", metadata: ["range": "\(podCIDR)", "error": "\(error)"])
                    try? await Task.sleep(for: Self.retryDelay)
                    continue
                }
            }
            (value, version) = await range.next(after: version)
        }
    }

    private func plan(_ podCIDR: CIDR) -> PodNetworkPlan {
        PodNetworkPlan(
            clusterID: configuration.clusterID,
            clusterCIDR: configuration.clusterCIDR,
            podCIDR: podCIDR,
            stateDirectory: configuration.stateDirectory,
            hasPortMapping: ["/usr/sbin/iptables", "/sbin/iptables", "/usr/bin/iptables"].contains { (path: String) in access(path, X_OK) == 0 }
        )
    }

    /// Makes the host as the plan says; safe to repeat.
    /// - Throws: `ChildProcessError` naming the command or file that failed.
    public func apply(_ plan: PodNetworkPlan) async throws {
        guard let gateway = plan.gateway else { throw ChildProcessError(command: "pod network", message: "\(plan.podCIDR) has no addresses") }
        try setKernel("/proc/sys/net/ipv4/ip_forward", "1")
        if access("/sys/class/net/\(plan.bridge)", F_OK) != 0 {
            try await command(["ip", "link", "add", "name", plan.bridge, "type", "bridge"])
        }
        try await command(["ip", "addr", "replace", "\(gateway)/\(plan.podCIDR.prefixLength)", "dev", plan.bridge])
        try await command(["ip", "link", "set", plan.bridge, "up"])
        // Answers between two pods of one bridge must pass the service proxy's connection tracking on their way back.
        try setKernel("/sys/class/net/\(plan.bridge)/bridge/nf_call_iptables", "1")
        try await command(["nft", "-f", "-"], input: plan.ruleset)
        try writeConfiguration(plan)
    }

    /// Removes the links, rules, CNI configuration and records.
    /// - Returns: what could not be removed, in words.
    public static func cleanUp(clusterID: String, cniDirectory: String, stateDirectory: String) async -> [String] {
        var problems: [String] = []
        let bridge = PodNetworkPlan.bridge(clusterID: clusterID)
        if access("/sys/class/net/\(bridge)", F_OK) == 0 { problems += await attempt(["ip", "link", "delete", bridge]) }
        problems += await attempt(["nft", "-f", "-"], input: PodNetworkPlan.removal(clusterID: clusterID))
        unlink(cniDirectory + "/" + fileName)
        problems += await attempt(["rm", "-rf", stateDirectory])
        return problems
    }

    private static func attempt(_ arguments: [String], input: String = "") async -> [String] {
        do {
            let result = try await ChildProcess.run(arguments, input: Array(input.utf8))
            return result.succeeded ? [] : ["\(arguments.joined(separator: " ")): \(result.errorText)"]
        } catch {
            return ["\(error)"]
        }
    }

    private func command(_ arguments: [String], input: String = "") async throws {
        let result = try await ChildProcess.run(arguments, input: Array(input.utf8))
        guard result.succeeded else { throw ChildProcessError(command: arguments.joined(separator: " "), message: result.errorText) }
    }

    /// Writes a kernel setting; one that has the value already may be read-only.
    private func setKernel(_ path: String, _ value: String) throws {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw ChildProcessError(command: path, message: describe(errno: errno)) }
        defer { close(descriptor) }
        var current: UInt8 = 0
        if read(descriptor, &current, 1) == 1, current == value.utf8.first { return }
        let bytes = Array(value.utf8)
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw ChildProcessError(command: path, message: describe(errno: errno))
        }
    }

    private func writeConfiguration(_ plan: PodNetworkPlan) throws {
        try makeDirectories(configuration.cniDirectory)
        try makeDirectories(configuration.stateDirectory)
        let path = configuration.cniDirectory + "/" + Self.fileName
        let bytes = plan.configurationList.encodedPretty()
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ChildProcessError(command: temporary, message: describe(errno: errno)) }
        let count = write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard count == bytes.count, rename(temporary, path) == 0 else {
            throw ChildProcessError(command: path, message: describe(errno: errno))
        }
    }

    private func makeDirectories(_ path: String) throws {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/" + part
            if mkdir(prefix, 0o755) != 0, errno != EEXIST { throw ChildProcessError(command: "mkdir \(prefix)", message: describe(errno: errno)) }
        }
    }
}
