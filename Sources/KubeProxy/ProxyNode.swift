import Units

/// What the rules depend on besides Services and endpoints.
public struct ProxyNode: Sendable, Hashable {
    /// This node's name: endpoints on it are local.
    public var name: String
    /// This node's own address, when it is known.
    public var address: IPAddress?
    /// The table's name; unique per cluster on a machine.
    public var table: String
    /// The addresses of all pods: traffic from elsewhere to a Service address is masqueraded. Nil: no masquerade.
    public var clusterCIDR: CIDR?
    /// The node addresses on which node ports answer; empty: every address of this machine but loopback.
    public var nodePortAddresses: [IPAddress]
    /// The bit of the packet mark that asks for masquerade.
    public var masqueradeMark: UInt32

    /// The bit that upstream uses too.
    public static let defaultMasqueradeMark: UInt32 = 0x4000

    /// The facts of one node.
    public init(
        name: String,
        table: String,
        address: IPAddress? = nil,
        clusterCIDR: CIDR? = nil,
        nodePortAddresses: [IPAddress] = [],
        masqueradeMark: UInt32 = ProxyNode.defaultMasqueradeMark
    ) {
        self.name = name
        self.table = table
        self.address = address
        self.clusterCIDR = clusterCIDR
        self.nodePortAddresses = nodePortAddresses
        self.masqueradeMark = masqueradeMark
    }
}
