import Units

/// What the rules depend on besides Services and endpoints.
public struct ProxyNode: Sendable, Hashable {
    /// This node's name: endpoints on it are local.
    public var name: String
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
        clusterCIDR: CIDR? = nil,
        nodePortAddresses: [IPAddress] = [],
        masqueradeMark: UInt32 = ProxyNode.defaultMasqueradeMark
    ) {
        self.name = name
        self.table = table
        self.clusterCIDR = clusterCIDR
        self.nodePortAddresses = nodePortAddresses
        self.masqueradeMark = masqueradeMark
    }
}
