import Testing
import Values

@testable import APIServer

/// In which order a service is completed, given addresses and checked: as upstream's server does it.
@Suite struct ServiceAllocationTests {
    private static let services = "/api/v1/namespaces/default/services"

    private static func service(_ name: String, _ more: [String: JSONValue]) -> JSONValue { ServiceTests.service(name, more) }

    /// The causes of a refusal, as `field: message`.
    private static func causes(_ answer: TestCluster.Answer) -> [String] {
        (answer["details", "causes"]?.array ?? []).map { "\($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")" }
    }

    @Test func `what this cluster cannot give is said before all else`() async throws {
        try await withCluster { cluster in
            let dual = try await cluster.post(Self.services, Self.service("a", ["ipFamilyPolicy": "RequireDualStack", "ports": []]))
            #expect(
                Self.causes(dual) == [
                    "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services"
                ]
            )
            let other = try await cluster.post(Self.services, Self.service("a", ["ipFamilies": ["IPv6"], "sessionAffinity": "Bogus"]))
            #expect(Self.causes(other) == ["spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"])
            let two = try await cluster.post(
                Self.services,
                Self.service("a", ["ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4", "IPv6"]])
            )
            #expect(
                Self.causes(two) == [
                    "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": "
                        + "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
                ]
            )
            let six = try await cluster.post(Self.services, Self.service("a", ["clusterIP": "fd00::1"]))
            #expect(Self.causes(six) == ["spec.clusterIPs[0]: Invalid value: [\"fd00::1\"]: IPv6 is not configured on this cluster"])
            let open = try await cluster.post(Self.services, Self.service("o", ["clusterIP": "None", "selector": .null]))
            #expect(open["spec", "ipFamilies"] == ["IPv4", "IPv6"])
            #expect(open["spec", "ipFamilyPolicy"] == "RequireDualStack")
        }
    }

    @Test func `a refused service gives back what it was given`() async throws {
        try await withCluster { cluster in
            let spec: [String: JSONValue] = ["type": "NodePort", "clusterIP": "10.96.3.4", "ports": [["port": 80, "nodePort": 31234]]]
            let refused = try await cluster.post(Self.services, Self.service("a", spec.merging(["sessionAffinity": "Bogus"]) { $1 }))
            #expect(Self.causes(refused).map { $0.prefix(20) } == ["spec.sessionAffinity"])
            let made = try await cluster.post(Self.services, Self.service("a", spec))
            #expect(made.status == 201, "\(made.text)")
            let moved = try await cluster.patch(
                Self.services + "/a",
                ["spec": ["ports": [["port": 80, "nodePort": 31235]], "sessionAffinity": "Bogus"]]
            )
            #expect(moved.status == 422)
            #expect(
                try await cluster.post(Self.services, Self.service("b", ["type": "NodePort", "ports": [["port": 1, "nodePort": 31235]]]))
                    .status == 201
            )
        }
    }

    @Test func `a dry run is given what nobody has`() async throws {
        try await withCluster { cluster in
            let place = Self.services + "?dryRun=All"
            let made = try await cluster.post(place, Self.service("a", ["type": "NodePort"]))
            #expect(made["spec", "clusterIP"] == "10.96.0.0")
            #expect(made["spec", "ports", "0", "nodePort"] == 32769)
            let low = try await cluster.post(place, Self.service("a", ["type": "NodePort", "ports": [["port": 80, "nodePort": 80]]]))
            #expect(low.status == 201)
            let outside = try await cluster.post(place, Self.service("a", ["clusterIP": "192.168.0.1"]))
            #expect(outside.message.contains("is not in the valid range"))
        }
    }

    @Test func `ports of one number share a node port, and no pair is given twice`() async throws {
        try await withCluster { cluster in
            let ports: JSONValue = [
                ["name": "t", "port": 53, "protocol": "TCP"], ["name": "u", "port": 53, "protocol": "UDP"], ["name": "x", "port": 54],
            ]
            let made = try await cluster.post(Self.services, Self.service("a", ["type": "NodePort", "ports": ports]))
            let given = (made["spec", "ports"]?.array ?? []).map { $0["nodePort"]?.int ?? 0 }
            #expect(given.count == 3 && given[0] == given[1] && given[0] != given[2])
            var object = made.json
            object.set(
                [["name": "a", "port": 1, "nodePort": .integer(given[0])], ["name": "b", "port": 2, "nodePort": .integer(given[0])]],
                at: ["spec", "ports"]
            )
            let twice = try await cluster.put(Self.services + "/a", object)
            #expect(twice.status == 500)
            #expect(twice.message == "duplicate nodePort: {TCP \(given[0])}")
        }
    }

    @Test func `what a type does not use goes with the old one`() async throws {
        try await withCluster { cluster in
            let spec: [String: JSONValue] = ["type": "LoadBalancer", "externalTrafficPolicy": "Local"]
            let made = try await cluster.post(Self.services, Self.service("a", spec))
            #expect(made["spec", "healthCheckNodePort"]?.int ?? 0 >= 30000)
            let wide = try await cluster.patch(Self.services + "/a", ["spec": ["externalTrafficPolicy": "Cluster"]])
            #expect(wide.status == 200, "\(wide.text)")
            #expect(wide["spec", "healthCheckNodePort"] == nil)
            let plain = try await cluster.patch(Self.services + "/a", ["spec": ["type": "ClusterIP"]])
            #expect(plain.status == 200, "\(plain.text)")
            #expect(plain["spec", "externalTrafficPolicy"] == nil && plain["spec", "allocateLoadBalancerNodePorts"] == nil)
            #expect(plain["spec", "ports", "0", "nodePort"] == nil)
            let name = try await cluster.patch(Self.services + "/a", ["spec": ["type": "ExternalName", "externalName": "x.example"]])
            #expect(name.status == 200, "\(name.text)")
            #expect(name["spec", "clusterIP"] == nil && name["spec", "ipFamilies"] == nil)
        }
    }
}
