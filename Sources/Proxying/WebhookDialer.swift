import APIModel
import Access
import CustomResources
import HTTPTransport
import Synchronization
import Units
import Values

/// Reaches webhooks: at an address of their own, or behind a service of the cluster. Keeps one client per webhook; guarded
/// by its mutex.
public final class WebhookDialer: Sendable {
    /// One webhook, as far as connections to it are concerned.
    public struct Target: Hashable, Sendable {
        /// Where it listens.
        public var place: ConversionWebhook.Place
        /// Whom its certificate is checked against, as PEM; the system's authorities when empty.
        public var authorities: String

        /// A webhook at `place`.
        public init(place: ConversionWebhook.Place, authorities: String) {
            self.place = place
            self.authorities = authorities
        }
    }

    /// Why a webhook did not answer.
    public struct Problem: Error {
        /// What happened.
        public var message: String
    }

    private static let maxClients = 128
    private static let answerLimit = 16 << 20
    private static let timeout = Duration.seconds(30)
    private let lookup: @Sendable () -> any ClusterLookup
    private let clients = Mutex<[Key: HTTPClient]>([:])

    private struct Key: Hashable {
        let host: String
        let port: Int
        let name: String
        let authorities: String
    }

    /// Calls webhooks, finding services with `lookup`.
    public init(lookup: @escaping @Sendable () -> any ClusterLookup) { self.lookup = lookup }

    private func lookup(_ resource: GroupResource, _ namespace: String, _ name: String?) -> [JSONValue] {
        let lookup = lookup()
        guard let name else { return lookup.objects(resource, namespace: namespace) }
        return [lookup.object(resource, namespace: namespace, name: name)].compactMap { $0 }
    }

    /// Posts JSON to a webhook and reads its answer.
    public func post(_ body: JSONValue, to target: Target) async throws(Problem) -> JSONValue {
        let route = try route(target.place)
        var request = HTTPRequest(method: "POST", path: route.path, body: body.encoded())
        request.query = QueryItems(parsing: "timeout=30s")
        request.headers.append("Content-Type", "application/json")
        request.headers.append("Accept", "application/json, */*")
        do {
            let client = try client(route, target.authorities)
            let response = try await client.send(request)
            let bytes = try await response.body.collect(upTo: Self.answerLimit)
            guard (200..<300).contains(response.status) else {
                throw Problem(message: Self.words(response.status, bytes))
            }
            return try JSONParser.parse(bytes)
        } catch let problem as Problem {
            throw problem
        } catch let error as JSONParseError {
            throw Problem(message: "couldn't decode the answer: \(error.message)")
        } catch {
            throw Problem(message: "Post \"\(route.url)?timeout=30s\": \(error)")
        }
    }

    private static func words(_ status: Int, _ bytes: [UInt8]) -> String {
        if status == 404 { return "the server could not find the requested resource" }
        let text = String(decoding: bytes.prefix(2048), as: UTF8.self)
        return "an error on the server (\"\(text.isEmpty ? "unknown" : text)\") has prevented the request from succeeding"
    }

    private struct Route {
        var host: String
        var port: Int
        /// The name the certificate must carry.
        var name: String
        var path: String
        var url: String
    }

    private func route(_ place: ConversionWebhook.Place) throws(Problem) -> Route {
        switch place {
        case .url(let text):
            guard let address = WebAddress(text) else { throw Problem(message: "invalid URL \(text)") }
            let (host, port) = address.hostAndPort
            let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            let path = address.path.isEmpty ? "/" : address.path
            return Route(host: bare, port: port ?? 443, name: bare, path: path, url: text)
        case .service(let namespace, let name, let path, let port):
            let end = try endpoint(namespace, name, port)
            let full = path.hasPrefix("/") ? path : "/" + path
            let host = "\(name).\(namespace).svc"
            return Route(host: end.host, port: end.port, name: host, path: full, url: "https://\(host):\(port)\(full)")
        }
    }

    /// A ready endpoint of a service, or its own address when it has none we know of.
    private func endpoint(_ namespace: String, _ name: String, _ port: Int) throws(Problem) -> (host: String, port: Int) {
        guard let service = lookup(.core("services"), namespace, name).first else {
            throw Problem(message: "service \"\(name)\" not found")
        }
        let ports = service.value(at: ["spec", "ports"])?.array ?? []
        guard let chosen = ports.first(where: { $0["port"]?.int == Int64(port) }) else {
            throw Problem(message: "no service port \(port) found for service \"\(name)\"")
        }
        if service.value(at: ["spec", "type"])?.string == "ExternalName" {
            return (service.value(at: ["spec", "externalName"])?.string ?? "", port)
        }
        let slices = lookup(GroupResource(group: "discovery.k8s.io", resource: "endpointslices"), namespace, nil)
        for slice in slices {
            guard slice.value(at: ["metadata", "labels", "kubernetes.io/service-name"])?.string == name else { continue }
            let own = slice["ports"]?.array?.first { ($0["name"]?.string ?? "") == (chosen["name"]?.string ?? "") }
            guard let number = own?["port"]?.int else { continue }
            for end in slice["endpoints"]?.array ?? [] where end.value(at: ["conditions", "ready"])?.bool ?? true {
                if let address = end["addresses"]?.array?.first?.string { return (address, Int(number)) }
            }
        }
        throw Problem(message: "no endpoints available for service \"\(name)\"")
    }

    private func client(_ route: Route, _ authorities: String) throws -> HTTPClient {
        let key = Key(host: route.host, port: route.port, name: route.name, authorities: authorities)
        if let known = clients.withLock({ $0[key] }) { return known }
        let tls = TLSClient(caPEM: authorities.isEmpty ? nil : authorities, serverName: route.name)
        var configuration = HTTPClientConfiguration(address: .tcp(host: route.host, port: route.port), tls: tls)
        configuration.authority = route.name
        configuration.limits.responseHead = Self.timeout
        let made = try HTTPClient(configuration: configuration)
        return clients.withLock { clients in
            if let known = clients[key] { return known }
            if clients.count >= Self.maxClients { clients.removeAll() }
            clients[key] = made
            return made
        }
    }

    /// Closes all connections.
    public func shutDown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { await client.shutDown() }
    }
}
