import APIModel
import APITypes
import Units

/// One route to the pods of another node.
public struct NodeRoute: Sendable, Hashable, Comparable {
    /// The addresses of that node's pods.
    public var destination: CIDR
    /// That node's address.
    public var gateway: IPAddress
    /// Whether a router stands between: the packets then go in an envelope, since it knows no pods.
    public var isOverlay: Bool

    /// A route.
    public init(destination: CIDR, gateway: IPAddress, isOverlay: Bool = false) {
        self.destination = destination
        self.gateway = gateway
        self.isOverlay = isOverlay
    }

    /// A stable order.
    public static func < (a: NodeRoute, b: NodeRoute) -> Bool {
        (a.destination.network, a.destination.prefixLength) < (b.destination.network, b.destination.prefixLength)
    }
}

/// Decides the routes to other nodes' pods. Pure.
public enum NodeRoutesPlan {
    /// A route for every other node that has a pod range and an address: straight to nodes on one of this node's own
    /// links, in an envelope to others.
    /// - Parameter links: the address ranges of this node's links.
    public static func routes(nodes: [Node], thisNode: String, clusterCIDR: CIDR, links: [CIDR]) -> Set<NodeRoute> {
        var routes: Set<NodeRoute> = []
        for node in nodes where node.name != thisNode {
            guard let address = node.status.addresses.first(where: { $0.type == "InternalIP" }).flatMap({ IPAddress($0.address) }),
                address.isIPv4, let range = CIDR(node.spec.podCIDR), clusterCIDR.contains(range)
            else { continue }
            let isNear = links.contains { $0.contains(address) }
            routes.insert(NodeRoute(destination: range, gateway: address, isOverlay: !isNear))
        }
        return routes
    }

    /// The address ranges of the links in the output of `ip -4 -o addr show`, without loopback and our own.
    ///
    /// Of a node whose address is known only the link it lies on counts: nodes then judge one another alike, and no packet
    /// comes back in an envelope that nobody opens.
    public static func links(_ listing: String, names: ClusterNames, nodeAddress: IPAddress? = nil) -> [CIDR] {
        let all = links(listing, names)
        guard let nodeAddress else { return all }
        return all.filter { $0.contains(nodeAddress) }
    }

    private static func links(_ listing: String, _ names: ClusterNames) -> [CIDR] {
        listing.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 3, words[2] == "inet", ![names.bridge, names.overlay, "lo"].contains(String(words[1])) else { return nil }
            return CIDR(String(words[3])).flatMap { $0.prefixLength < 32 ? $0 : nil }
        }
    }
}
