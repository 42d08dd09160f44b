import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// The pod network of one node: bridge, CNI configuration, masquerade, routes to other nodes' pods.
///
/// Everything can be set up again over what is there, so a restart disturbs no pod.
public struct PodNetwork: Sendable {
    /// What is wanted.
    public let configuration: NetworkConfiguration
    let host: HostCommands
    let log: Logger

    /// The network of one node. `commandPrefix` runs every command in another namespace.
    public init(
        _ configuration: NetworkConfiguration,
        commandPrefix: [String] = [],
        log: Logger = Logger(label: "cluster-network")
    ) {
        self.configuration = configuration
        host = HostCommands(prefix: commandPrefix)
        self.log = log
    }

    /// The bridge's address, which pods use as gateway and the host for its traffic to Services.
    public var gateway: IPAddress? { NetworkPlan.gateway(configuration) }

    /// The file that the container runtime waits for.
    public var conflistPath: String {
        "\(configuration.cniConfigurationDirectory)/\(NetworkPlan.conflistName(configuration.names))"
    }

    // MARK: set-up

    /// Makes the network ready; the CNI configuration is written last, since it tells the runtime to begin.
    public func setUp() async throws {
        guard let gateway else { throw NetworkError(description: "no address in pod range \(configuration.podCIDR)") }
        guard await Forwarding(host).enable() else {
            throw NetworkError(description: "cannot enable net.ipv4.ip_forward: pods would not be reachable")
        }
        try await setUpBridge(gateway)
        try await host.run(["nft", "-f", "-"], input: NetworkPlan.rules(configuration))
        let list = NetworkPlan.conflist(configuration).encodedPretty(indent: 2) + [UInt8(ascii: "\n")]
        try await HostCommands.writeFile(conflistPath, list)
    }

    private func setUpBridge(_ gateway: IPAddress) async throws {
        let bridge = configuration.names.bridge
        if (try? await host.run(["ip", "link", "show", "dev", bridge])) == nil {
            try await host.run(["ip", "link", "add", "name", bridge, "type", "bridge"])
        }
        // Packets between pods on the bridge must pass the service rules, or answers would miss the way back.
        if (try? await filterBridge(bridge)) == nil {
            _ = try? await host.run(["modprobe", "br_netfilter"])
            do {
                try await filterBridge(bridge)
            } catch {
                log.warning("pods on this node may not reach one another through Services", metadata: ["error": "\(error)"])
            }
        }
        let address = "\(gateway)/\(configuration.podCIDR.prefixLength)"
        let present = try await host.run(["ip", "-4", "-o", "addr", "show", "dev", bridge])
        if present.contains("inet "), !present.contains("inet \(address) ") {
            try await host.run(["ip", "addr", "flush", "dev", bridge])
        }
        try await host.run(["ip", "link", "set", "dev", bridge, "address", NetworkPlan.hardwareAddress(gateway)])
        if let mtu = configuration.mtu { try await host.run(["ip", "link", "set", "dev", bridge, "mtu", "\(mtu)"]) }
        try await host.run(["ip", "addr", "replace", address, "dev", bridge])
        try await host.run(["ip", "link", "set", "dev", bridge, "up"])
        // Service addresses are rewritten before they leave; the route makes them routable without a default route.
        let services = configuration.serviceCIDR.description
        try await host.run(["ip", "route", "replace", services, "dev", bridge, "src", gateway.description])
        if configuration.routesLoopback { _ = await host.set("net/ipv4/conf/\(bridge)/route_localnet", "1") }
    }

    private func filterBridge(_ bridge: String) async throws {
        try await host.run(["ip", "link", "set", "dev", bridge, "type", "bridge", "nf_call_iptables", "1"])
    }

    // MARK: clean-up

    /// Removes the bridge with its routes, the rules, the CNI configuration and the notes on taken addresses.
    public func cleanUp() async throws {
        try await Self.cleanUp(
            names: configuration.names,
            cniConfigurationDirectory: configuration.cniConfigurationDirectory,
            cniStateDirectory: configuration.cniStateDirectory,
            host: host
        )
    }

    /// As above for a cluster of which only the names and directories are known.
    public static func cleanUp(names: ClusterNames, cniConfigurationDirectory: String, cniStateDirectory: String) async throws {
        try await cleanUp(
            names: names,
            cniConfigurationDirectory: cniConfigurationDirectory,
            cniStateDirectory: cniStateDirectory,
            host: HostCommands()
        )
    }

    private static func cleanUp(
        names: ClusterNames,
        cniConfigurationDirectory: String,
        cniStateDirectory: String,
        host: HostCommands
    ) async throws {
        HostCommands.removeFile("\(cniConfigurationDirectory)/\(NetworkPlan.conflistName(names))")
        try await host.run(["nft", "-f", "-"], input: NetworkPlan.removalRules(names))
        await ForwardRules(chain: names.forwardChain, host: host).remove()
        let routes = NodeRoutes(names: names, host: host)
        for route in routes.present(await routes.listing()) { _ = try? await host.run(routes.removal(route)) }
        for link in [names.overlay, names.bridge] where (try? await host.run(["ip", "link", "show", "dev", link])) != nil {
            try await host.run(["ip", "link", "del", "dev", link])
        }
        await Forwarding(host).restore()
        try await HostCommands.removeFlatDirectory("\(cniStateDirectory)/\(names.network)")
    }
}

extension PodNetwork {
    /// Waits until this node has been given its range of pod addresses. Throws `CancellationError`.
    public static func podCIDR(of node: String, informers: SharedInformers) async throws -> CIDR {
        let nodes = informers.informer(Node.self)
        let changes = Signal(0)
        nodes.addHandlers(.init { _ in changes.update { $0 += 1 } })
        while true {
            let version = changes.current.version
            if let range = nodes.get(nil, node).flatMap({ CIDR($0.spec.podCIDR) }) { return range }
            try Task.checkCancellation()
            _ = await changes.next(after: version)
        }
    }
}
