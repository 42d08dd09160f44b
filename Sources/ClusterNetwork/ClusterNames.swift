/// The names that one cluster uses on its machine, so that several clusters can share one.
public struct ClusterNames: Sendable, Hashable {
    /// The bridge that pods are attached to; at most 15 bytes.
    public let bridge: String
    /// The nftables table of the service proxy.
    public let proxyTable: String
    /// The nftables table of the pod network.
    public let networkTable: String
    /// The CNI network's name.
    public let network: String

    /// The longest name of a Linux network interface.
    private static let longestInterfaceName = 15

    /// Names from a cluster id of letters and digits; the empty id belongs to the machine's first cluster.
    public init(id: String) {
        let clean = String(
            id.lowercased().unicodeScalars.filter { ("a"..."z").contains($0) || ("0"..."9").contains($0) }.map { Character($0) }
        )
        network = clean.isEmpty ? "apus" : "apus-\(clean)"
        proxyTable = network
        networkTable = network + "-network"
        bridge = clean.isEmpty ? "apus0" : String(network.prefix(Self.longestInterfaceName))
    }
}
