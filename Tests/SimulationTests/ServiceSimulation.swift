import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

func webService(_ name: String = "web", selector: [String: String] = ["app": "web"]) -> Service {
    var service = Service(name: name, namespace: "default")
    service.spec.selector = selector
    service.spec.ports = [
        ServicePort {
            $0.name = "http"
            $0.port = 80
            $0.protocol = "TCP"
            $0.targetPort = .string("http")
        }
    ]
    return service
}

@Suite(.serialized) struct ServiceSimulation {
    func slices(_ cluster: SimulatedCluster, _ service: String) async throws -> [EndpointSlice] {
        let options = ListOptions(labelSelector: "kubernetes.io/service-name=\(service)")
        return try await cluster.client.list(EndpointSlice.self, namespace: "default", options: options).items
    }

    @Test func `endpoints and slices follow the pods of a service`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webService())
            try await cluster.wait("an empty slice") { try await slices(cluster, "web").count == 1 }
            try await cluster.client.create(webDeployment(3))
            try await cluster.wait("three ready endpoints") {
                try await slices(cluster, "web").flatMap(\.endpoints).count { $0.conditions.ready == true } == 3
            }
            let slice = try #require(try await slices(cluster, "web").first)
            #expect(slice.ports.first?.port == 8080)
            #expect(slice.endpoints.allSatisfy { $0.zone == "z1" && $0.nodeName != nil })
            try await cluster.wait("endpoints") {
                let endpoints = try await cluster.client.get(Endpoints.self, namespace: "default", name: "web")
                return endpoints.subsets.first?.addresses.count == 3
            }
            let pods = try await cluster.pods("app=web")
            try await cluster.client.delete(Pod.self, namespace: "default", name: try #require(pods.first).name)
            try await cluster.wait("the removed pod left") {
                let addresses = try await slices(cluster, "web").flatMap(\.endpoints).flatMap(\.addresses)
                return addresses.count == 3 && !addresses.contains(pods.first?.status.podIP ?? "")
            }
            try await cluster.client.delete(Service.self, namespace: "default", name: "web")
            try await cluster.wait("slices and endpoints collected") {
                let left = try await slices(cluster, "web")
                let endpoints = try await cluster.exists(Endpoints.self, "web")
                return left.isEmpty && !endpoints
            }
        }
    }

    @Test func `endpoints written by hand are mirrored`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webService("ext", selector: [:]))
            var endpoints = Endpoints(name: "ext", namespace: "default")
            endpoints.subsets = [
                EndpointSubset {
                    $0.addresses = [EndpointAddress { $0.ip = "192.0.2.7" }]
                    $0.ports = [
                        EndpointPort {
                            $0.name = "http"; $0.port = 8080; $0.protocol = "TCP"
                        }
                    ]
                }
            ]
            try await cluster.client.create(endpoints)
            try await cluster.wait("mirrored") {
                try await slices(cluster, "ext").first?.endpoints.first?.addresses == ["192.0.2.7"]
            }
            try await cluster.client.delete(Endpoints.self, namespace: "default", name: "ext")
            try await cluster.wait("mirror removed") { try await slices(cluster, "ext").isEmpty }
        }
    }
}
