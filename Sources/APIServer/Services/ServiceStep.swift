import APIModel
import Schema
import Units
import Values

/// Gives services their cluster IPs and node ports, and takes them back.
struct ServiceStep: StorageStep {
    let addresses: ServiceAddresses
    private static let kind = GroupKind(group: "", kind: "Service")

    /// What was taken for one write.
    private struct Taken: Sendable {
        var addresses: Set<String> = []
        var ports: Set<Int> = []
    }

    func prepare(_ object: inout JSONValue, old: JSONValue?, isDryRun: Bool) async throws(APIError) -> StorageClaim {
        var taken = Taken()
        let before = old.map(ServiceAddresses.Holding.init) ?? ServiceAddresses.Holding()
        do throws(APIError) {
            try allocateAddresses(&object, before, &taken)
            try allocatePorts(&object, before, &taken)
        } catch {
            addresses.release(addresses: taken.addresses, ports: taken.ports)
            throw error
        }
        let after = ServiceAddresses.Holding(object)
        let (claimed, addresses) = (taken, addresses)
        let giveBack: @Sendable () async -> Void = {
            addresses.release(addresses: claimed.addresses, ports: claimed.ports)
        }
        if isDryRun {
            await giveBack()
            return StorageClaim()
        }
        return StorageClaim(undo: giveBack) {
            addresses.release(
                addresses: before.addresses.subtracting(after.addresses),
                ports: before.ports.subtracting(after.ports)
            )
        }
    }

    func removed(_ object: JSONValue) async {
        let held = ServiceAddresses.Holding(object)
        addresses.release(addresses: held.addresses, ports: held.ports)
    }

    // MARK: Cluster IPs

