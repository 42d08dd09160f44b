import Units

extension ProxyPlan {
    /// The chains and map entries of one port of one Service.
    mutating func add(_ service: ServiceFacts, _ port: ServiceFacts.Port, _ slices: [SliceFacts]) {
        guard ["tcp", "udp", "sctp"].contains(port.transport) else { return }
        let suffix = Self.suffix(service.key, port)
        let all = Self.usable(slices, port, on: node.name, localOnly: false)
        let needsLocal = service.isInternalLocal || service.isExternalLocal
        let local = needsLocal ? Self.usable(slices, port, on: node.name, localOnly: true) : []
        let addresses = (cluster: service.clusterIPs.filter(\.isIPv4), external: service.externalIPs.filter(\.isIPv4))
        let hasExternal = port.nodePort > 0 || !addresses.external.isEmpty

        for address in addresses.cluster { rules.elements["cluster-ips"]?.members[address.description] = "" }
        addFirewall(service, port, suffix)
        guard !all.isEmpty else {
            addRefusal(port, addresses.cluster + addresses.external, verdict: "goto reject-chain", nodePort: true)
            return
        }
        for target in Set(all + local) { addEndpoint(target, port, suffix, service.affinitySeconds) }
        addBalancer("service-" + suffix, service, port, all, suffix, addresses.cluster)
        if !local.isEmpty { addBalancer("local-" + suffix, service, port, local, suffix, addresses.cluster) }

        if service.isInternalLocal, local.isEmpty {
            addRefusal(port, addresses.cluster, verdict: "drop", nodePort: false)
        } else {
            let chain = (service.isInternalLocal ? "local-" : "service-") + suffix
            for address in addresses.cluster { addEntry(address, port, "goto \(chain)") }
        }
        guard hasExternal else { return }
        addExternal(service, suffix, hasLocal: !local.isEmpty)
        for address in addresses.external { addEntry(address, port, "goto external-\(suffix)") }
        if port.nodePort > 0 {
            rules.elements["service-nodeports"]?.members["\(port.transport) . \(port.nodePort)"] = "goto external-\(suffix)"
        }
        if service.isExternalLocal, local.isEmpty {
            addRefusal(port, addresses.external, verdict: "drop", nodePort: true)
        }
    }

    /// Clients of the load balancer's addresses from outside the ranges given are dropped. A node inside them may come
    /// with the address itself, which some balancers put on its links.
    private mutating func addFirewall(_ service: ServiceFacts, _ port: ServiceFacts.Port, _ suffix: String) {
        let addresses = service.loadBalancerIPs.filter(\.isIPv4)
        let ranges = service.sourceRanges.filter { !$0.isIPv6 }
        guard !addresses.isEmpty, !ranges.isEmpty else { return }
        var sources = ranges.map(\.description)
        if let own = node.address, ranges.contains(where: { $0.contains(own) }) { sources += addresses.map(\.description) }
        var unique: Set<String> = []
        let list = sources.filter { unique.insert($0).inserted }.joined(separator: ", ")
        rules.chains["firewall-\(suffix)"] = .init(rules: ["ip saddr != { \(list) } drop"])
        for address in addresses {
            rules.elements["firewall-ips"]?.members["\(address) . \(port.transport) . \(port.port)"] = "goto firewall-\(suffix)"
        }
    }

    private mutating func addEntry(_ address: IPAddress, _ port: ServiceFacts.Port, _ verdict: String) {
        rules.elements["service-ips"]?.members["\(address) . \(port.transport) . \(port.port)"] = verdict
    }

    /// What happens to packets that no rule has sent to an endpoint.
    private mutating func addRefusal(_ port: ServiceFacts.Port, _ addresses: [IPAddress], verdict: String, nodePort: Bool) {
        for address in addresses {
            rules.elements["no-endpoint-services"]?.members["\(address) . \(port.transport) . \(port.port)"] = verdict
        }
        if nodePort, port.nodePort > 0 {
            rules.elements["no-endpoint-nodeports"]?.members["\(port.transport) . \(port.nodePort)"] = verdict
        }
    }

