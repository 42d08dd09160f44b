import APIModel
import APITypes
import Units
import Values

/// What endpoints take over from a node.
public struct EndpointNode: Sendable, Hashable {
    /// `topology.kubernetes.io/zone`, if labelled.
    public var zone: String?

    /// A node in a zone.
    public init(zone: String?) { self.zone = zone }
}

/// The endpoints of one service that share their port numbers, and so can share slices.
struct EndpointGroup {
    var ports: [DiscoveryEndpointPort]
    var endpoints = EndpointPool()

    /// Sorts the pods of a service by the ports they serve.
    static func groups(
        service: Service,
        pods: [Pod],
        family: String,
        node: (String) -> EndpointNode?,
        problems: inout [String]
    ) -> [EndpointGroup] {
        var groups: [EndpointGroup] = []
        var index: [[DiscoveryEndpointPort]: Int] = [:]
        for pod in pods.sorted(by: { $0.name < $1.name }) {
            guard pod.belongsInEndpoints(includeTerminating: true) else { continue }
            let ports = sorted(ServicePorts.endpointPorts(service, pod))
            let place = index[ports] ?? groups.count
            if place == groups.count {
                groups.append(EndpointGroup(ports: ports))
                index[ports] = place
            }
            let host = node(pod.spec.nodeName)
            if host == nil, !service.spec.publishNotReadyAddresses {
                let names = "Pod \(pod.name) for Service \(service.namespace)/\(service.name)"
                problems.append("skipping \(names): Node \(pod.spec.nodeName) Not Found")
                continue
            }
            if let endpoint = endpoint(pod, host, service: service, family: family) {
                groups[place].endpoints.insert(endpoint)
            }
        }
        return groups
    }

    /// Ports in an order that does not depend on how the service lists them.
    static func sorted(_ ports: [DiscoveryEndpointPort]) -> [DiscoveryEndpointPort] {
        guard ports.count > 1 else { return ports }
        return ports.map { (port: $0, text: $0.value.encoded()) }
            .sorted { $0.text.lexicographicallyPrecedes($1.text) }
            .map(\.port)
    }

    /// Equal in what may change while the endpoint stays the same one.
    static func sameBeyondKey(_ one: Endpoint, _ other: Endpoint) -> Bool {
        one.nodeName == other.nodeName && one.zone == other.zone && one.conditions == other.conditions
            && one.targetRef?.uid == other.targetRef?.uid && one.hints == other.hints
    }

    private static func endpoint(_ pod: Pod, _ node: EndpointNode?, service: Service, family: String) -> Endpoint? {
        let addresses = pod.addresses(family: family)
        guard !addresses.isEmpty else { return nil }
        let serving = pod.isReady
        let terminating = pod.metadata.deletionTimestamp != nil
        var endpoint = Endpoint(fields: [:])
        endpoint.addresses = addresses
        endpoint.conditions.ready = service.spec.publishNotReadyAddresses || (serving && !terminating)
        endpoint.conditions.serving = serving
        endpoint.conditions.terminating = terminating
        endpoint.targetRef = pod.reference
        if !pod.spec.nodeName.isEmpty { endpoint.nodeName = pod.spec.nodeName }
        if let zone = node?.zone, !zone.isEmpty { endpoint.zone = zone }
        if pod.hasHostname(in: service) { endpoint.hostname = pod.spec.hostname }
        endpoint.hints = hints(endpoint, preference: service.spec.trafficDistribution)
        return endpoint
    }

    /// A ready endpoint serves its own zone, or node, first where the service asks for it.
    private static func hints(_ endpoint: Endpoint, preference: String?) -> EndpointHints? {
        guard let preference, endpoint.conditions.ready == true else { return nil }
        let sameNode = preference == "PreferSameNode"
        guard sameNode || preference == "PreferClose" || preference == "PreferSameZone" else { return nil }
        var hints = EndpointHints(fields: [:])
        if let zone = endpoint.zone { hints.forZones = [ForZone(fields: ["name": .string(zone)])] }
        if sameNode, let node = endpoint.nodeName { hints.forNodes = [ForNode(fields: ["name": .string(node)])] }
        return hints.fields.isEmpty ? nil : hints
    }
}

/// Endpoints not yet placed in a slice, in a stable order.
struct EndpointPool {
    /// What makes two endpoints the same one, whatever its state.
    struct Key: Hashable {
        let addresses: [String]
        let hostname: String
        let namespace: String
        let name: String

        init(_ endpoint: Endpoint) {
            addresses = endpoint.addresses.sorted()
            hostname = endpoint.hostname ?? ""
            namespace = endpoint.targetRef?.namespace ?? ""
            name = endpoint.targetRef?.name ?? ""
        }
    }

    private var places: [Key: Int] = [:]
    private var endpoints: [Endpoint?] = []
    private var next = 0

    var count: Int { places.count }
    var isEmpty: Bool { places.isEmpty }

    mutating func insert(_ endpoint: Endpoint) {
        let key = Key(endpoint)
        if let place = places[key] {
            endpoints[place] = endpoint
        } else {
            places[key] = endpoints.count
            endpoints.append(endpoint)
        }
    }

    /// Removes and returns the wanted form of an existing endpoint.
    mutating func take(_ endpoint: Endpoint) -> Endpoint? {
        guard let place = places.removeValue(forKey: Key(endpoint)) else { return nil }
        defer { endpoints[place] = nil }
        return endpoints[place]
    }

    /// Moves endpoints into `slice` until it is full.
    mutating func move(into slice: inout EndpointSlice, capacity: Int) {
        var list = slice.endpoints
        while list.count < capacity, next < endpoints.count {
            if let endpoint = endpoints[next] {
                list.append(endpoint)
                places[Key(endpoint)] = nil
                endpoints[next] = nil
            }
            next += 1
        }
        slice.endpoints = list
    }
}
