import APIClient
import APIModel
import Channels
import ClusterDNS
import ClusterNetwork
import Containerd
import ControllerRuntime
import Glibc
import HTTPTransport
import KubeProxy
import Kubelet
import Logging
import Units
import Values

/// This machine's node: container runtime, kubelet, pod network, service proxy, DNS.
struct NodeParts: Sendable {
    let plane: ControlPlane
    let configuration: ClusterConfiguration
    let directory: DataDirectory
    let nodeName: String

    /// The first letters of every link of ours.
    static let linkPrefix = "apus"
    private static let networkRetry = Duration.seconds(2)
    /// How long a pod's end waits for its removal from the service rules.
    private static let withdrawalLimit = Duration.seconds(3)
    /// And then, for connections that were on their way.
    private static let settling = Duration.milliseconds(100)

    /// Runs the node until cancelled. The container runtime starts at once, the rest when the API is ready.
    func run(_ isReady: Signal<Bool>) async throws {
        let containerd =
            configuration.containerRuntimeEndpoint == nil
            ? ContainerdProcess(
                configuration: NodeRuntime.containerd(directory),
                logger: Logger(label: "containerd")
            ) : nil
        async let runtimeStarted: Void = start(containerd)
        try await isReady.wait { $0 }
        try await runtimeStarted
        let socket = configuration.containerRuntimeEndpoint.map(Host.socketPath) ?? NodeRuntime.containerd(directory).socket
        let informers = plane.informers
        let proxy = KubeProxy(informers: informers, node: proxyNode)
        let ports = try KubeletPorts.free()
        let kubelet = try makeKubelet(socket: socket, ports: ports, proxy: proxy)
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let containerd { group.addTask { await containerd.run() } }
            group.addTask { try await kubelet.run() }
            group.addTask { try await self.serve(kubelet, ports) }
            group.addTask { await proxy.run() }
            group.addTask { await self.runNetwork(informers) }
            group.addTask { await self.markControlPlane() }
            if let dns = try makeDNS(informers) { group.addTask { await dns.run() } }
            do {
                while try await group.next() != nil {}
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    private func makeDNS(_ informers: SharedInformers) throws -> NodeDNS? {
        guard let address = plane.address, let service = configuration.dnsAddress else { return nil }
        let settings = NodeDNS.Configuration(
            domain: configuration.clusterDomain,
            clusterIP: service,
            listenAddress: address,
            nodeName: nodeName
        )
        return try NodeDNS(settings, informers: informers, client: plane.client("apus:server", groups: ["system:masters"]))
    }

    private func start(_ containerd: ContainerdProcess?) async throws {
        guard let containerd else { return }
        try await containerd.start()
        try await ImageStore(socket: containerd.configuration.socket).ensurePauseImage()
    }

    private var proxyNode: ProxyNode {
        ProxyNode(
            name: nodeName,
            table: directory.names.proxyTable,
            clusterCIDR: configuration.clusterCIDR,
            nodePortAddresses: []
        )
    }

    private func makeKubelet(socket: String, ports: KubeletPorts, proxy: KubeProxy) throws -> Kubelet {
        var settings = KubeletConfiguration(
            nodeName: nodeName,
            nodeIPs: plane.address.map { ["\($0)"] } ?? [],
            dataDirectory: directory.kubelet
        )
        settings.podLogsDirectory = directory.podLogs
        settings.clusterDNS = configuration.dnsAddress.map { ["\($0)"] } ?? []
        settings.clusterDomain = configuration.clusterDomain
        settings.cgroupRoot = directory.clusterID.isEmpty ? "" : "/apus-\(directory.clusterID)"
        settings.port = ports.api
        settings.kubeletVersion = Version.kubernetes
        settings.endpointsWithdrawn = { addresses in
            await proxy.waitUntilWithdrawn(addresses.compactMap { IPAddress($0) }, limit: Self.withdrawalLimit)
            try? await Task.sleep(for: Self.settling)
        }
        return Kubelet(
            configuration: settings,
            client: plane.client("system:node:\(nodeName)", groups: ["system:nodes"]),
            runtime: try CRIRuntime(socketPath: socket),
            source: plane.source
        )
    }

    /// The kubelet's own API, and its health without TLS for this host only.
    private func serve(_ kubelet: Kubelet, _ ports: KubeletPorts) async throws {
        let gate = KubeletGate(kubelet.handler, nodeName: nodeName)
        let api = try HTTPServer(
            configuration: HTTPServerConfiguration(
                host: "0.0.0.0",
                port: ports.api,
                tls: plane.pki.kubeletTLS,
                eventLoops: plane.eventLoops,
                name: "kubelet"
            ),
            handler: gate
        )
        let health = try HTTPServer(
            configuration: HTTPServerConfiguration(
                host: "127.0.0.1",
                port: ports.health,
                eventLoops: plane.eventLoops,
                name: "kubelet-health"
            ),
            handler: HealthOnly(handler: kubelet.handler)
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await api.run() }
            group.addTask { try await health.run() }
            try await group.waitForAll()
        }
    }

    /// Gives the node its role once it has registered; a kubelet may not do that itself.
    private func markControlPlane() async {
        let client = plane.client("apus:server", groups: ["system:masters"])
        let change: JSONValue = ["metadata": ["labels": ["node-role.kubernetes.io/control-plane": ""]]]
        let nodes = GroupVersionResource(group: "", version: "v1", resource: "nodes")
        while !Task.isCancelled {
            if (try? await client.patch(nodes, namespace: nil, name: nodeName, type: .merge, change)) != nil { return }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Sets the pod network up as soon as the node has a range of pod addresses, and keeps routes to other nodes.
    private func runNetwork(_ informers: SharedInformers) async {
        guard let cluster = configuration.clusterCIDR, let services = configuration.serviceCIDR,
            let range = try? await PodNetwork.podCIDR(of: nodeName, informers: informers)
        else { return }
        let network = PodNetwork(
            NetworkConfiguration(
                names: directory.names,
                clusterCIDR: cluster,
                serviceCIDR: services,
                podCIDR: range,
                cniConfigurationDirectory: directory.cniConfiguration,
                cniStateDirectory: directory.cniState
            )
        )
        let logger = Logger(label: "cluster-network")
        while !Task.isCancelled {
            do {
                try await network.setUp()
                logger.info("pod network ready", metadata: ["range": "\(range)", "bridge": "\(directory.names.bridge)"])
                await network.followNodes(informers, thisNode: nodeName)
            } catch {
                logger.error("the pod network could not be set up", metadata: ["range": "\(range)", "error": "\(error)"])
                try? await Task.sleep(for: Self.networkRetry)
            }
        }
    }
}

/// Lets only the health check through.
private struct HealthOnly: HTTPHandler {
    let handler: any HTTPHandler

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard request.path == "/healthz" else { return HTTPResponse(status: 404) }
        return await handler.respond(to: request)
    }
}

/// The kubelet's ports: upstream's, or free ones where another cluster on this machine has those.
struct KubeletPorts: Sendable {
    let api: Int
    let health: Int

    static func free() throws -> KubeletPorts {
        KubeletPorts(api: try pick(10250, "0.0.0.0"), health: try pick(10248, "127.0.0.1"))
    }

    private static func pick(_ preferred: Int, _ host: String) throws -> Int {
        for port in [preferred, 0] {
            if let found = bound(port, host) { return found }
        }
        throw FileError(path: "\(host):\(preferred)", message: FileBytes.lastError())
    }

    /// The port that binding to `port` gives, released at once; nil when it is taken.
    private static func bound(_ port: Int, _ host: String) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, size) == 0, listen(descriptor, 1) == 0,
                    getsockname(descriptor, generic, &size) == 0
                else { return nil }
                return Int(in_port_t(bigEndian: pointer.pointee.sin_port))
            }
        }
    }
}