    /// Traffic from outside: with policy Cluster it is masqueraded and goes anywhere; with Local it keeps its source
    /// and stays on the node, while pods and the node itself may still reach every endpoint.
    private mutating func addExternal(_ service: ServiceFacts, _ suffix: String, hasLocal: Bool) {
        var list: [String] = []
        if service.isExternalLocal {
            if let range = node.clusterCIDR, !range.isIPv6 { list.append("ip saddr \(range) goto service-\(suffix)") }
            list.append("fib saddr type local jump mark-for-masquerade")
            list.append("fib saddr type local goto service-\(suffix)")
            if hasLocal { list.append("goto local-\(suffix)") }
        } else {
            list.append("jump mark-for-masquerade")
            list.append("goto service-\(suffix)")
        }
        rules.chains["external-\(suffix)"] = .init(rules: list)
    }

    /// Chooses an endpoint: the one the client has been with, else any with equal chance.
    private mutating func addBalancer(
        _ name: String,
        _ service: ServiceFacts,
        _ port: ServiceFacts.Port,
        _ targets: [Target],
        _ suffix: String,
        _ clusterIPs: [IPAddress]
    ) {
        var list: [String] = []
        if let range = node.clusterCIDR, !range.isIPv6 {
            for address in clusterIPs {
                list.append("ip daddr \(address) \(port.transport) dport \(port.port) ip saddr != \(range) jump mark-for-masquerade")
            }
        }
        if let seconds = service.affinitySeconds {
            for target in targets {
                let chain = Self.endpointSuffix(suffix, target)
                list.append("ip saddr @affinity-\(seconds)-\(chain) goto endpoint-\(chain)")
            }
        }
        rules.chains[name] = .init(rules: list + Self.choice(targets.map { "endpoint-" + Self.endpointSuffix(suffix, $0) }))
    }

    /// Up to so many endpoints are told apart by a rule each instead of a map.
    static let mostChoiceRules = 32

    /// Rules that choose one of the chains with equal chance.
    ///
    /// A packet on its way sees the rules of one generation, but the elements of maps of the newest: while an
    /// anonymous map is replaced, it can find the old one empty, and the connection is lost. Hence rules where their
    /// number allows.
    private static func choice(_ chains: [String]) -> [String] {
        guard chains.count <= mostChoiceRules else {
            let choices = chains.enumerated().map { "\($0.offset) : goto \($0.element)" }
            return ["numgen random mod \(chains.count) vmap { \(choices.joined(separator: ", ")) }"]
        }
        return chains.enumerated().map { index, chain in
            let left = chains.count - index
            return left == 1 ? "goto \(chain)" : "numgen random mod \(left) == 0 goto \(chain)"
        }
    }

    private mutating func addEndpoint(_ target: Target, _ port: ServiceFacts.Port, _ suffix: String, _ affinity: Int?) {
        let name = Self.endpointSuffix(suffix, target)
        var list = ["ip saddr \(target.address) jump mark-for-masquerade"]
        if let affinity {
            // The time is part of the name: a set cannot change it.
            rules.dynamicSets["affinity-\(affinity)-\(name)"] = "type ipv4_addr; flags dynamic, timeout; timeout \(affinity)s;"
            list.append("update @affinity-\(affinity)-\(name) { ip saddr }")
        }
        list.append("meta l4proto \(port.transport) dnat to \(target.address):\(target.port)")
        rules.chains["endpoint-\(name)"] = .init(rules: list)
    }

    // MARK: names

    /// The longest name the kernel keeps is 255 bytes; ours stay clear of it.
    private static let longestReadable = 150

    /// `hash-namespace/name/tcp/port`: readable, and unique by the hash.
    static func suffix(_ key: String, _ port: ServiceFacts.Port) -> String {
        let readable = "\(key)/\(port.transport)/\(port.name)"
        return "\(hash("\(readable)/\(port.port)"))-\(readable.prefix(longestReadable))"
    }

    /// `…__address/port`.
    static func endpointSuffix(_ suffix: String, _ target: Target) -> String {
        "\(suffix)__\(target.address)/\(target.port)"
    }

    /// FNV-1a, eight characters of the alphabet of names. Stable over versions: names survive a restart.
    private static func hash(_ text: String) -> String {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 {
            value ^= UInt64(byte)
            value = value &* 0x100_0000_01B3
        }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String((0..<8).map { alphabet[Int(value >> UInt64($0 * 5) & 31)] })
    }
}
