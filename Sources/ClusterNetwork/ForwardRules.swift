import Logging
import Units

/// Lets pods' packets pass a host whose own filter refuses to forward (Docker's `FORWARD` policy DROP).
///
/// A packet must be accepted in every table, so a table of ours cannot help: the host's own chain gets one jump to a chain
/// of ours, marked with a comment. Only where the host has such a filter; `remove` takes both away.
struct ForwardRules: Sendable {
    let chain: String
    let host: HostCommands

    /// What marks our jump.
    static let comment = "pod network of apus"
    private static let programs = ["iptables-nft", "iptables-legacy"]

    /// The chain's content for `iptables-restore --noflush`: pods' packets, Services' that are masqueraded, and answers.
    static func restore(chain: String, clusterCIDR: CIDR) -> String {
        """
        *filter
        :\(chain) - [0:0]
        -A \(chain) -s \(clusterCIDR) -j ACCEPT
        -A \(chain) -d \(clusterCIDR) -j ACCEPT
        -A \(chain) -m mark --mark 0x4000/0x4000 -j ACCEPT
        -A \(chain) -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        COMMIT

        """
    }

    /// Whether the rules of `FORWARD`, as `iptables -S FORWARD` shows them, could stop a packet of a pod.
    static func isObstacle(_ rules: String) -> Bool {
        let others = rules.split(separator: "\n").filter { !$0.contains("\"\(comment)\"") && !$0.hasPrefix("Warning") }
        return others.contains { $0 != "-P FORWARD ACCEPT" && !$0.isEmpty }
    }

    private var jump: [String] { ["-m", "comment", "--comment", Self.comment, "-j", chain] }

    /// Sees to it that the host's filter, where it has one, lets pods through.
    func ensure(clusterCIDR: CIDR, log: Logger) async {
        for program in Self.programs {
            guard let rules = await self.rules(program), Self.isObstacle(rules) else { continue }
            do {
                if await hasChain(program), rules.split(separator: "\n").first(where: { $0.hasPrefix("-A") })?.contains(chain) == true {
                    continue
                }
                let content = Self.restore(chain: chain, clusterCIDR: clusterCIDR)
                _ = try? await host.run([program, "-w", "-D", "FORWARD"] + jump)
                try await host.run(["\(program)-restore", "-w", "--noflush"], input: content)
                try await host.run([program, "-w", "-I", "FORWARD", "1"] + jump)
                log.info("the host's filter lets pods through", metadata: ["program": "\(program)", "chain": "\(chain)"])
            } catch {
                log.warning("the host's filter may stop pods' packets", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Takes the jump and the chain away again.
    func remove() async {
        for program in Self.programs {
            guard await rules(program) != nil, await hasChain(program) else { continue }
            while (try? await host.run([program, "-w", "-D", "FORWARD"] + jump)) != nil {}
            _ = try? await host.run([program, "-w", "-F", chain])
            _ = try? await host.run([program, "-w", "-X", chain])
        }
    }

    private func hasChain(_ program: String) async -> Bool {
        (try? await host.run([program, "-w", "-S", chain])) != nil
    }

    /// The rules of `FORWARD`; nil where there is no such filter. Merely asking iptables could make one.
    private func rules(_ program: String) async -> String? {
        if program == "iptables-nft" {
            guard (try? await host.run(["nft", "list", "chain", "ip", "filter", "FORWARD"])) != nil else { return nil }
        } else {
            let tables = try? await host.run(["cat", "/proc/net/ip_tables_names"])
            guard tables?.split(separator: "\n").contains("filter") == true else { return nil }
        }
        return try? await host.run([program, "-w", "-S", "FORWARD"])
    }
}
