import APIClient
import APIModel
import Channels
import ClusterDNS
import ControllerRuntime
import Logging
import Units
import Values

/// The cluster's DNS on this node, and the Service that leads to it.
///
/// The server listens on a free port of the node's address; the service proxy carries queries for the cluster's DNS
/// address there, like those for any other Service.
struct DNSParts: Sendable {
    /// Writes the Service.
    let client: APIClient
    /// Sees Services and endpoints.
    let informers: SharedInformers
    /// Where the server listens.
    let nodeAddress: IPAddress
    /// The Service's address.
    let serviceAddress: IPAddress
    /// The cluster's domain.
    let domain: String

    private static let namespace = "kube-system"
    private static let name = "kube-dns"
    private static let retry = Duration.seconds(1)
    private static let services = GroupVersionResource(group: "", version: "v1", resource: "services")
    private static let slices = GroupVersionResource(group: "discovery.k8s.io", version: "v1", resource: "endpointslices")

    /// Serves until cancelled.
    func run() async throws {
        let resolvers = ResolverConfiguration(parsing: FileBytes.text("/etc/resolv.conf") ?? "")
        guard let zone = DNSName(domain) else { throw StartError(message: "\(domain) is no domain name") }
        let engine = QueryEngine(zone: DNSZone(domain: zone), upstream: Forwarder(servers: resolvers.servers.map { Forwarder.Server($0) }))
        let follower = ZoneFollower(engine, informers: informers)
        let server = DNSServer(engine: engine, addresses: [nodeAddress])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            group.addTask {
                // A name that is not known yet must not be denied: clients would believe it for a while.
                try await follower.waitForSync()
                try await publish(port: try await server.listeningPort())
            }
            try await group.waitForAll()
        }
    }

    /// Makes the Service and its endpoints, or brings them up to date.
    private func publish(port: Int) async throws {
        let logger = Logger(label: "cluster-dns")
        while true {
            do {
                try await ensure(Self.services, service)
                try await ensure(Self.slices, slice(port: port))
                logger.info("cluster DNS ready", metadata: ["address": "\(serviceAddress)", "endpoint": "\(nodeAddress):\(port)"])
                return
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning("the Service kube-dns could not be written", metadata: ["error": "\(error)"])
                try await Task.sleep(for: Self.retry)
            }
        }
    }

    private func ensure(_ resource: GroupVersionResource, _ object: JSONValue) async throws {
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        do {
            _ = try await client.create(resource, namespace: Self.namespace, object)
        } catch let error as APIError where error.code == 409 {
            _ = try await client.patch(resource, namespace: Self.namespace, name: name, type: .merge, object)
        }
    }

    private var service: JSONValue {
        [
            "apiVersion": "v1", "kind": "Service",
            "metadata": [
                "name": .string(Self.name), "namespace": .string(Self.namespace),
                "labels": ["k8s-app": .string(Self.name), "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"],
            ],
            "spec": [
                "type": "ClusterIP", "clusterIP": .string(serviceAddress.description),
                "ports": [
                    ["name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53],
                    ["name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53],
                ],
            ],
        ]
    }

    private func slice(port: Int) -> JSONValue {
        [
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": [
                "name": "kube-dns-apus", "namespace": .string(Self.namespace),
                "labels": ["kubernetes.io/service-name": .string(Self.name), "endpointslice.kubernetes.io/managed-by": "apus"],
            ],
            "addressType": .string(nodeAddress.isV4 ? "IPv4" : "IPv6"),
            "endpoints": [["addresses": [.string(nodeAddress.description)], "conditions": ["ready": true]]],
            "ports": [
                ["name": "dns", "port": .integer(Int64(port)), "protocol": "UDP"],
                ["name": "dns-tcp", "port": .integer(Int64(port)), "protocol": "TCP"],
            ],
        ]
    }
}
