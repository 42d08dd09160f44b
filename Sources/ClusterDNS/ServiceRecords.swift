import APIModel
import APITypes
import Units

/// What DNS needs to know of one Service.
public struct ServiceRecords: Sendable, Hashable {
    /// One port of the Service.
    public struct Port: Sendable, Hashable {
        /// The port's name; empty when it has none.
        public var name: String
        /// `tcp`, `udp` or `sctp`.
        public var transport: String
        /// The number.
        public var port: Int
    }

    /// The namespace.
    public var namespace: String
    /// The name.
    public var name: String
    /// The addresses; none when the Service is headless or an external name.
    public var addresses: [IPAddress]
    /// The ports.
    public var ports: [Port]
    /// The name that this one stands for, of a Service of type ExternalName.
    public var externalName: DNSName?
    /// Whether the endpoints themselves are the answer.
    public var isHeadless: Bool
    /// Whether endpoints count before they are ready.
    public var publishesNotReady: Bool

    /// Nil when the Service has nothing to be found under.
    public init?(_ service: Service) {
        let spec = service.spec
        namespace = service.namespace
        name = service.name
        publishesNotReady = spec.publishNotReadyAddresses
        ports = spec.ports.map {
            Port(name: $0.name.lowercased(), transport: $0.protocol.isEmpty ? "tcp" : $0.protocol.lowercased(), port: $0.port)
        }
        addresses = []
        isHeadless = false
        if spec.type == "ExternalName" {
            guard let target = DNSName(spec.externalName), !target.labels.isEmpty else { return nil }
            externalName = target
        } else if spec.clusterIP == "None" {
            isHeadless = true
        } else {
            addresses = (spec.clusterIPs.isEmpty ? [spec.clusterIP] : spec.clusterIPs).compactMap { IPAddress($0) }
            if addresses.isEmpty { return nil }
        }
    }
}

/// What DNS needs to know of one EndpointSlice.
public struct EndpointRecords: Sendable, Hashable {
    /// One endpoint.
    public struct Endpoint: Sendable, Hashable {
        /// Its addresses.
        public var addresses: [IPAddress]
        /// The name below the Service: the host name, or the address with dashes.
        public var label: String
        /// Whether it takes connections.
        public var isReady: Bool
    }

    /// `namespace/name` of the Service.
    public var serviceKey: String
    /// The endpoints.
    public var endpoints: [Endpoint]
    /// The ports.
    public var ports: [ServiceRecords.Port]

    /// Nil when the slice belongs to no Service or holds no addresses.
    public init?(_ slice: EndpointSlice) {
        guard let service = slice.labels["kubernetes.io/service-name"], slice.addressType != "FQDN" else { return nil }
        serviceKey = "\(slice.namespace)/\(service)"
        ports = slice.ports.compactMap { port in
            port.port.map {
                ServiceRecords.Port(name: (port.name ?? "").lowercased(), transport: (port.protocol ?? "TCP").lowercased(), port: $0)
            }
        }
        endpoints = slice.endpoints.compactMap { endpoint in
            let addresses = endpoint.addresses.compactMap { IPAddress($0) }
            guard let first = addresses.first else { return nil }
            let hostname = endpoint.hostname ?? ""
            let label = hostname.isEmpty ? Self.dashed(first) : hostname.lowercased()
            return Endpoint(addresses: addresses, label: label, isReady: endpoint.conditions.ready ?? true)
        }
    }

    /// `10-244-0-5`, or `fd00--5`.
    static func dashed(_ address: IPAddress) -> String {
        String(address.description.map { $0 == "." || $0 == ":" ? "-" : $0 })
    }
}
