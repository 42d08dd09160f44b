import Units

/// Decides the rules of one node from the Services and their endpoints. Pure: a value in, a value out.
///
/// The layout follows upstream's nftables mode: verdict maps from addresses to a chain per Service port, and from
/// there at random to a chain per endpoint.
public struct ProxyPlan {
    /// An endpoint as one Service port sees it.
    struct Target: Hashable, Comparable {
        var address: IPAddress
        var port: Int
        var isLocal: Bool

        static func < (a: Target, b: Target) -> Bool { (a.address, a.port) < (b.address, b.port) }
    }

    let node: ProxyNode
    /// Upstream's word for the address family in nft rules.
    let family = "ip"
    var rules: Ruleset

    /// The rules for these Services; `slices` may be of others too.
    public static func ruleset(services: [ServiceFacts], slices: [SliceFacts], node: ProxyNode) -> Ruleset {
        ruleset(services: services, slicesByService: Dictionary(grouping: slices, by: \.serviceKey), node: node)
    }

    /// The rules for these Services, the slices already grouped by their Service's key.
    public static func ruleset(
        services: [ServiceFacts],
        slicesByService: [String: [SliceFacts]],
        node: ProxyNode
    ) -> Ruleset {
        var plan = ProxyPlan(node: node, rules: Ruleset(table: node.table))
        plan.addBase()
        for service in services.sorted(by: { $0.key < $1.key }) {
            let slices = slicesByService[service.key] ?? []
            for port in service.ports { plan.add(service, port, slices) }
        }
        return plan.rules
    }

    // MARK: endpoints

    /// Ready endpoints, or when there are none those that still serve while they end. Where every ready endpoint names
    /// the nodes that shall prefer it, and some name this one, only those are used.
    static func usable(_ slices: [SliceFacts], _ port: ServiceFacts.Port, on node: String, localOnly: Bool) -> [Target] {
        var ready: [Target: Set<String>] = [:]
        var ending: Set<Target> = []
        for slice in slices {
            guard let number = slice.ports.first(where: { $0.name == port.name && $0.transport == port.transport })?.port else {
                continue
            }
            for endpoint in slice.endpoints where endpoint.address.isIPv4 {
                let isLocal = !node.isEmpty && endpoint.nodeName == node
                if localOnly, !isLocal { continue }
                let target = Target(address: endpoint.address, port: number, isLocal: isLocal)
                if endpoint.isReady {
                    ready[target] = endpoint.hintedNodes
                } else if endpoint.isServing, endpoint.isTerminating {
                    ending.insert(target)
                }
            }
        }
        guard !ready.isEmpty else { return ending.sorted() }
        let preferred = ready.filter { $0.value.contains(node) }
        let isHinted = !localOnly && !preferred.isEmpty && ready.values.allSatisfy { !$0.isEmpty }
        return (isHinted ? preferred : ready).keys.sorted()
    }

    // MARK: the table's frame

    private mutating func addBase() {
        let addressKey = "type ipv4_addr . inet_proto . inet_service : verdict;"
        rules.elements["service-ips"] = .init(kind: "map", declaration: addressKey)
        rules.elements["no-endpoint-services"] = .init(kind: "map", declaration: addressKey)
        rules.elements["service-nodeports"] = .init(kind: "map", declaration: "type inet_proto . inet_service : verdict;")
        rules.elements["no-endpoint-nodeports"] = .init(kind: "map", declaration: "type inet_proto . inet_service : verdict;")
        rules.elements["cluster-ips"] = .init(kind: "set", declaration: "type ipv4_addr;")
        rules.elements["nodeport-ips"] = .init(kind: "set", declaration: "type ipv4_addr;")
        for address in node.nodePortAddresses where address.isIPv4 {
            rules.elements["nodeport-ips"]?.members[address.description] = ""
        }
        addHook("nat-prerouting", "type nat hook prerouting priority dstnat; policy accept;", ["jump services"])
        addHook("nat-output", "type nat hook output priority -100; policy accept;", ["jump services"])
        addHook("nat-postrouting", "type nat hook postrouting priority srcnat; policy accept;", ["jump masquerading"])
        for hook in ["input", "forward", "output"] {
            let check = ["ct state new jump endpoint-check"]
            addHook("filter-\(hook)", "type filter hook \(hook) priority -110; policy accept;", check)
        }
        rules.elements["firewall-ips"] = .init(kind: "map", declaration: addressKey)
        // Before the address is rewritten, while it still is the load balancer's.
        for hook in ["prerouting", "output"] {
            let check = ["ct state new jump firewall-check"]
            addHook("firewall-\(hook)", "type filter hook \(hook) priority -110; policy accept;", check)
        }
        rules.chains["firewall-check"] = .init(rules: ["ip daddr . meta l4proto . th dport vmap @firewall-ips"])
        let onNode = node.nodePortAddresses.isEmpty ? "fib daddr type local ip daddr != 127.0.0.0/8" : "ip daddr @nodeport-ips"
        rules.chains["services"] = .init(rules: [
            "ip daddr . meta l4proto . th dport vmap @service-ips",
            "\(onNode) meta l4proto . th dport vmap @service-nodeports",
        ])
        rules.chains["endpoint-check"] = .init(rules: [
            "ip daddr . meta l4proto . th dport vmap @no-endpoint-services",
            "\(onNode) meta l4proto . th dport vmap @no-endpoint-nodeports",
        ])
        // What carries the address of a Service even after nat is for a port that it does not have.
        let strays = ["ct state new ip daddr @cluster-ips meta l4proto { tcp, udp, sctp } goto reject-chain"]
        addHook("filter-forward-strays", "type filter hook forward priority -90; policy accept;", strays)
        addHook("filter-output-strays", "type filter hook output priority -90; policy accept;", strays)
        rules.chains["reject-chain"] = .init(rules: [
            "meta l4proto tcp reject with tcp reset", "reject with icmp type port-unreachable",
        ])
        let mark = "0x" + String(node.masqueradeMark, radix: 16)
        rules.chains["mark-for-masquerade"] = .init(rules: ["meta mark set meta mark or \(mark)"])
        rules.chains["masquerading"] = .init(rules: [
            "meta mark and \(mark) == 0 return", "meta mark set meta mark xor \(mark)", "masquerade fully-random",
        ])
    }

    private mutating func addHook(_ name: String, _ header: String, _ list: [String]) {
        rules.chains[name] = .init(header: header, rules: list)
    }
}
