import Channels
import Glibc
import Logging
import Testing
import Units

@testable import ClusterNetwork

private var canMakeOverlays: Bool {
    func has(_ program: String) -> Bool {
        ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].contains { (directory: String) in access(directory + program, X_OK) == 0 }
    }
    return geteuid() == 0 && ["nft", "ip", "bridge", "busybox", "iptables-nft"].allSatisfy(has)
}

/// Two nodes with a router between that knows no pods.
@Suite(.enabled(if: canMakeOverlays, "needs root, ip, bridge, nft, iptables and busybox"), .serialized)
struct OverlayTests {
    @discardableResult
    private func run(_ arguments: [String]) async throws -> String {
        let result = try await ChildProcess.run(arguments, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], deadline: .seconds(20))
        guard result.succeeded else {
            throw ChildProcessError(command: arguments.joined(separator: " "), message: result.errorText + result.outputText)
        }
        return result.outputText
    }

    private func shell(_ script: String) async throws {
        try await run(["sh", "-ec", script])
    }

    private func network(_ tag: String, _ node: String, range: String, address: String) throws -> PodNetwork {
        var configuration = NetworkConfiguration(
            names: ClusterNames(id: ""),
            clusterCIDR: try #require(CIDR("10.244.0.0/16")),
            serviceCIDR: try #require(CIDR("10.96.0.0/12")),
            podCIDR: try #require(CIDR(range)),
            cniConfigurationDirectory: "/tmp/\(tag)\(node)/net.d",
            cniStateDirectory: "/tmp/\(tag)\(node)/networks"
        )
        configuration.nodeAddress = IPAddress(address)
        return PodNetwork(configuration, commandPrefix: ["nsenter", "--net=/run/netns/\(tag)\(node)"])
    }

    @Test func `pods reach pods beyond a router, past a filter that drops, and clean-up leaves nothing`() async throws {
        let tag = "apuso\(getpid())"
        do {
            try await shell(
                """
                for n in a r b; do ip netns add \(tag)$n; ip -n \(tag)$n link set lo up; done
                ip -n \(tag)r link add ra type veth peer name eth0 netns \(tag)a
                ip -n \(tag)r link add rb type veth peer name eth0 netns \(tag)b
                ip -n \(tag)r addr add 192.0.2.1/24 dev ra; ip -n \(tag)r addr add 198.51.100.1/24 dev rb
                ip -n \(tag)r link set ra up; ip -n \(tag)r link set rb up
                ip -n \(tag)a addr add 192.0.2.2/24 dev eth0; ip -n \(tag)b addr add 198.51.100.2/24 dev eth0
                ip -n \(tag)a link set eth0 up; ip -n \(tag)b link set eth0 up
                ip -n \(tag)a route add default via 192.0.2.1; ip -n \(tag)b route add default via 198.51.100.1
                nsenter --net=/run/netns/\(tag)r sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
                for n in a b; do nsenter --net=/run/netns/\(tag)$n sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'; done
                nsenter --net=/run/netns/\(tag)a iptables-nft -P FORWARD DROP
                ip netns add \(tag)p
                """
            )
            try await check(tag)
        } catch {
            Issue.record(error)
        }
        for node in ["a", "b", "r", "p"] { _ = try? await run(["ip", "netns", "del", "\(tag)\(node)"]) }
        for node in ["a", "b"] {
            for path in ["/net.d", "/networks", ""] { rmdir("/tmp/\(tag)\(node)\(path)") }
        }
    }

    private func check(_ tag: String) async throws {
        let a = try network(tag, "a", range: "10.244.1.0/24", address: "192.0.2.2")
        let b = try network(tag, "b", range: "10.244.2.0/24", address: "198.51.100.2")
        try await a.setUp()
        try await b.setUp()
        let toB = NodeRoute(destination: b.configuration.podCIDR, gateway: IPAddress(198, 51, 100, 2), isOverlay: true)
        let toA = NodeRoute(destination: a.configuration.podCIDR, gateway: IPAddress(192, 0, 2, 2), isOverlay: true)
        #expect(await a.apply([toB], over: []) == [toB])
        #expect(await b.apply([toA], over: []) == [toA])
        // A pod on `a`, whose packets are forwarded and so meet the filter.
        try await shell(
            """
            ip -n \(tag)a link add v0 type veth peer name eth0 netns \(tag)p
            ip -n \(tag)a link set v0 master apus0 up
            ip -n \(tag)p addr add 10.244.1.9/24 dev eth0; ip -n \(tag)p link set eth0 up
            ip -n \(tag)p route add default via 10.244.1.1
            """
        )
        let ping = ["nsenter", "--net=/run/netns/\(tag)p", "busybox", "ping", "-c", "1", "-W", "1"]
        #expect(try await ChildProcess.run(ping + ["10.244.2.1"]).succeeded == false)
        let filter = ForwardRules(chain: "APUS-FORWARD", host: a.host)
        await filter.ensure(clusterCIDR: a.configuration.clusterCIDR, log: Logger(label: "test"))
        await filter.ensure(clusterCIDR: a.configuration.clusterCIDR, log: Logger(label: "test"))
        let rules = try await run(["nsenter", "--net=/run/netns/\(tag)a", "iptables-nft", "-S", "FORWARD"])
        #expect(rules.split(separator: "\n").count { $0.contains("APUS-FORWARD") } == 1)
        try await run(ping + ["10.244.2.1"])
        try await run(ping + ["-s", "3000", "10.244.2.1"])
        // A device of other settings is made anew, and a node that moved is found at its new address.
        try await shell("ip -n \(tag)b link set dev apusv0 address 0a:58:00:00:00:01")
        #expect(await b.apply([toA], over: []) == [toA])
        try await run(ping + ["10.244.2.1"])

        #expect(await a.apply([], over: [toB]).isEmpty)
        #expect(try await ChildProcess.run(ping + ["10.244.2.1"]).succeeded == false)
        #expect(await a.apply([toB], over: []) == [toB])
        for (network, node) in [(a, "a"), (b, "b")] {
            try await network.cleanUp()
            let inside = ["nsenter", "--net=/run/netns/\(tag)\(node)"]
            #expect(try await !run(inside + ["ip", "-br", "link"]).contains("apus"))
            #expect(try await !run(inside + ["ip", "route"]).contains("10.244"))
            #expect(try await !run(inside + ["nft", "list", "ruleset"]).lowercased().contains("apus"))
            #expect(try await run(inside + ["cat", "/proc/sys/net/ipv4/ip_forward"]) == "0\n")
        }
        let notes = try await run(["ls", "/run"]).split(separator: "\n").filter { $0.hasPrefix("apus-ip-forward-") }
        for node in ["a", "b"] {
            let name = try await run(["nsenter", "--net=/run/netns/\(tag)\(node)", "readlink", "/proc/self/ns/net"]).filter(\.isNumber)
            #expect(!notes.contains { $0.hasSuffix(name) })
        }
    }
}
