/// The names that one cluster uses on its machine, so that several clusters can share one.
public struct ClusterNames: Sendable, Hashable {
    /// The bridge that pods are attached to; at most 15 bytes.
    public let bridge: String
    /// The VXLAN device to nodes beyond a router; at most 15 bytes.
    public let overlay: String
    /// The chain that lets pods' packets pass a host's own filter; at most 28 bytes.
    public let forwardChain: String
    /// Tells this cluster's routes from another's on the same machine.
    public let routeMetric: Int
    /// The nftables table of the service proxy.
    public let proxyTable: String
    /// The nftables table of the pod network.
    public let networkTable: String
    /// The CNI network's name.
    public let network: String

    /// The longest name of a Linux network interface.
    private static let longestInterfaceName = 15
    /// The longest name of an iptables chain.
    private static let longestChainName = 28

    /// FNV-1a: the same on every machine and in every version.
    static func hash(_ text: String) -> UInt32 {
        text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    /// Names from a cluster id of letters and digits; the empty id belongs to the machine's first cluster.
    public init(id: String) {
        let clean = String(
            id.lowercased().unicodeScalars.filter { ("a"..."z").contains($0) || ("0"..."9").contains($0) }.map { Character($0) }
        )
        network = clean.isEmpty ? "apus" : "apus-\(clean)"
        proxyTable = network
        networkTable = network + "-network"
        overlay = clean.isEmpty ? "apusv0" : String("apusv-\(clean)".prefix(Self.longestInterfaceName))
        forwardChain = String((clean.isEmpty ? "APUS-FORWARD" : "APUS-FORWARD-\(clean)").prefix(Self.longestChainName))
        routeMetric = 1_000 + Int(ClusterNames.hash(network) % 60_000)
        bridge = clean.isEmpty ? "apus0" : String(network.prefix(Self.longestInterfaceName))
    }
}
