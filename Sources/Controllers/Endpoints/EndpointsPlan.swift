import APIModel
import APITypes
import Units
import Values

/// The `Endpoints` object of a service: the older form of the same facts, cut at 1,000 addresses.
public struct EndpointsPlan: Sendable {
    /// No object lists more addresses than this.
    public static let capacity = 1000
    /// Says that addresses were left out.
    public static let overCapacity = "endpoints.kubernetes.io/over-capacity"
    /// Names the controller in charge.
    public static let managedByLabel = "endpoints.kubernetes.io/managed-by"
    /// Its name.
    public static let managedBy = "endpoint-controller"

    /// The object to write; nil when the present one is right.
    public var write: Endpoints?

    /// Decides from the service, the pods its selector matches, and the present object.
    public static func plan(service: Service, pods: [Pod], current: Endpoints?, trigger: Timestamp?) -> EndpointsPlan {
        let wanted = subsets(service: service, pods: pods)
        if let current, upToDate(current, wanted, service) { return EndpointsPlan() }
        var result = current ?? Endpoints(name: service.name, namespace: service.namespace)
        let (kept, cut) = truncated(wanted)
        result.subsets = kept
        var labels = service.labels
        labels[EndpointSlicePlan.headless] = service.hasAddress ? nil : ""
        labels[managedByLabel] = managedBy
        result.metadata.labels = labels
        result.metadata.annotations[EndpointSlicePlan.triggerTime] = trigger?.rfc3339Nano
        result.metadata.annotations[overCapacity] = cut ? "truncated" : nil
        return EndpointsPlan(write: result)
    }

    private static func upToDate(_ current: Endpoints, _ wanted: [EndpointSubset], _ service: Service) -> Bool {
        let (kept, cut) = truncated(wanted)
        guard current.subsets == kept else { return false }
        guard (current.annotations[overCapacity] != nil) == cut else { return false }
        var labels = current.labels
        guard labels.removeValue(forKey: managedByLabel) == managedBy else { return false }
        labels[EndpointSlicePlan.headless] = nil
        var wantedLabels = service.labels
        wantedLabels[EndpointSlicePlan.headless] = nil
        return labels == wantedLabels
    }

    // MARK: Packing

    /// Addresses that serve the same ports, in the same readiness, share a subset.
    static func subsets(service: Service, pods: [Pod]) -> [EndpointSubset] {
        var states: [AddressKey: AddressState] = [:]
        let unready = service.spec.publishNotReadyAddresses
        let family = EndpointSlicePlan.addressFamilies(of: service).first ?? "IPv4"
        for pod in pods where pod.belongsInEndpoints(includeTerminating: unready) {
            guard let address = address(of: pod, service: service, family: family) else { continue }
            let ports = ports(service, pod)
            if ports.isEmpty, !(service.spec.ports.isEmpty && service.spec.clusterIP == "None") { continue }
            let key = AddressKey(address: address)
            states[key, default: AddressState()].ports.formUnion(ports)
            states[key, default: AddressState()].ready = unready || pod.isReady
        }
        var byPorts: [[EndpointPort]: EndpointSubset] = [:]
        for (key, state) in states.sorted(by: { $0.key < $1.key }) {
            let ports = state.ports.sorted { $0.value.encoded().lexicographicallyPrecedes($1.value.encoded()) }
            var subset = byPorts[ports] ?? EndpointSubset { $0.ports = ports }
            if state.ready {
                subset.addresses.append(key.address)
            } else {
                subset.notReadyAddresses.append(key.address)
            }
            byPorts[ports] = subset
        }
        return byPorts.values.sorted { $0.value.encoded().lexicographicallyPrecedes($1.value.encoded()) }
    }

    private struct AddressState {
        var ports: Set<EndpointPort> = []
        var ready = false
    }

    private struct AddressKey: Hashable, Comparable {
        let address: EndpointAddress
        static func < (one: AddressKey, other: AddressKey) -> Bool {
            let (a, b) = (IPAddress(one.address.ip), IPAddress(other.address.ip))
            if let a, let b, a != b { return a.bytes.lexicographicallyPrecedes(b.bytes) }
            return (one.address.targetRef?.uid ?? "") < (other.address.targetRef?.uid ?? "")
        }
    }

    private static func address(of pod: Pod, service: Service, family: String) -> EndpointAddress? {
        guard let ip = pod.addresses(family: family).first ?? (pod.status.podIPs.isEmpty ? pod.status.podIP : nil) else { return nil }
        return EndpointAddress {
            $0.ip = ip
            if !pod.spec.nodeName.isEmpty { $0.nodeName = pod.spec.nodeName }
            $0.targetRef = pod.reference
            if pod.hasHostname(in: service) { $0.hostname = pod.spec.hostname }
        }
    }

    private static func ports(_ service: Service, _ pod: Pod) -> [EndpointPort] {
        service.spec.ports.compactMap { port in
            guard let number = ServicePorts.number(of: port, in: pod) else { return nil }
            return EndpointPort {
                $0.name = port.name
                $0.port = number
                $0.protocol = port.protocol
                $0.appProtocol = port.appProtocol
            }
        }
    }

    // MARK: Cutting

    /// Ready addresses are kept first; what is cut is shared among the subsets.
    static func truncated(_ subsets: [EndpointSubset]) -> (subsets: [EndpointSubset], cut: Bool) {
        let ready = subsets.reduce(0) { $0 + $1.addresses.count }
        let unready = subsets.reduce(0) { $0 + $1.notReadyAddresses.count }
        guard ready + unready > capacity else { return (subsets, false) }
        let onlyReady = ready > capacity
        let room = onlyReady ? capacity : capacity - ready
        let total = onlyReady ? ready : unready
        var left = room
        let result = subsets.map { subset in
            var subset = subset
            let count = onlyReady ? subset.addresses.count : subset.notReadyAddresses.count
            let share = min((count * room + total - 1) / total, left)
            left -= min(share, count)
            if onlyReady {
                subset.addresses = Array(subset.addresses.prefix(share))
                subset.notReadyAddresses = []
            } else {
                subset.notReadyAddresses = Array(subset.notReadyAddresses.prefix(share))
            }
            return subset
        }
        return (result, true)
    }
}
