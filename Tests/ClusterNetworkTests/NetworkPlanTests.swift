import APIModel
import APITypes
import ClusterNetwork
import Testing
import Units
import Values

func makeConfiguration(id: String = "", directory: String = "/tmp/none") throws -> NetworkConfiguration {
    NetworkConfiguration(
        names: ClusterNames(id: id),
        clusterCIDR: try #require(CIDR("10.244.0.0/16")),
        serviceCIDR: try #require(CIDR("10.96.0.0/12")),
        podCIDR: try #require(CIDR("10.244.7.0/24")),
        cniConfigurationDirectory: directory + "/net.d",
        cniStateDirectory: directory + "/networks"
    )
}

@Suite struct NetworkPlanTests {
    @Test func `names of two clusters differ and fit the kernel`() {
        let (first, second) = (ClusterNames(id: ""), ClusterNames(id: "My-Very-Long-Cluster"))
        #expect(first.bridge == "apus0" && first.proxyTable == "apus" && first.networkTable == "apus-network")
        #expect(second.bridge.utf8.count <= 15 && second.bridge != first.bridge)
        #expect(second.network == "apus-myverylongcluster")
        #expect(NetworkPlan.conflistName(second) != NetworkPlan.conflistName(first))
    }

    @Test func `the CNI list names bridge, range and host ports`() throws {
        let list = NetworkPlan.conflist(try makeConfiguration())
        #expect(list["name"] == "apus")
        let bridge = try #require(list["plugins"]?[0])
        #expect(bridge["type"] == "bridge" && bridge["bridge"] == "apus0" && bridge["hairpinMode"] == true && bridge["ipMasq"] == false)
        #expect(bridge.value(at: ["ipam", "ranges", "0", "0", "subnet"]) == "10.244.7.0/24")
        #expect(bridge.value(at: ["ipam", "dataDir"]) == "/tmp/none/networks")
        #expect(list.value(at: ["plugins", "1", "capabilities", "portMappings"]) == true)
        #expect(bridge["mtu"] == nil)
        var small = try makeConfiguration()
        small.mtu = 1400
        #expect(NetworkPlan.conflist(small).value(at: ["plugins", "0", "mtu"]) == 1400)
    }

    @Test func `only packets that leave the cluster are masqueraded`() throws {
        let rules = NetworkPlan.rules(try makeConfiguration())
        #expect(rules.contains("ip saddr 10.244.7.0/24 ip daddr != 10.244.0.0/16 ip daddr != 224.0.0.0/4 oifname != \"apus0\" masquerade"))
        #expect(NetworkPlan.gateway(try makeConfiguration())?.description == "10.244.7.1")
        #expect(NetworkPlan.hardwareAddress(IPAddress(10, 244, 7, 1)) == "0a:58:0a:f4:07:01")
    }

    @Test func `routes lead to every other node that has a range and an address`() throws {
        func node(_ name: String, _ range: String, _ address: String) -> Node {
            var node = Node(name: name)
            node.spec.podCIDR = range
            node.status.addresses = [
                NodeAddress {
                    $0.type = "InternalIP"; $0.address = address
                }
            ]
            return node
        }
        let nodes = [
            node("a", "10.244.0.0/24", "192.0.2.1"), node("b", "10.244.1.0/24", "192.0.2.2"), node("c", "", "192.0.2.3"),
            node("d", "10.244.3.0/24", "nonsense"), node("e", "172.16.0.0/24", "192.0.2.5"),
        ]
        let routes = NodeRoutesPlan.routes(nodes: nodes, thisNode: "a", clusterCIDR: try #require(CIDR("10.244.0.0/16")))
        #expect(routes == [NodeRoute(destination: try #require(CIDR("10.244.1.0/24")), gateway: IPAddress(192, 0, 2, 2))])
    }
}
