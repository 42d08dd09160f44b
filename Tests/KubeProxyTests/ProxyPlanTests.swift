import APITypes
import KubeProxy
import Testing
import Units

@Suite struct ProxyPlanTests {
    private func verdict(_ rules: Ruleset, _ map: String = "service-ips", _ key: String = "10.96.0.20 . tcp . 80") -> String? {
        rules.elements[map]?.members[key]
    }

    private func chain(_ rules: Ruleset, _ prefix: String) -> [String]? {
        rules.chains.first { $0.key.hasPrefix(prefix) && !$0.key.contains("__") }?.value.rules
    }

    @Test func `a cluster address leads to every ready endpoint`() throws {
        let rules = makeRules(
            [makeService()],
            [makeSlice([makeEndpoint("10.244.0.5"), makeEndpoint("10.244.1.6", node: "n2"), makeEndpoint("10.244.0.7", ready: false)])]
        )
        #expect(verdict(rules)?.hasPrefix("goto service-") == true)
        #expect(rules.elements["no-endpoint-services"]?.members.isEmpty == true)
        #expect(rules.chains.keys.filter { $0.hasPrefix("endpoint-") && $0.contains("__") }.count == 2)
        let list = try #require(chain(rules, "service-"))
        #expect(list.first == "ip daddr 10.96.0.20 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade")
        #expect(list.count == 3)
        #expect(list[1].hasPrefix("numgen random mod 2 == 0 goto endpoint-") && list[2].hasPrefix("goto endpoint-"))
        expectGolden(rules.fullScript(), "cluster-ip.nft")
    }

    @Test func `many endpoints are chosen by a map`() {
        let rules = makeRules([makeService()], [makeSlice((0..<40).map { makeEndpoint("10.244.0.\($0 + 2)") })])
        #expect(chain(rules, "service-")?.last?.hasPrefix("numgen random mod 40 vmap { 0 : goto endpoint-") == true)
    }

    @Test func `without endpoints packets are refused`() {
        let rules = makeRules(
            [
                makeService {
                    $0.type = "NodePort"; $0.ports[0].nodePort = 30080
                }
            ],
            []
        )
        #expect(verdict(rules) == nil)
        #expect(verdict(rules, "no-endpoint-services") == "goto reject-chain")
        #expect(verdict(rules, "no-endpoint-nodeports", "tcp . 30080") == "goto reject-chain")
    }

    @Test func `endpoints that end serve only when none is ready`() {
        let ending = makeEndpoint("10.244.0.5", ready: false, serving: true, terminating: true)
        let dead = makeEndpoint("10.244.0.6", ready: false, serving: false, terminating: true)
        let only = makeRules([makeService()], [makeSlice([ending, dead])])
        #expect(only.chains.keys.filter { $0.contains("__") }.map { String($0.split(separator: "__").last ?? "") } == ["10.244.0.5/8080"])
        let mixed = makeRules([makeService()], [makeSlice([ending, makeEndpoint("10.244.0.7")])])
        #expect(mixed.chains.keys.filter { $0.contains("__") }.map { String($0.split(separator: "__").last ?? "") } == ["10.244.0.7/8080"])
    }

    @Test func `node ports, external addresses and load balancers share one chain`() throws {
        var service = makeService {
            $0.type = "LoadBalancer"
            $0.ports[0].nodePort = 30080
            $0.externalIPs = ["198.51.100.7"]
        }
        service.status.loadBalancer.ingress = [LoadBalancerIngress { $0.ip = "203.0.113.9" }]
        let rules = makeRules([service], [makeSlice([makeEndpoint("10.244.0.5")])])
        let external = try #require(verdict(rules, "service-nodeports", "tcp . 30080"))
        #expect(verdict(rules, "service-ips", "198.51.100.7 . tcp . 80") == external)
        #expect(verdict(rules, "service-ips", "203.0.113.9 . tcp . 80") == external)
        #expect(try #require(chain(rules, "external-")).first == "jump mark-for-masquerade")
        expectGolden(rules.fullScript(), "load-balancer.nft")
    }

