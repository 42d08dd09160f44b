import Units
import Values

/// What a service takes of a quota.
enum ServiceUsage {
    static let names: Set<String> = ["count/services", "services", "services.nodeports", "services.loadbalancers"]

    static func usage(of service: JSONValue) -> ResourceAmounts {
        let spec = service["spec"]
        let ports = spec?["ports"]?.array ?? []
        let type = chargedType(of: service)
        var nodePorts = type == nil ? 0 : ports.count
        if type == "LoadBalancer", spec?["allocateLoadBalancerNodePorts"]?.bool == false {
            nodePorts = ports.count { ($0["nodePort"]?.int ?? 0) != 0 }
        }
        return ResourceAmounts([
            "count/services": Quantity(value: 1), "services": Quantity(value: 1),
            "services.nodeports": Quantity(value: Int64(nodePorts)),
            "services.loadbalancers": Quantity(value: type == "LoadBalancer" ? 1 : 0),
        ])
    }

    /// The type, of those that take more than an object.
    static func chargedType(of service: JSONValue) -> String? {
        guard let type = service["spec"]?["type"]?.string, type == "NodePort" || type == "LoadBalancer" else { return nil }
        return type
    }
}
