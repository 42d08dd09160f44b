import Channels
import ClusterNetwork
import Glibc
import Testing
import Units
import Values

private let plugins = "/usr/lib/cni"

private var canMakeNetworks: Bool {
    func has(_ path: String) -> Bool { access(path, X_OK) == 0 }
    return geteuid() == 0 && has(plugins + "/bridge") && has("/usr/sbin/nft") && (has("/usr/sbin/ip") || has("/sbin/ip"))
}

@Suite(.enabled(if: canMakeNetworks, "needs root, ip, nft and the CNI plugins"), .serialized)
struct PodNetworkTests {
    private func run(_ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]) async throws -> String {
        let result = try await ChildProcess.run(arguments, input: input, environment: environment)
        guard result.succeeded else {
            throw ChildProcessError(command: arguments.joined(separator: " "), message: result.errorText + result.outputText)
        }
        return result.outputText
    }

    @Test func `a pod gets an address from the real plugins, and clean-up leaves nothing`() async throws {
        let tag = "apusw\(getpid())"
        let (node, pod, directory) = (tag + "n", tag + "p", "/tmp/\(tag)")
        _ = try await run(["ip", "netns", "add", node])
        _ = try await run(["ip", "netns", "add", pod])
        do {
            let inside = ["ip", "netns", "exec", node]
            let network = PodNetwork(try makeConfiguration(directory: directory), commandPrefix: inside)
            try await network.setUp()
            try await network.setUp()
            #expect(try await run(inside + ["cat", "/proc/sys/net/ipv4/ip_forward"]) == "1\n")
            #expect(try await run(inside + ["ip", "route", "show", "10.96.0.0/12"]).contains("dev apus0"))

            let list = try JSONParser.parse(try await run(["cat", network.conflistPath]))
            var bridge = try #require(list["plugins"]?[0])
            bridge["cniVersion"] = list["cniVersion"]
            bridge["name"] = list["name"]
            var environment = [
                "CNI_COMMAND": "ADD", "CNI_CONTAINERID": tag, "CNI_NETNS": "/run/netns/\(pod)", "CNI_IFNAME": "eth0", "CNI_PATH": plugins,
            ]
            let reply = try await run(inside + [plugins + "/bridge"], input: bridge.encoded(), environment: environment)
            let address = try JSONParser.parse(reply).value(at: ["ips", "0", "address"])?.string ?? ""
            #expect(CIDR(address)?.description == "10.244.7.0/24")
            #expect(try await run(["ip", "-n", pod, "route"]).contains("default via 10.244.7.1"))
            #expect(try await run(inside + ["ip", "link", "show", "master", "apus0"]).contains("veth"))
            environment["CNI_COMMAND"] = "DEL"
            _ = try await run(inside + [plugins + "/bridge"], input: bridge.encoded(), environment: environment)

            try await network.cleanUp()
            #expect(access(network.conflistPath, F_OK) != 0)
            #expect(access(directory + "/networks/apus", F_OK) != 0)
            #expect(try await !run(inside + ["ip", "link"]).contains("apus0"))
            #expect(try await !run(inside + ["nft", "list", "tables"]).contains("apus"))
            try await network.cleanUp()
        } catch {
            Issue.record(error)
        }
        for name in [pod, node] { _ = try? await run(["ip", "netns", "del", name]) }
        for path in ["/net.d", "/networks", ""] { rmdir(directory + path) }
    }
}
