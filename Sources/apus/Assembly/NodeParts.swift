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
import PodRuntime
import Units
import Values

/// What a node needs of its cluster, whether the control plane runs in this process or on another machine.
struct NodeSeams: Sendable {
    /// The node's own address.
    let address: IPAddress?
    /// Requests as the kubelet.
    let kubelet: APIClient
    /// Requests of DNS, which publishes where it listens.
    let dns: APIClient
    /// What the kubelet watches; nil: through its client.
    let source: (any ObjectSource)?
    /// What proxy, DNS and network know of the cluster. Somebody else runs them.
    let informers: SharedInformers
    /// The threads of every socket of this process.
    let eventLoops: EventLoopThreads
    /// The kubelet's side of TLS once there is one, and whenever it is renewed.
    let serving: Signal<TLSServer?>
    /// What shows the node as one of the control plane; nil for others.
    let labelling: APIClient?
}

/// This machine's node: container runtime, kubelet, pod network, service proxy, DNS.
struct NodeParts: Sendable {
    let seams: NodeSeams
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
        let informers = seams.informers
        let proxy = KubeProxy(informers: informers, node: proxyNode)
        let ports = try KubeletPorts.free()
        let kubelet = try makeKubelet(socket: socket, ports: ports, proxy: proxy)
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let containerd { group.addTask { await containerd.run() } }
            group.addTask { try await kubelet.run() }
            group.addTask { try await self.serve(kubelet, ports) }
            group.addTask { await proxy.run() }
            group.addTask { await self.runNetwork(informers) }
            if let labelling = seams.labelling { group.addTask { await self.markControlPlane(labelling) } }
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
        guard let address = seams.address, let service = configuration.dnsAddress else { return nil }
        let settings = NodeDNS.Configuration(
            domain: configuration.clusterDomain,
            clusterIP: service,
            listenAddress: address,
            nodeName: nodeName
        )
        return try NodeDNS(settings, informers: informers, client: seams.dns)
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
            address: seams.address,
            clusterCIDR: configuration.clusterCIDR,
            nodePortAddresses: []
        )
    }

    private func makeKubelet(socket: String, ports: KubeletPorts, proxy: KubeProxy) throws -> Kubelet {
        var settings = KubeletConfiguration(
            nodeName: nodeName,
            nodeIPs: seams.address.map { ["\($0)"] } ?? [],
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
            client: seams.kubelet,
            runtime: try CRIRuntime(socketPath: socket),
            source: seams.source
        )
    }

    /// The kubelet's own API, and its health without TLS for this host only.
    private func serve(_ kubelet: Kubelet, _ ports: KubeletPorts) async throws {
        let health = try HTTPServer(
            configuration: HTTPServerConfiguration(
                host: "127.0.0.1",
                port: ports.health,
                eventLoops: seams.eventLoops,
                name: "kubelet-health"
            ),
            handler: HealthOnly(handler: kubelet.handler)
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await health.run() }
            group.addTask { try await self.serveAPI(kubelet, ports) }
            try await group.waitForAll()
        }
    }

    /// Begins with the first certificate; later ones are taken without a restart.
    private func serveAPI(_ kubelet: Kubelet, _ ports: KubeletPorts) async throws {
        let version = seams.serving.current.version
        guard let first = try await seams.serving.wait(until: { $0 != nil }) else { return }
        let api = try HTTPServer(
            configuration: HTTPServerConfiguration(
                host: "0.0.0.0",
                port: ports.api,
                tls: first,
                eventLoops: seams.eventLoops,
                name: "kubelet"
            ),
            handler: KubeletGate(kubelet.handler, nodeName: nodeName)
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await api.run() }
            group.addTask { try await self.reload(api, after: version) }
            try await group.waitForAll()
        }
    }

    private func reload(_ api: HTTPServer, after version: UInt64) async throws {
        var version = version
        while !Task.isCancelled {
            let (tls, next) = await seams.serving.next(after: version)
            version = next
            if let tls, !Task.isCancelled { try api.reloadTLS(tls) }
        }
    }

    /// Gives the node its role once it has registered; a kubelet may not do that itself.
    private func markControlPlane(_ client: APIClient) async {
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
                cniStateDirectory: directory.cniState,
                nodeAddress: seams.address
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
