import APIModel
import APITypes
import Units

/// One route to the pods of another node.
public struct NodeRoute: Sendable, Hashable, Comparable {
    /// The addresses of that node's pods.
    public var destination: CIDR
    /// That node's address.
    public var gateway: IPAddress

    /// A route.
    public init(destination: CIDR, gateway: IPAddress) {
        self.destination = destination
        self.gateway = gateway
    }

    /// A stable order.
    public static func < (a: NodeRoute, b: NodeRoute) -> Bool {
        (a.destination.network, a.destination.prefixLength) < (b.destination.network, b.destination.prefixLength)
    }
}

/// Decides the routes to other nodes' pods, for nodes that share a link. Pure.
public enum NodeRoutesPlan {
    /// A route for every other node that has a pod range and an address.
    public static func routes(nodes: [Node], thisNode: String, clusterCIDR: CIDR) -> Set<NodeRoute> {
        var routes: Set<NodeRoute> = []
        for node in nodes where node.name != thisNode {
            guard let address = node.status.addresses.first(where: { $0.type == "InternalIP" }).flatMap({ IPAddress($0.address) }),
                address.isIPv4, let range = CIDR(node.spec.podCIDR), clusterCIDR.contains(range)
            else { continue }
            routes.insert(NodeRoute(destination: range, gateway: address))
        }
        return routes
    }
}
