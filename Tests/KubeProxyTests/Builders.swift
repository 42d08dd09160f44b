import APIModel
import APITypes
import KubeProxy
import Units
import Values

func makeService(_ name: String = "web", _ change: (inout ServiceSpec) -> Void = { _ in }) -> Service {
    var service = Service(name: name, namespace: "default")
    service.spec.type = "ClusterIP"
    service.spec.clusterIP = "10.96.0.20"
    service.spec.clusterIPs = ["10.96.0.20"]
    service.spec.ports = [
        ServicePort {
            $0.name = "http"
            $0.protocol = "TCP"
            $0.port = 80
            $0.targetPort = .int(8080)
        }
    ]
    change(&service.spec)
    return service
}

func makeSlice(
    of service: String = "web",
    port: Int = 8080,
    transport: String = "TCP",
    portName: String = "http",
    _ endpoints: [Endpoint]
) -> EndpointSlice {
    var slice = EndpointSlice(name: "\(service)-x", namespace: "default")
    slice.metadata.labels = ["kubernetes.io/service-name": service]
    slice.addressType = "IPv4"
    slice.ports = [
        DiscoveryEndpointPort {
            $0.name = portName
            $0.protocol = transport
            $0.port = port
        }
    ]
    slice.endpoints = endpoints
    return slice
}

func makeEndpoint(_ address: String, ready: Bool = true, serving: Bool? = nil, terminating: Bool = false, node: String = "n1") -> Endpoint {
    Endpoint {
        $0.addresses = [address]
        $0.conditions.ready = ready
        $0.conditions.serving = serving ?? ready
        $0.conditions.terminating = terminating
        $0.nodeName = node
    }
}

let testNode = ProxyNode(name: "n1", table: "apus-test", clusterCIDR: CIDR("10.244.0.0/16"))

func makeRules(_ services: [Service], _ slices: [EndpointSlice], node: ProxyNode = testNode) -> Ruleset {
    ProxyPlan.ruleset(services: services.compactMap { ServiceFacts($0) }, slices: slices.compactMap { SliceFacts($0) }, node: node)
}
