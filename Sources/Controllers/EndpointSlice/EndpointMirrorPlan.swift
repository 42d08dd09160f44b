import APIModel
import APITypes
import Units
import Values

/// Slices for `Endpoints` that somebody wrote by hand for a service without selector.
public struct EndpointMirrorPlan: Sendable {
    /// Who these slices belong to, in their `managed-by` label.
    public static let managedBy = "endpointslicemirroring-controller.k8s.io"
    /// Set to `true`, it keeps an object from being mirrored.
    public static let skipLabel = "endpointslice.kubernetes.io/skip-mirror"
    /// No more addresses of one subset are mirrored.
    public static let subsetCapacity = 1000

    /// The writes.
    public var slices = EndpointSlicePlan()
    /// What could not be mirrored, for the object's owner.
    public var events: [EventNote] = []

    /// Whether this object is to be mirrored at all.
    public static func applies(to endpoints: Endpoints) -> Bool {
        endpoints.labels[skipLabel] != "true" && endpoints.annotations["control-plane.alpha.kubernetes.io/leader"] == nil
    }

    /// Compares the object with the slices that mirror it.
    public static func plan(_ endpoints: Endpoints, existing: [EndpointSlice]) -> EndpointMirrorPlan {
        var plan = EndpointMirrorPlan()
        let owner = SliceOwner(endpoints)
        var groups: [String: [[DiscoveryEndpointPort]: EndpointGroup]] = ["IPv4": [:], "IPv6": [:]]
        var invalid = 0
        var skipped = 0
        for subset in endpoints.subsets {
            let ports = EndpointGroup.sorted(subset.ports.map(mirrored))
            var added = 0
            let all = subset.addresses.map { ($0, true) } + subset.notReadyAddresses.map { ($0, false) }
            for (address, ready) in all where added < subsetCapacity {
                guard let ip = IPAddress(address.ip) else {
                    invalid += 1
                    continue
                }
                let family = ip.isIPv6 ? "IPv6" : "IPv4"
                groups[family]?[ports, default: EndpointGroup(ports: ports)].endpoints.insert(endpoint(address, ip, ready: ready))
                added += 1
            }
            skipped += all.count - added
        }
        plan.note(invalid: invalid, skipped: skipped)
        for family in ["IPv4", "IPv6"] {
            var part = EndpointSlicePlan()
            let ordered = (groups[family] ?? [:]).values.sorted { $0.ports.first?.port ?? 0 < $1.ports.first?.port ?? 0 }
            part.fill(owner, family: family, groups: ordered, existing: existing.filter { $0.addressType == family })
            part.reuseDeleted(owner)
            plan.slices.create += part.create
            plan.slices.update += part.update
            plan.slices.delete += part.delete
        }
        return plan
    }

    private mutating func note(invalid: Int, skipped: Int) {
        if invalid > 0 {
            let message = "Skipped \(invalid) invalid IP addresses when mirroring to EndpointSlices"
            events.append(.init(.warning, "InvalidIPAddress", message))
        }
        if skipped > invalid {
            let limit = "A max of \(Self.subsetCapacity) addresses can be mirrored to EndpointSlices per Endpoints subset."
            events.append(.init(.warning, "TooManyAddressesToMirror", "\(limit) \(skipped) addresses were skipped"))
        }
    }

    private static func mirrored(_ port: EndpointPort) -> DiscoveryEndpointPort {
        DiscoveryEndpointPort {
            $0.name = port.name
            $0.port = port.port
            $0.protocol = port.protocol.isEmpty ? "TCP" : port.protocol
            $0.appProtocol = port.appProtocol
        }
    }

    private static func endpoint(_ address: EndpointAddress, _ ip: IPAddress, ready: Bool) -> Endpoint {
        Endpoint {
            $0.addresses = [ip.description]
            $0.conditions.ready = ready
            $0.targetRef = address.targetRef
            if let node = address.nodeName { $0.nodeName = node }
            if !address.hostname.isEmpty { $0.hostname = address.hostname }
        }
    }
}
