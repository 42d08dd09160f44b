import Units
import Values

/// The VXLAN device to nodes beyond a router: packets between pods travel in UDP packets between nodes. Pure.
///
/// Nothing is agreed on between nodes: the network's number follows from the cluster's pod range, a node's end of the
/// tunnel (address and hardware address) from its own.
public enum Overlay {
    /// The UDP port, Linux' own for VXLAN, which other pod networks use too.
    public static let port = 8472
    /// What an envelope adds to a packet: outer Ethernet, IPv4, UDP and VXLAN headers.
    public static let overhead = 50
    /// The smallest packet size that IPv4 links must carry.
    private static let smallestMTU = 576

    /// The number of the cluster's network: the same on all its nodes, another in other clusters.
    public static func identifier(_ clusterCIDR: CIDR) -> Int {
        Int(ClusterNames.hash(clusterCIDR.description) & 0xFF_FFFE) | 1
    }

    /// A node's end of the tunnel: the first address of its range, which no pod gets.
    public static func address(_ podCIDR: CIDR) -> IPAddress { podCIDR.network }

    /// The hardware address of that end.
    public static func hardwareAddress(_ podCIDR: CIDR) -> String { NetworkPlan.hardwareAddress(address(podCIDR)) }

    /// The commands that make the device.
    public static func creation(_ configuration: NetworkConfiguration, underlayMTU: Int) -> [[String]] {
        let name = configuration.names.overlay
        let local = configuration.nodeAddress.map { ["local", $0.description] } ?? []
        return [
            ["ip", "link", "add", name, "address", hardwareAddress(configuration.podCIDR), "type", "vxlan", "id"]
                + ["\(identifier(configuration.clusterCIDR))", "dstport", "\(port)", "nolearning"] + local,
            ["ip", "link", "set", "dev", name, "mtu", "\(max(underlayMTU - overhead, smallestMTU))"],
            ["ip", "addr", "replace", "\(address(configuration.podCIDR))/32", "dev", name],
            ["ip", "link", "set", "dev", name, "up"],
        ]
    }

    /// Whether `ip -d -o link show` tells of a device as `creation` makes it.
    public static func isRight(_ listing: String, _ configuration: NetworkConfiguration) -> Bool {
        listing.contains("vxlan id \(identifier(configuration.clusterCIDR)) ")
            && listing.contains(hardwareAddress(configuration.podCIDR))
            && configuration.nodeAddress.map { listing.contains("local \($0) ") } != false
    }

    /// The commands that make another node's pods reachable through it.
    public static func opening(_ route: NodeRoute, names: ClusterNames) -> [[String]] {
        let far = address(route.destination).description
        let hardware = hardwareAddress(route.destination)
        return [
            ["bridge", "fdb", "replace", hardware, "dev", names.overlay, "dst", route.gateway.description],
            ["ip", "neigh", "replace", far, "lladdr", hardware, "dev", names.overlay, "nud", "permanent"],
        ]
    }

    /// The commands that forget the other node again.
    public static func closing(_ route: NodeRoute, names: ClusterNames) -> [[String]] {
        [
            ["ip", "neigh", "del", address(route.destination).description, "dev", names.overlay],
            ["bridge", "fdb", "del", hardwareAddress(route.destination), "dev", names.overlay, "dst", route.gateway.description],
        ]
    }
}
