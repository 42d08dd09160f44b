import APIModel
import APITypes
import Units

/// What the proxy needs to know of one Service, taken from it once per change.
public struct ServiceFacts: Sendable, Hashable {
    /// One port of the Service.
    public struct Port: Sendable, Hashable {
        /// The port's name; empty when it has none.
        public var name: String
        /// `tcp`, `udp` or `sctp`.
        public var transport: String
        /// The port on the Service's addresses.
        public var port: Int
        /// The port on the nodes' addresses; 0 without one.
        public var nodePort: Int
    }

    /// `namespace/name`.
    public var key: String
    /// The addresses inside the cluster, of both families.
    public var clusterIPs: [IPAddress]
    /// Addresses from outside that lead here: external IPs and the load balancer's.
    public var externalIPs: [IPAddress]
    /// Those of them that are the load balancer's.
    public var loadBalancerIPs: [IPAddress]
    /// The only clients that the load balancer's addresses answer; empty for all.
    public var sourceRanges: [CIDR]
    /// The ports.
    public var ports: [Port]
    /// How long a client stays with its endpoint; nil without session affinity.
    public var affinitySeconds: Int?
    /// `internalTrafficPolicy: Local`.
    public var isInternalLocal: Bool
    /// `externalTrafficPolicy: Local`.
    public var isExternalLocal: Bool

    /// Seconds of session affinity unless the Service says otherwise.
    static let defaultAffinitySeconds = 10_800

    /// Nil for Services that need no rules: headless ones and external names.
    public init?(_ service: Service) {
        let spec = service.spec
        guard spec.type != "ExternalName", !spec.clusterIP.isEmpty, spec.clusterIP != "None" else { return nil }
        if service.labels["service.kubernetes.io/service-proxy-name"] != nil { return nil }
        key = service.key
        let cluster = spec.clusterIPs.isEmpty ? [spec.clusterIP] : spec.clusterIPs
        clusterIPs = cluster.compactMap { IPAddress($0) }
        let balancer = service.status.loadBalancer.ingress.compactMap { $0.ipMode == "Proxy" ? nil : IPAddress($0.ip) }
        externalIPs = spec.externalIPs.compactMap { IPAddress($0) } + balancer
        loadBalancerIPs = balancer
        // Validation lets spaces pass. A range of all addresses restricts nobody.
        let ranges = spec.loadBalancerSourceRanges.compactMap { CIDR($0.filter { !$0.isWhitespace }) }
        sourceRanges = Self.limiting(ranges.filter { !$0.isIPv6 }) + Self.limiting(ranges.filter(\.isIPv6))
        ports = spec.ports.map { port in
            let transport = port.protocol.isEmpty ? "tcp" : port.protocol.lowercased()
            return Port(name: port.name, transport: transport, port: port.port, nodePort: port.nodePort)
        }
        if spec.sessionAffinity == "ClientIP" {
            affinitySeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? Self.defaultAffinitySeconds
        }
        isInternalLocal = spec.internalTrafficPolicy == "Local"
        isExternalLocal = spec.externalTrafficPolicy == "Local"
    }

    private static func limiting(_ ranges: [CIDR]) -> [CIDR] {
        ranges.contains { $0.prefixLength == 0 } ? [] : ranges
    }
}

/// What the proxy needs to know of one EndpointSlice.
public struct SliceFacts: Sendable, Hashable {
    /// One address behind the Service.
    public struct Endpoint: Sendable, Hashable {
        /// Where it is reached.
        public var address: IPAddress
        /// Takes new connections.
        public var isReady: Bool
        /// Still answers, even when it is about to end.
        public var isServing: Bool
        /// Is about to end.
        public var isTerminating: Bool
        /// The node it runs on; empty when unknown.
        public var nodeName: String
        /// The nodes that shall prefer it; empty for all.
        public var hintedNodes: Set<String>
    }

    /// One port of every endpoint in the slice.
    public struct Port: Sendable, Hashable {
        /// The name that ties it to the Service's port.
        public var name: String
        /// `tcp`, `udp` or `sctp`.
        public var transport: String
        /// The number on the endpoints.
        public var port: Int
    }

    /// `namespace/name` of the Service.
    public var serviceKey: String
    /// The ports.
    public var ports: [Port]
    /// The endpoints.
    public var endpoints: [Endpoint]

    /// Nil for slices that belong to no Service, or of names instead of addresses.
    public init?(_ slice: EndpointSlice) {
        guard let service = slice.labels["kubernetes.io/service-name"], !service.isEmpty, slice.addressType != "FQDN" else {
            return nil
        }
        serviceKey = "\(slice.namespace)/\(service)"
        ports = slice.ports.compactMap { port in
            guard let number = port.port else { return nil }
            return Port(name: port.name ?? "", transport: (port.protocol ?? "TCP").lowercased(), port: number)
        }
        endpoints = slice.endpoints.flatMap { endpoint in
            let conditions = endpoint.conditions
            let isReady = conditions.ready ?? true
            return endpoint.addresses.prefix(1).compactMap { text in
                IPAddress(text).map {
                    Endpoint(
                        address: $0,
                        isReady: isReady,
                        isServing: conditions.serving ?? isReady,
                        isTerminating: conditions.terminating ?? false,
                        nodeName: endpoint.nodeName ?? "",
                        hintedNodes: Set((endpoint.hints?.forNodes ?? []).map(\.name))
                    )
                }
            }
        }
    }
}
