import APIClient
import APIModel
import APITypes
import Channels
import Logging
import Units

/// The Service `kube-dns` that leads to this server: pods ask its address, the service proxy brings them here.
public struct DNSService: Sendable {
    /// Where the Service lives.
    public static let namespace = "kube-system"
    /// What it is called.
    public static let name = "kube-dns"
    /// Who keeps the slices.
    private static let managedBy = "apus-dns"
    /// How long until a failed attempt is repeated, at first and at most.
    private static let backoff = RetryBackoff(base: .milliseconds(50), limit: .seconds(10))

    private let client: APIClient
    private let clusterIP: IPAddress
    private let nodeName: String
    private let clock: any ClusterClock
    private let log: Logger

    /// The Service with the cluster's DNS address, and a slice for this node.
    public init(
        client: APIClient,
        clusterIP: IPAddress,
        nodeName: String,
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "cluster-dns")
    ) {
        self.client = client
        self.clusterIP = clusterIP
        self.nodeName = nodeName
        self.clock = clock
        self.log = log
    }

    /// Makes the Service and the slice say where the server is; repeats until it has worked.
    public func publish(address: IPAddress, port: Int) async throws {
        var failures = 0
        while true {
            do {
                try await ensure(Self.service(clusterIP: clusterIP)) { $0.spec.clusterIP == clusterIP.description }
                var slice = Self.slice(nodeName: nodeName, address: address, port: port)
                slice.metadata.ownerReferences = [try await owner()]
                let wanted = slice
                try await ensure(wanted) {
                    $0.endpoints == wanted.endpoints && $0.ports == wanted.ports
                        && $0.metadata.ownerReferences == wanted.metadata.ownerReferences
                }
                return
            } catch let error where !(error is CancellationError) {
                if failures % 10 == 9 { log.warning("cannot publish the DNS service yet", metadata: ["error": "\(error)"]) }
                try await clock.sleep(for: Self.backoff.delay(failures: failures))
                failures += 1
            }
        }
    }

    /// The slice goes when the node goes.
    private func owner() async throws -> OwnerReference {
        let node = try await client.get(Node.self, name: nodeName)
        return OwnerReference {
            $0.apiVersion = "v1"
            $0.kind = "Node"
            $0.name = node.name
            $0.uid = node.uid
        }
    }

    private func ensure<T: APIObject>(_ wanted: T, isRight: (T) -> Bool) async throws {
        let found: T
        do {
            found = try await client.get(T.self, namespace: wanted.namespace, name: wanted.name)
        } catch let error as APIError where error.code == 404 {
            _ = try await client.create(wanted)
            return
        }
        if isRight(found) { return }
        var changed = wanted
        changed.metadata.resourceVersion = found.resourceVersion
        _ = try await client.update(changed)
    }

    /// The Service; without a selector, since no pod answers for it.
    public static func service(clusterIP: IPAddress) -> Service {
        var service = Service(name: name, namespace: namespace)
        service.metadata.labels = [
            "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
        ]
        service.spec.type = "ClusterIP"
        service.spec.clusterIP = clusterIP.description
        service.spec.clusterIPs = [clusterIP.description]
        service.spec.ports = [port("dns", "UDP"), port("dns-tcp", "TCP")]
        return service
    }

    private static func port(_ name: String, _ transport: String) -> ServicePort {
        ServicePort {
            $0.name = name
            $0.protocol = transport
            $0.port = 53
            $0.targetPort = .int(53)
        }
    }

    /// This node's endpoint.
    public static func slice(nodeName: String, address: IPAddress, port: Int) -> EndpointSlice {
        var slice = EndpointSlice(name: "\(name)-\(nodeName)", namespace: namespace)
        slice.metadata.labels = [
            "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": managedBy,
        ]
        slice.addressType = address.family
        slice.endpoints = [
            Endpoint {
                $0.addresses = [address.description]
                $0.conditions.ready = true
                $0.conditions.serving = true
                $0.conditions.terminating = false
                $0.nodeName = nodeName
                // A node's pods ask their own node while it answers.
                $0.hints = EndpointHints { $0.forNodes = [ForNode { $0.name = nodeName }] }
            }
        ]
        slice.ports = [("dns", "UDP"), ("dns-tcp", "TCP")].map { name, transport in
            DiscoveryEndpointPort {
                $0.name = name
                $0.protocol = transport
                $0.port = port
            }
        }
        return slice
    }
}