    @Test func `policy Local keeps to this node and drops when nothing is here`() throws {
        let service = makeService {
            $0.type = "NodePort"
            $0.ports[0].nodePort = 30080
            $0.externalTrafficPolicy = "Local"
            $0.internalTrafficPolicy = "Local"
        }
        let here = makeRules([service], [makeSlice([makeEndpoint("10.244.0.5"), makeEndpoint("10.244.1.6", node: "n2")])])
        #expect(verdict(here)?.hasPrefix("goto local-") == true)
        #expect(try #require(chain(here, "local-")).last?.hasSuffix("__10.244.0.5/8080") == true)
        #expect(try #require(chain(here, "external-")).count == 4)
        let elsewhere = makeRules([service], [makeSlice([makeEndpoint("10.244.1.6", node: "n2")])])
        #expect(verdict(elsewhere) == nil)
        #expect(verdict(elsewhere, "no-endpoint-services") == "drop")
        #expect(verdict(elsewhere, "no-endpoint-nodeports", "tcp . 30080") == "drop")
        expectGolden(here.fullScript(), "policy-local.nft")
    }

    private func firewall(_ rules: Ruleset) -> [String] {
        let fixed: Set = ["firewall-check", "firewall-prerouting", "firewall-output"]
        return rules.chains.first { $0.key.hasPrefix("firewall-") && !fixed.contains($0.key) }?.value.rules ?? []
    }

    @Test func `a load balancer's addresses answer only clients of the ranges given`() throws {
        let service = makeService {
            $0.type = "LoadBalancer"
            $0.externalIPs = ["198.51.100.1"]
            $0.loadBalancerSourceRanges = [" 203.0.113.0/24", "192.0.2.0/24"]
        }
        var balanced = service
        balanced.status.loadBalancer.ingress = [LoadBalancerIngress { $0.ip = "203.0.113.80" }]
        var node = testNode
        let outside = makeRules([balanced], [makeSlice([makeEndpoint("10.244.0.5")])], node: node)
        #expect(outside.elements["firewall-ips"]?.members.keys.sorted() == ["203.0.113.80 . tcp . 80"])
        #expect(firewall(outside) == ["ip saddr != { 203.0.113.0/24, 192.0.2.0/24 } drop"])
        node.address = IPAddress(192, 0, 2, 9)
        let inside = makeRules([balanced], [makeSlice([makeEndpoint("10.244.0.5")])], node: node)
        #expect(firewall(inside).first?.contains("192.0.2.0/24, 203.0.113.80 }") == true)
        var open = balanced
        open.spec.loadBalancerSourceRanges = ["203.0.113.0/24", "0.0.0.0/0"]
        #expect(makeRules([open], [makeSlice([makeEndpoint("10.244.0.5")])]).elements["firewall-ips"]?.members.isEmpty == true)
        #expect(makeRules([service], []).elements["firewall-ips"]?.members.isEmpty == true)
    }

    @Test func `endpoints that name this node are preferred when all name some`() throws {
        func hinted(_ address: String, _ nodes: [String]) -> Endpoint {
            var endpoint = makeEndpoint(address)
            endpoint.hints = EndpointHints { $0.forNodes = nodes.map { name in ForNode { $0.name = name } } }
            return endpoint
        }
        func targets(_ endpoints: [Endpoint]) -> Int {
            makeRules([makeService()], [makeSlice(endpoints)]).chains.keys.count { $0.hasPrefix("endpoint-") && $0 != "endpoint-check" }
        }
        #expect(targets([hinted("10.244.0.5", ["n1"]), hinted("10.244.1.5", ["n2"])]) == 1)
        #expect(targets([hinted("10.244.0.5", ["n3"]), hinted("10.244.1.5", ["n2"])]) == 2)
        #expect(targets([hinted("10.244.0.5", ["n1"]), makeEndpoint("10.244.1.5")]) == 2)
    }

