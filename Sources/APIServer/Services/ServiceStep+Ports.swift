import APIModel
import Schema
import Units
import Values

/// The node ports that one write takes.
struct PortClaims {
    let addresses: ServiceAddresses
    let isDryRun: Bool
    private(set) var taken: [Int] = []

    /// What a dry run counts up from.
    private static let imagined = 32768

    init(addresses: ServiceAddresses, isDryRun: Bool) {
        (self.addresses, self.isDryRun) = (addresses, isDryRun)
    }

    /// Takes one port; what is wrong with it otherwise.
    mutating func take(_ port: Int) -> String? {
        switch isDryRun ? probe(port) : addresses.take(port) {
        case .taken:
            taken.append(port)
            return nil
        case .conflict: return "provided port is already allocated"
        default:
            let range = addresses.ports
            return "provided port is not in the valid range. The range of valid ports is \(range.lowerBound)-\(range.upperBound)"
        }
    }

    private func probe(_ port: Int) -> ServiceAddresses.Claim {
        addresses.has(port) || taken.contains(port) ? .conflict : .taken
    }

    /// Takes any port; nil when there is none. A dry run makes one up.
    mutating func takeAny() -> Int? {
        guard let port = isDryRun ? (taken.max().map { max($0, 0) } ?? Self.imagined) + 1 : addresses.takeAnyPort() else { return nil }
        taken.append(port)
        return port
    }
}

extension ServiceStep {
    func allocatePorts(_ write: inout Write) throws(APIError) {
        let type = write.text("type")
        if type == "NodePort" || type == "LoadBalancer" {
            var ports = write.spec["ports"]?.array ?? []
            if write.old == nil { try newPorts(&ports, &write) } else { try changedPorts(&ports, &write) }
            if !ports.isEmpty { write.service.set(.array(ports), at: ["spec", "ports"]) }
        }
        let needed = write.before.map(Self.needsHealthCheck) ?? false
        if Self.needsHealthCheck(write.spec), !needed { try healthPort(&write) }
    }

    private static func needsHealthCheck(_ spec: JSONValue) -> Bool {
        spec["type"]?.string == "LoadBalancer" && spec["externalTrafficPolicy"]?.string == "Local"
    }

    private static func number(_ port: JSONValue, _ field: String = "nodePort") -> Int { Int(port[field]?.int ?? 0) }

    private func allocates(_ write: Write) -> Bool {
        write.text("type") == "NodePort" || write.spec["allocateLoadBalancerNodePorts"]?.bool ?? true
    }

    private func claim(_ number: Int, _ index: Int, _ write: inout Write) throws(APIError) {
        guard let reason = write.ports.take(number) else { return }
        let field = FieldPath("spec.ports").index(index).child("nodePort")
        throw write.refusal([.invalid(field, .integer(Int64(number)), reason)])
    }

    private func anyPort(_ write: inout Write) throws(APIError) -> Int {
        guard let free = write.ports.takeAny() else { throw .internalError("failed to allocate a nodePort: range is full") }
        return free
    }

    /// Ports of one number, for several protocols, share one node port.
    private func newPorts(_ ports: inout [JSONValue], _ write: inout Write) throws(APIError) {
        var shared: [Int: Int] = [:]
        for index in ports.indices {
            let (asked, number) = (Self.number(ports[index]), Self.number(ports[index], "port"))
            if asked == 0, !allocates(write) { continue }
            if let node = shared[number] {
                if asked == 0 {
                    ports[index]["nodePort"] = .integer(Int64(node))
                } else if asked != node {
                    try claim(asked, index, &write)
                }
                continue
            }
            let wanted = ports.first { Self.number($0, "port") == number && Self.number($0) != 0 }.map { Self.number($0) }
            let node: Int
            if let wanted {
                try claim(wanted, index, &write)
                node = wanted
            } else {
                node = try anyPort(&write)
            }
            shared[number] = node
            ports[index]["nodePort"] = .integer(Int64(node))
        }
    }

    private func changedPorts(_ ports: inout [JSONValue], _ write: inout Write) throws(APIError) {
        let known = Set((write.before?["ports"]?.array ?? []).map { Self.number($0) })
        var claimed: Set<Int> = []
        var pairs: Set<String> = []
        for index in ports.indices {
            var node = Self.number(ports[index])
            if node == 0, !allocates(write) { continue }
            if node == 0 {
                node = try anyPort(&write)
                ports[index]["nodePort"] = .integer(Int64(node))
            } else if !known.contains(node), claimed.insert(node).inserted {
                try claim(node, index, &write)
            }
            let pair = "{\(ports[index]["protocol"]?.string ?? "") \(node)}"
            guard pairs.insert(pair).inserted else { throw APIError(code: 500, reason: "", message: "duplicate nodePort: \(pair)") }
        }
    }

    private func healthPort(_ write: inout Write) throws(APIError) {
        let asked = Self.number(write.spec, "healthCheckNodePort")
        if asked != 0 {
            guard let reason = write.ports.take(asked) else { return }
            throw .internalError("failed to allocate requested HealthCheck NodePort \(asked): \(reason)")
        }
        guard let free = write.ports.takeAny() else { throw .internalError("failed to allocate a HealthCheck NodePort 0: range is full") }
        write.service.set(.integer(Int64(free)), at: ["spec", "healthCheckNodePort"])
    }
}
