import Channels
import Units

/// Finds the UDP flows that a change of rules leaves pointing to nowhere. TCP ends by itself; UDP would not.
public enum ConntrackCleanup {
    /// One set of flows to forget.
    public struct Flow: Sendable, Hashable, Comparable {
        /// The address that clients send to; nil for node ports.
        public var address: String?
        /// The port that clients send to.
        public var port: String
        /// The endpoint that is gone; nil: all flows, for a Service that had no endpoints.
        public var endpoint: String?

        /// A stable order.
        public static func < (a: Flow, b: Flow) -> Bool {
            (a.address ?? "", a.port, a.endpoint ?? "") < (b.address ?? "", b.port, b.endpoint ?? "")
        }

        /// The arguments of `conntrack` that delete them.
        public var arguments: [String] {
            var list = ["-D", "-p", "udp", "--dport", port]
            if let address { list += ["--orig-dst", address] }
            if let endpoint { list += ["--dst-nat", endpoint] }
            return list
        }
    }

    /// What to forget when `old` has become `new`.
    public static func staleFlows(from old: Ruleset, to new: Ruleset) -> [Flow] {
        var flows: Set<Flow> = []
        for name in ["service-ips", "service-nodeports"] {
            let before = old.elements[name]?.members ?? [:]
            let after = new.elements[name]?.members ?? [:]
            for key in Set(before.keys).union(after.keys) {
                let parts = key.split(separator: " ").map(String.init).filter { $0 != "." }
                guard let port = parts.last, parts.dropLast().last == "udp" else { continue }
                let address = parts.count == 3 ? parts[0] : nil
                let (was, now) = (endpoints(of: before[key], in: old), endpoints(of: after[key], in: new))
                for endpoint in was.subtracting(now) {
                    let gone = endpoint.split(separator: ":").first.map(String.init)
                    flows.insert(Flow(address: address, port: port, endpoint: gone))
                }
                if was.isEmpty, !now.isEmpty { flows.insert(Flow(address: address, port: port, endpoint: nil)) }
            }
        }
        return flows.sorted()
    }

    /// The addresses with ports that a verdict can lead to.
    private static func endpoints(of verdict: String?, in rules: Ruleset) -> Set<String> {
        guard let verdict, verdict.hasPrefix("goto ") else { return [] }
        var found: Set<String> = []
        var open = [String(verdict.dropFirst(5))]
        var seen: Set<String> = []
        while let name = open.popLast() {
            guard seen.insert(name).inserted, let chain = rules.chains[name] else { continue }
            for rule in chain.rules {
                if let address = destination(rule) { found.insert(address) }
                open += targets(rule)
            }
        }
        return found
    }

    private static func destination(_ rule: String) -> String? {
        let words = rule.split(separator: " ")
        guard let index = words.firstIndex(of: "dnat"), index + 2 < words.count else { return nil }
        return String(words[index + 2])
    }

    private static func targets(_ rule: String) -> [String] {
        let words = rule.split(separator: " ")
        return zip(words, words.dropFirst()).compactMap { word, next in
            guard word == "goto" else { return nil }
            return String(next.hasSuffix(",") ? next.dropLast() : next)
        }
    }

    /// Deletes the flows. Best effort: no flow to delete is no error, and neither is a missing program.
    public static func delete(_ flows: [Flow], program: String = "conntrack") async {
        for flow in flows {
            _ = try? await ChildProcess.run([program] + flow.arguments, deadline: .seconds(10))
        }
    }
}
