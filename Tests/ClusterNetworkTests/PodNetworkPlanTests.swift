import ClusterNetwork
import Testing
import Units
import Values

@Suite struct PodNetworkPlanTests {
    private func plan(id: String = "0", portMapping: Bool = false) throws -> PodNetworkPlan {
        PodNetworkPlan(
            clusterID: id,
            clusterCIDR: try #require(CIDR("10.244.0.0/16")),
            podCIDR: try #require(CIDR("10.244.3.0/24")),
            stateDirectory: "/var/lib/apus/cni/state",
            hasPortMapping: portMapping
        )
    }

    @Test func `the bridge has the first address of the node's range`() throws {
        #expect(try plan().gateway?.description == "10.244.3.1")
        #expect(try plan().bridge == "apus0")
    }

    @Test func `link names fit the kernel's limit`() throws {
        #expect(try plan(id: "abcdefghijklmnop").bridge.utf8.count <= 15)
    }

    @Test func `the configuration list names bridge, range and records`() throws {
        let list = try plan().configurationList
        #expect(list.value(at: ["name"])?.string == "apus-0")
        let bridge = try #require(list["plugins"]?.array?.first)
        #expect(bridge["bridge"] == "apus0")
        #expect(bridge.value(at: ["ipam", "ranges"]) == [[["subnet": "10.244.3.0/24"]]])
        #expect(list["plugins"]?.array?.count == 1)
        #expect(try plan(portMapping: true).configurationList["plugins"]?.array?.count == 2)
    }

    @Test func `only what leaves the cluster is masqueraded, in one transaction that can be repeated`() throws {
        let rules = try plan().ruleset
        #expect(rules.contains("ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16"))
        #expect(rules.hasPrefix("table ip apus-network-0\ndelete table ip apus-network-0\n"))
        #expect(PodNetworkPlan.removal(clusterID: "x") == "table ip apus-network-x\ndelete table ip apus-network-x\n")
    }
}
