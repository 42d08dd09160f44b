import APIModel
import APITypes
import Testing
import Units
import Values

@testable import ClusterNetwork

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
        let routes = NodeRoutesPlan.routes(
            nodes: nodes,
            thisNode: "a",
            clusterCIDR: try #require(CIDR("10.244.0.0/16")),
            links: [try #require(CIDR("192.0.2.0/24"))]
        )
        #expect(routes == [NodeRoute(destination: try #require(CIDR("10.244.1.0/24")), gateway: IPAddress(192, 0, 2, 2))])
        let beyond = NodeRoutesPlan.routes(nodes: nodes, thisNode: "a", clusterCIDR: try #require(CIDR("10.244.0.0/16")), links: [])
        #expect(beyond.map(\.isOverlay) == [true])
    }

    @Test func `links are those of others, with the range they reach`() {
        let listing = """
            1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
            2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever
            3: eth1    inet 198.51.100.1/32 scope global eth1
            4: apus0    inet 10.244.0.1/24 scope global apus0
            5: apusv0    inet 10.244.0.0/32 scope global apusv0
            nonsense
            """
        #expect(NodeRoutesPlan.links(listing, names: ClusterNames(id: "")).map(\.description) == ["192.0.2.0/24"])
        let two = listing + "\n6: eth2    inet 203.0.113.4/24 scope global eth2"
        let own = NodeRoutesPlan.links(two, names: ClusterNames(id: ""), nodeAddress: IPAddress(203, 0, 113, 4))
        #expect(own.map(\.description) == ["203.0.113.0/24"])
    }

    @Test func `the overlay needs no agreement between nodes`() throws {
        let (here, there) = (try makeConfiguration(), try #require(CIDR("10.244.1.0/24")))
        #expect(Overlay.identifier(here.clusterCIDR) == Overlay.identifier(try #require(CIDR("10.244.0.0/16"))))
        #expect(Overlay.identifier(here.clusterCIDR) != Overlay.identifier(try #require(CIDR("10.245.0.0/16"))))
        #expect((1..<1 << 24).contains(Overlay.identifier(here.clusterCIDR)))
        let route = NodeRoute(destination: there, gateway: IPAddress(192, 0, 2, 2), isOverlay: true)
        let opening = Overlay.opening(route, names: here.names).map { $0.joined(separator: " ") }
        #expect(opening[0] == "bridge fdb replace 0a:58:0a:f4:01:00 dev apusv0 dst 192.0.2.2")
        #expect(opening[1] == "ip neigh replace 10.244.1.0 lladdr 0a:58:0a:f4:01:00 dev apusv0 nud permanent")
        let creation = Overlay.creation(here, underlayMTU: 1500).map { $0.joined(separator: " ") }
        #expect(creation[0].contains("address 0a:58:0a:f4:07:00 type vxlan id \(Overlay.identifier(here.clusterCIDR)) dstport 8472"))
        #expect(creation[1] == "ip link set dev apusv0 mtu 1450")
    }

    @Test func `only a filter that could stop pods is an obstacle`() {
        #expect(!ForwardRules.isObstacle("-P FORWARD ACCEPT\n"))
        #expect(!ForwardRules.isObstacle("-P FORWARD ACCEPT\n-A FORWARD -m comment --comment \"pod network of apus\" -j APUS-FORWARD\n"))
        #expect(ForwardRules.isObstacle("-P FORWARD DROP\n"))
        #expect(ForwardRules.isObstacle("-P FORWARD ACCEPT\n-A FORWARD -i eth0 -j REJECT\n"))
    }

    @Test func `this cluster's routes are told from others'`() {
        let names = ClusterNames(id: "x")
        let routes = NodeRoutes(names: names, host: HostCommands())
        let listing = """
            10.244.1.0/24 via 192.0.2.2 dev eth0 metric \(names.routeMetric)
            10.244.2.0/24 via 192.0.2.2 dev eth0 metric 7
            10.244.3.0/24 via 192.0.2.2 dev eth0
            """
        #expect(routes.present(listing).map(\.description) == ["10.244.1.0/24"])
        #expect(names.forwardChain.utf8.count <= 28 && names.overlay.utf8.count <= 15)
        #expect(ClusterNames(id: "My-Very-Long-Cluster-Name").forwardChain.utf8.count <= 28)
    }
}