    private func allocateAddresses(
        _ service: inout JSONValue,
        _ before: ServiceAddresses.Holding,
        _ taken: inout Taken
    ) throws(APIError) {
        let type = service.value(at: ["spec", "type"])?.string ?? "ClusterIP"
        guard type != "ExternalName" else {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] { service.remove(at: ["spec", field]) }
            return
        }
        let asked =
            service.value(at: ["spec", "clusterIP"])?.string
            ?? service.value(at: ["spec", "clusterIPs"])?.array?.first?.string ?? ""
        var address = asked
        if asked.isEmpty {
            guard let free = addresses.takeAnyAddress() else {
                throw .internalError("failed to allocate a serviceIP: range is full")
            }
            address = free
            taken.addresses.insert(free)
        } else if asked != "None", !before.addresses.contains(asked) {
            try claim(asked, service)
            taken.addresses.insert(asked)
        }
        service.set(.string(address), at: ["spec", "clusterIP"])
        service.set([.string(address)], at: ["spec", "clusterIPs"])
        fillFamilies(&service, address)
    }

    private func fillFamilies(_ service: inout JSONValue, _ address: String) {
        let hasSelector = !(service.value(at: ["spec", "selector"])?.object ?? [:]).isEmpty
        if service.value(at: ["spec", "ipFamilyPolicy"]) == nil {
            let policy = address == "None" && !hasSelector ? "RequireDualStack" : "SingleStack"
            service.set(.string(policy), at: ["spec", "ipFamilyPolicy"])
        }
        guard (service.value(at: ["spec", "ipFamilies"])?.array ?? []).isEmpty else { return }
        let own = addresses.network.network.isV4 ? "IPv4" : "IPv6"
        let other = own == "IPv4" ? "IPv6" : "IPv4"
        let both = address == "None" && !hasSelector
        service.set(both ? [.string(own), .string(other)] : [.string(own)], at: ["spec", "ipFamilies"])
    }

    private func claim(_ address: String, _ service: JSONValue) throws(APIError) {
        let field = FieldPath("spec.clusterIPs")
        let shown: JSONValue = [.string(address)]
        let reason: String
        switch addresses.take(address) {
        case .taken: return
        case .conflict: reason = "failed to allocate IP \(address): provided IP is already allocated"
        default:
            reason =
                "failed to allocate IP \(address): the provided IP (\(address)) is not in the valid range. "
                + "The range of valid IPs is \(addresses.network)"
        }
        throw .invalid(Self.kind, Self.name(service), [.invalid(field, shown, reason)])
    }

    private static func name(_ service: JSONValue) -> String { service.value(at: ["metadata", "name"])?.string ?? "" }

    // MARK: Node ports

    private func allocatePorts(
        _ service: inout JSONValue,
        _ before: ServiceAddresses.Holding,
        _ taken: inout Taken
    ) throws(APIError) {
        let type = service.value(at: ["spec", "type"])?.string ?? "ClusterIP"
        let allocates = service.value(at: ["spec", "allocateLoadBalancerNodePorts"])?.bool ?? true
        guard type == "NodePort" || type == "LoadBalancer" else { return dropPorts(&service) }
        guard var ports = service.value(at: ["spec", "ports"])?.array else { return }
        // One number may serve several protocols of the same service port number.
        var numbers: [Int: Set<String>] = [:]
        for index in ports.indices {
            let wire = ports[index]["protocol"]?.string ?? "TCP"
            guard let asked = ports[index]["nodePort"]?.int, asked > 0 else { continue }
            let number = Int(asked)
            if numbers[number] == nil, !before.ports.contains(number) {
                try claim(number, index, service)
                taken.ports.insert(number)
            }
            numbers[number, default: []].insert(wire)
        }
        if type == "NodePort" || allocates {
            for index in ports.indices where (ports[index]["nodePort"]?.int ?? 0) == 0 {
                let number = try anyPort(for: ports[index], among: ports, numbers, &taken)
                numbers[number, default: []].insert(ports[index]["protocol"]?.string ?? "TCP")
                ports[index]["nodePort"] = .integer(Int64(number))
            }
        }
        service.set(.array(ports), at: ["spec", "ports"])
        try allocateHealthPort(&service, type, before, &taken)
    }

    private func anyPort(
        for port: JSONValue,
        among ports: [JSONValue],
        _ numbers: [Int: Set<String>],
        _ taken: inout Taken
    ) throws(APIError) -> Int {
        let wire = port["protocol"]?.string ?? "TCP"
        for other in ports where other["port"] == port["port"] {
            guard let number = other["nodePort"]?.int, number > 0, numbers[Int(number)]?.contains(wire) == false else { continue }
            return Int(number)
        }
        guard let free = addresses.takeAnyPort() else {
            throw .internalError("failed to allocate a nodePort: range is full")
        }
        taken.ports.insert(free)
        return free
    }

    private func allocateHealthPort(
        _ service: inout JSONValue,
        _ type: String,
        _ before: ServiceAddresses.Holding,
        _ taken: inout Taken
    ) throws(APIError) {
        let isLocal = service.value(at: ["spec", "externalTrafficPolicy"])?.string == "Local"
        guard type == "LoadBalancer", isLocal else {
            service.remove(at: ["spec", "healthCheckNodePort"])
            return
        }
        let asked = Int(service.value(at: ["spec", "healthCheckNodePort"])?.int ?? 0)
        guard asked == 0 else {
            guard !before.ports.contains(asked), !taken.ports.contains(asked) else { return }
            guard addresses.take(asked) == .taken else {
                throw .internalError("failed to allocate requested HealthCheck NodePort \(asked): provided port is already allocated")
            }
            taken.ports.insert(asked)
            return
        }
        guard let free = addresses.takeAnyPort() else {
            throw .internalError("failed to allocate a HealthCheck NodePort: range is full")
        }
        taken.ports.insert(free)
        service.set(.integer(Int64(free)), at: ["spec", "healthCheckNodePort"])
    }

    private func dropPorts(_ service: inout JSONValue) {
        service.remove(at: ["spec", "healthCheckNodePort"])
        guard var ports = service.value(at: ["spec", "ports"])?.array else { return }
        for index in ports.indices { ports[index]["nodePort"] = nil }
        service.set(.array(ports), at: ["spec", "ports"])
    }

    private func claim(_ port: Int, _ index: Int, _ service: JSONValue) throws(APIError) {
        let field = FieldPath("spec.ports").index(index).child("nodePort")
        let reason: String
        switch addresses.take(port) {
        case .taken: return
        case .conflict: reason = "provided port is already allocated"
        default:
            let range = addresses.ports
            reason = "provided port is not in the valid range. The range of valid ports is \(range.lowerBound)-\(range.upperBound)"
        }
        throw .invalid(Self.kind, Self.name(service), [.invalid(field, .integer(Int64(port)), reason)])
    }
}
