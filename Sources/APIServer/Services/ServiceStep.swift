import APIModel
import BuiltinKinds
import Schema
import Units
import Values

/// Gives services their cluster IPs and node ports, and takes them back. What a dry run is given is made up: nothing is taken for it.
///
/// Source: pkg/registry/core/service/storage/alloc.go.
struct ServiceStep: StorageStep {
    let addresses: ServiceAddresses
    static let kind = GroupKind(group: "", kind: "Service")

    /// One write: what it is about, and what was taken for it.
    struct Write {
        var service: JSONValue
        let old: JSONValue?
        var taken = Set<String>()
        var ports: PortClaims

        var spec: JSONValue { service["spec"] ?? [:] }
        var before: JSONValue? { old.map { $0["spec"] ?? [:] } }
        var isDryRun: Bool { ports.isDryRun }

        func text(_ field: String) -> String { spec[field]?.string ?? "" }
        func texts(_ field: String) -> [String] { ServiceStep.texts(spec, field) }

        func refusal(_ issues: [FieldIssue]) -> APIError {
            .invalid(ServiceStep.kind, service.value(at: ["metadata", "name"])?.string ?? "", issues)
        }
    }

    static func texts(_ spec: JSONValue?, _ field: String) -> [String] { (spec?[field]?.array ?? []).map { $0.string ?? "" } }

    func prepare(_ object: inout JSONValue, old: JSONValue?, isDryRun: Bool) async throws(APIError) -> StorageClaim {
        if let old { ServiceContinuity.update(&object, old: old) } else { ServiceContinuity.create(&object) }
        var write = Write(service: object, old: old, ports: PortClaims(addresses: addresses, isDryRun: isDryRun))
        do throws(APIError) {
            try settle(&write)
            try allocateAddresses(&write)
            try allocatePorts(&write)
        } catch {
            giveBack(write)
            throw error
        }
        object = write.service
        guard !isDryRun else { return StorageClaim() }
        let before = old.map(ServiceAddresses.Holding.init) ?? ServiceAddresses.Holding()
        let (made, addresses) = (write, addresses)
        return StorageClaim(undo: { giveBack(made) }) { stored in
            let after = ServiceAddresses.Holding(stored)
            addresses.release(
                addresses: before.addresses.union(made.taken).subtracting(after.addresses),
                ports: before.ports.union(made.ports.taken).subtracting(after.ports)
            )
        }
    }

    private func giveBack(_ write: Write) {
        guard !write.isDryRun else { return }
        addresses.release(addresses: write.taken, ports: Set(write.ports.taken))
    }

    func removed(_ object: JSONValue) async {
        let held = ServiceAddresses.Holding(object)
        addresses.release(addresses: held.addresses, ports: held.ports)
    }

    // MARK: Cluster IPs

    /// A changed service gets addresses only when it had none.
    private func allocateAddresses(_ write: inout Write) throws(APIError) {
        guard write.text("type") != "ExternalName" else { return }
        if let before = write.before, before["type"]?.string != "ExternalName" { return }
        var all = write.texts("clusterIPs")
        guard all.first != "None" else { return }
        for index in write.texts("ipFamilies").indices {
            if index >= all.count { all.append("") }
            all[index] = all[index].isEmpty ? try anyAddress(&write) : try claim(all[index], &write)
            if index == 0 { write.service.set(.string(all[0]), at: ["spec", "clusterIP"]) }
        }
        write.service.set(.array(all.map { .string($0) }), at: ["spec", "clusterIPs"])
    }

    private func anyAddress(_ write: inout Write) throws(APIError) -> String {
        if write.isDryRun { return addresses.network.network.description }
        guard let free = addresses.takeAnyAddress() else {
            let name = write.service.value(at: ["metadata", "name"])?.string ?? ""
            throw .internalError("failed to allocate a serviceIP for Service \"\(name)\": range is full")
        }
        write.taken.insert(free)
        return free
    }

    private func claim(_ address: String, _ write: inout Write) throws(APIError) -> String {
        let reason: String
        switch write.isDryRun ? addresses.probe(address) : addresses.take(address) {
        case .taken:
            if !write.isDryRun { write.taken.insert(address) }
            return address
        case .conflict: reason = "provided IP is already allocated"
        default: reason = "the provided IP (\(address)) is not in the valid range. The range of valid IPs is \(addresses.network)"
        }
        let field = FieldPath("spec.clusterIPs")
        throw write.refusal([.invalid(field, write.spec["clusterIPs"] ?? .null, "failed to allocate IP \(address): \(reason)")])
    }
}
