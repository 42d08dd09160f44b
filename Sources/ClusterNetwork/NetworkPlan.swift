import Units
import Values

/// What the pod network of one node shall be.
public struct NetworkConfiguration: Sendable, Hashable {
    /// The names on this machine.
    public var names: ClusterNames
    /// The addresses of all pods.
    public var clusterCIDR: CIDR
    /// The addresses of Services.
    public var serviceCIDR: CIDR
    /// The addresses of this node's pods: a part of `clusterCIDR`.
    public var podCIDR: CIDR
    /// Where the container runtime looks for CNI configuration.
    public var cniConfigurationDirectory: String
    /// Where the host-local plugin notes which addresses are taken.
    public var cniStateDirectory: String
    /// The packet size of pod interfaces; nil is the kernel's.
    public var mtu: Int?
    /// This node's address, from which envelopes to nodes beyond a router leave; nil lets the kernel choose.
    public var nodeAddress: IPAddress?
    /// Whether node ports answer on 127.0.0.1 too, which lets packets with loopback addresses leave the host.
    public var routesLoopback = false

    /// A configuration.
    public init(
        names: ClusterNames,
        clusterCIDR: CIDR,
        serviceCIDR: CIDR,
        podCIDR: CIDR,
        cniConfigurationDirectory: String,
        cniStateDirectory: String,
        mtu: Int? = nil,
        nodeAddress: IPAddress? = nil
    ) {
        self.names = names
        self.clusterCIDR = clusterCIDR
        self.serviceCIDR = serviceCIDR
        self.podCIDR = podCIDR
        self.cniConfigurationDirectory = cniConfigurationDirectory
        self.cniStateDirectory = cniStateDirectory
        self.mtu = mtu
        self.nodeAddress = nodeAddress
    }
}

/// Decides what must be on the host. Pure.
public enum NetworkPlan {
    /// The version of the CNI specification that Debian's plugins and containerd speak.
    private static let cniVersion = "1.0.0"

    /// The bridge's address: the first of the node's range.
    public static func gateway(_ configuration: NetworkConfiguration) -> IPAddress? {
        configuration.podCIDR.address(at: 1)
    }

    /// A hardware address that stays when ports come and go, so that pods need not ask for it again.
    public static func hardwareAddress(_ gateway: IPAddress) -> String {
        let bytes = [0x0A, 0x58] + gateway.bytes.suffix(4)
        return bytes.map { Hex.encode([$0]) }.joined(separator: ":")
    }

    /// The CNI configuration list: bridge with host-local addresses, then ports of the host.
    public static func conflist(_ configuration: NetworkConfiguration) -> JSONValue {
        var bridge: JSONValue = [
            "type": "bridge",
            "bridge": .string(configuration.names.bridge),
            "isGateway": true,
            "isDefaultGateway": true,
            "forceAddress": false,
            "ipMasq": false,
            "hairpinMode": true,
            "ipam": [
                "type": "host-local",
                "dataDir": .string(configuration.cniStateDirectory),
                "ranges": [[["subnet": .string(configuration.podCIDR.description)]]],
            ],
        ]
        if let mtu = configuration.mtu { bridge["mtu"] = JSONValue(mtu) }
        return [
            "cniVersion": .string(cniVersion),
            "name": .string(configuration.names.network),
            "plugins": [bridge, ["type": "portmap", "capabilities": ["portMappings": true], "snat": true]],
        ]
    }

    /// The file name of the list; the runtime takes the first in the order of names.
    public static func conflistName(_ names: ClusterNames) -> String { "10-\(names.network).conflist" }

    /// The transaction that makes pods' packets to the outside carry the node's address.
    public static func rules(_ configuration: NetworkConfiguration) -> String {
        let table = "ip \(configuration.names.networkTable)"
        return """
            add table \(table) { comment "pod network of apus" ; }
            add chain \(table) postrouting { type nat hook postrouting priority srcnat; policy accept; }
            flush chain \(table) postrouting
            add rule \(table) postrouting ip saddr \(configuration.podCIDR) ip daddr != \(configuration.clusterCIDR) \
            ip daddr != 224.0.0.0/4 oifname != "\(configuration.names.bridge)" masquerade fully-random

            """
    }

    /// The transaction that removes them, there or not.
    public static func removalRules(_ names: ClusterNames) -> String {
        "add table ip \(names.networkTable)\ndelete table ip \(names.networkTable)\n"
    }
}
