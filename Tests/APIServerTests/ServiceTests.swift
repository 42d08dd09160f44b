import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct ServiceTests {
    private static let services = "/api/v1/namespaces/default/services"

    static func service(_ name: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
        var spec: JSONValue = ["selector": ["app": "x"], "ports": [["port": 80, "targetPort": 8080, "protocol": "TCP"]]]
        for (key, value) in more { spec[key] = value }
        return ["metadata": ["name": .string(name)], "spec": spec]
    }

    @Test func `the kubernetes service exists from the start`() async throws {
        try await withCluster { cluster in
            let service = try await cluster.get(Self.services + "/kubernetes")
            #expect(service["spec", "clusterIP"] == "10.96.0.1")
            #expect(service["spec", "ports", "0", "port"] == 443)
            let endpoints = try await cluster.get("/api/v1/namespaces/default/endpoints/kubernetes")
            #expect(endpoints["subsets", "0", "addresses", "0", "ip"] == "192.168.1.1")
            let slice = try await cluster.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")
            #expect(slice["endpoints", "0", "addresses"] == ["192.168.1.1"])
            for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
                #expect(try await cluster.get("/api/v1/namespaces/\(name)").status == 200)
            }
            #expect(
                try await cluster.get("/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical")["value"]
                    == 2_000_001_000
            )
        }
    }

    @Test func `addresses are given, refused when taken, and come back`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.services, Self.service("a"))
            #expect(first.status == 201, "\(first.text)")
            let address = first["spec", "clusterIP"]?.string ?? ""
            #expect(address.hasPrefix("10.96."))
            #expect(first["spec", "clusterIPs"] == [.string(address)])
            #expect(first["spec", "ipFamilies"] == ["IPv4"])
            let taken = try await cluster.post(Self.services, Self.service("b", ["clusterIP": .string(address)]))
            #expect(taken.status == 422)
            #expect(taken.message.contains("provided IP is already allocated"))
            let outside = try await cluster.post(Self.services, Self.service("b", ["clusterIP": "192.168.0.1"]))
            #expect(outside.message.contains("is not in the valid range"))
            _ = try await cluster.delete(Self.services + "/a")
            #expect(try await cluster.post(Self.services, Self.service("b", ["clusterIP": .string(address)])).status == 201)
            let headless = try await cluster.post(Self.services, Self.service("h", ["clusterIP": "None"]))
            #expect(headless["spec", "clusterIP"] == "None")
        }
    }

    @Test func `node ports are given, kept and refused when taken`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.services, Self.service("a", ["type": "NodePort"]))
            let port = first["spec", "ports", "0", "nodePort"]?.int ?? 0
            #expect((30000...32767).contains(port))
            let ports: JSONValue = [["port": 80, "nodePort": .integer(port)]]
            let taken = try await cluster.post(Self.services, Self.service("b", ["type": "NodePort", "ports": ports]))
            #expect(taken.status == 422)
            #expect(
                taken.message
                    == "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: \(port): provided port is already allocated"
            )
            let low: JSONValue = [["port": 80, "nodePort": 80]]
            let outside = try await cluster.post(Self.services, Self.service("b", ["type": "NodePort", "ports": low]))
            #expect(outside.message.contains("provided port is not in the valid range. The range of valid ports is 30000-32767"))
            let same = try await cluster.patch(Self.services + "/a", ["metadata": ["labels": ["x": "y"]]])
            #expect(same["spec", "ports", "0", "nodePort"]?.int == port)
            let plain = try await cluster.patch(Self.services + "/a", ["spec": ["type": "ClusterIP"]])
            #expect(plain.status == 200, "\(plain.text)")
            #expect(plain["spec", "ports", "0", "nodePort"] == nil)
            #expect(try await cluster.post(Self.services, Self.service("b", ["type": "NodePort", "ports": ports])).status == 201)
        }
    }

    @Test func `what is stored is taken again after a restart`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.services, Self.service("a", ["type": "NodePort"]))
            let objects = [first.json]
            let held = ServiceAddresses.Holding(first.json)
            let problems = cluster.server.services.repair(objects + objects)
            #expect(problems.count == 2)
            for address in held.addresses { #expect(cluster.server.services.take(address) == .conflict) }
            for port in held.ports { #expect(cluster.server.services.take(port) == .conflict) }
        }
    }
}