    @Test func `session affinity remembers the client`() {
        let service = makeService {
            $0.sessionAffinity = "ClientIP"
            $0.sessionAffinityConfig = SessionAffinityConfig { $0.clientIP = ClientIPConfig { $0.timeoutSeconds = 60 } }
        }
        let rules = makeRules([service], [makeSlice([makeEndpoint("10.244.0.5"), makeEndpoint("10.244.0.6")])])
        #expect(rules.dynamicSets.count == 2)
        #expect(rules.dynamicSets.values.allSatisfy { $0.contains("timeout 60s") })
        expectGolden(rules.fullScript(), "affinity.nft")
    }

    @Test func `headless Services and external names have no rules`() {
        let headless = makeService {
            $0.clusterIP = "None"; $0.clusterIPs = ["None"]
        }
        let named = makeService {
            $0.type = "ExternalName"; $0.externalName = "example.com"
        }
        let empty = makeRules([], [])
        #expect(makeRules([headless], [makeSlice([makeEndpoint("10.244.0.5")])]) == empty)
        #expect(makeRules([named], []) == empty)
    }

    @Test func `an update touches only what has changed`() {
        let other = makeService("other") {
            $0.clusterIP = "10.96.0.21"; $0.clusterIPs = ["10.96.0.21"]
        }
        let others = makeSlice(of: "other", [makeEndpoint("10.244.0.9")])
        let old = makeRules([makeService(), other], [makeSlice([makeEndpoint("10.244.0.5"), makeEndpoint("10.244.0.6")]), others])
        let new = makeRules([makeService(), other], [makeSlice([makeEndpoint("10.244.0.6"), makeEndpoint("10.244.0.7")]), others])
        let script = new.updateScript(from: old)
        #expect(!script.contains("other"))
        #expect(!script.contains("add element"))
        #expect(new.updateScript(from: new).isEmpty)
        expectGolden(script, "update.nft")
    }

    @Test func `UDP flows to endpoints that are gone are forgotten`() {
        let service = makeService {
            $0.ports = [
                ServicePort {
                    $0.name = "dns"; $0.protocol = "UDP"; $0.port = 53
                }
            ]
        }
        func rules(_ addresses: [String], port: Int = 5353) -> Ruleset {
            makeRules([service], [makeSlice(port: port, transport: "UDP", portName: "dns", addresses.map { makeEndpoint($0) })])
        }
        let lost = ConntrackCleanup.staleFlows(from: rules(["10.244.0.5", "10.244.0.6"]), to: rules(["10.244.0.6"]))
        #expect(lost.map(\.arguments) == [["-D", "-p", "udp", "--dport", "53", "--orig-dst", "10.96.0.20", "--dst-nat", "10.244.0.5"]])
        let first = ConntrackCleanup.staleFlows(from: rules([]), to: rules(["10.244.0.6"]))
        #expect(first.map(\.arguments) == [["-D", "-p", "udp", "--dport", "53", "--orig-dst", "10.96.0.20"]])
        #expect(ConntrackCleanup.staleFlows(from: rules(["10.244.0.6"]), to: rules(["10.244.0.6", "10.244.0.7"])).isEmpty)
        let moved = ConntrackCleanup.staleFlows(from: rules(["10.244.0.6"]), to: rules(["10.244.0.6"], port: 53))
        #expect(moved.map(\.endpoint) == ["10.244.0.6"])
    }

    @Test func `bad objects do no harm`() {
        let service = makeService {
            $0.clusterIPs = ["nonsense", "10.96.0.20"]; $0.ports[0].protocol = "QUIC"; $0.externalIPs = ["x"]
        }
        let slice = makeSlice([makeEndpoint("not an address"), makeEndpoint("10.244.0.5")])
        #expect(makeRules([service], [slice]).chains.keys.allSatisfy { !$0.contains("__") })
    }
}
