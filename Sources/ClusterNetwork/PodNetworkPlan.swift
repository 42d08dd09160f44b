import Units
import Values

/// What the pod network of one node consists of: names, CNI configuration and rules. Pure.
public struct PodNetworkPlan: Sendable, Equatable {
    /// Tells the links and tables of clusters on one machine apart.
    public let clusterID: String
    /// The addresses of all pods.
    public let clusterCIDR: CIDR
    /// The addresses of this node's pods.
    public let podCIDR: CIDR
    /// Where host-local keeps which address is whose.
    public let stateDirectory: String
    /// Whether hostPort can be offered: CNI's portmap plugin needs iptables.
    public let hasPortMapping: Bool

    /// The plan of one node.
    public init(clusterID: String, clusterCIDR: CIDR, podCIDR: CIDR, stateDirectory: String, hasPortMapping: Bool) {
        self.clusterID = clusterID
        self.clusterCIDR = clusterCIDR
        self.podCIDR = podCIDR
        self.stateDirectory = stateDirectory
        self.hasPortMapping = hasPortMapping
    }

    /// The first letters of every link of ours.
    public static let linkPrefix = "apus"

    /// The bridge's name for a cluster; the kernel takes 15 bytes.
    public static func bridge(clusterID: String) -> String { linkPrefix + clusterID.prefix(11) }

    /// The table's name for a cluster.
    public static func table(clusterID: String) -> String { "apus-network-\(clusterID)" }

    /// The bridge's name.
    public var bridge: String { Self.bridge(clusterID: clusterID) }

    /// The bridge's address: the first of the node's range, the pods' gateway.
    public var gateway: IPAddress? { podCIDR.address(at: 1) }

    /// The network as CNI's runtime reads it (CNI specification 0.4.0, which every containerd in use knows).
    public var configurationList: JSONValue {
        var plugins: [JSONValue] = [
            [
                "type": "bridge", "bridge": .string(bridge), "isGateway": true, "hairpinMode": true,
                "ipam": [
                    "type": "host-local", "dataDir": .string(stateDirectory),
                    "ranges": [[["subnet": .string(podCIDR.description)]]], "routes": [["dst": "0.0.0.0/0"]],
                ],
            ]
        ]
        if hasPortMapping { plugins.append(["type": "portmap", "capabilities": ["portMappings": true], "snat": true]) }
        return ["cniVersion": "0.4.0", "name": .string("apus-\(clusterID)"), "plugins": .array(plugins)]
    }

    /// The rules in one nft transaction: what pods send beyond the cluster leaves with the node's address.
    public var ruleset: String {
        """
        table ip \(Self.table(clusterID: clusterID))
        delete table ip \(Self.table(clusterID: clusterID))
        table ip \(Self.table(clusterID: clusterID)) {
            comment "apus: the pod network of this node"
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr \(clusterCIDR) ip daddr != \(clusterCIDR) ip daddr != 224.0.0.0/4 oifname != "\(bridge)" masquerade
            }
            chain forward {
                type filter hook forward priority filter; policy accept;
                ip saddr \(clusterCIDR) accept
                ip daddr \(clusterCIDR) accept
            }
        }

        """
    }

    /// Takes the rules away; no error when there are none.
    public static func removal(clusterID: String) -> String {
        "table ip \(table(clusterID: clusterID))\ndelete table ip \(table(clusterID: clusterID))\n"
    }
}
