import APIModel
import CustomResources
import HTTPTransport
import Synchronization
import Values

/// Reaches webhooks: at an address of their own, or behind a service of the cluster. Keeps one client per webhook; guarded
/// by its mutex.
final class WebhookDialer: Sendable {
    /// One webhook, as far as connections to it are concerned.
    struct Target: Hashable, Sendable {
        var place: ConversionWebhook.Place
        var authorities: String
    }

    /// Why a webhook did not answer.
    struct Problem: Error {
        var message: String
    }

    private static let maxClients = 128
    private static let answerLimit = 16 << 20
    private static let timeout = Duration.seconds(30)
    private let resources: ServedResourcesBox
    private let clients = Mutex<[Key: HTTPClient]>([:])

    private struct Key: Hashable {
        let host: String
        let port: Int
        let name: String
        let authorities: String
    }

    init(resources: ServedResourcesBox) { self.resources = resources }

    private func lookup(_ resource: GroupResource, _ namespace: String, _ name: String?) -> [JSONValue] {
        let lookup = CacheLookup(resources: resources.value)
        guard let name else { return lookup.objects(resource, namespace: namespace) }
        return [lookup.object(resource, namespace: namespace, name: name)].compactMap { $0 }
    }

    /// Posts JSON to a webhook and reads its answer.
    func post(_ body: JSONValue, to target: Target) async throws(Problem) -> JSONValue {
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
    func shutDown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { await client.shutDown() }
    }
}

/// Converts the objects of a custom resource by asking its webhook.
struct WebhookConversion: RemoteConversion {
    let webhook: ConversionWebhook
    let dialer: WebhookDialer
    let uid: @Sendable () -> String

    /// So many objects are sent at once.
    private static let batch = 200

    func convert(_ objects: [JSONValue], to version: GroupVersion) async throws(APIError) -> [JSONValue] {
        var objects = objects
        let places = objects.indices.filter { objects[$0]["apiVersion"]?.string != version.apiVersion }
        var start = 0
        while start < places.count {
            let part = Array(places[start..<min(start + Self.batch, places.count)])
            let converted = try await ask(part.map { objects[$0] }, version)
            for (place, object) in zip(part, converted) { objects[place] = object }
            start += part.count
        }
        return objects
    }

    private func ask(_ objects: [JSONValue], _ version: GroupVersion) async throws(APIError) -> [JSONValue] {
        do throws(ConversionReview.Problem) {
            let review = try ConversionReview(
                objects,
                to: version.apiVersion,
                uid: uid(),
                accepted: webhook.reviewVersions
            )
            let target = WebhookDialer.Target(place: webhook.place, authorities: webhook.authorities)
            let answer: JSONValue
            do throws(WebhookDialer.Problem) {
                answer = try await dialer.post(review.request, to: target)
            } catch {
                throw review.failure(error.message)
            }
            return try review.converted(answer)
        } catch {
            throw APIError(code: 500, reason: "", message: error.message)
        }
    }
}
