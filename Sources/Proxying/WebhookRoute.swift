import APIModel
import Access
import CustomResources
import Values

/// What has to be known to call a webhook.
struct WebhookRoute: Sendable {
    /// The host of the webhook's address; of a service, its name in the cluster.
    let host: String
    let port: Int
    /// The name the certificate must carry.
    let name: String
    /// What is sent as `Host`.
    let authority: String
    let path: String
    /// As messages show it.
    let url: String
    private let service: (namespace: String, name: String)?

    private static let standardPort = 443

    init(_ place: WebhookEndpoint.Place) throws(WebhookDialer.Problem) {
        switch place {
        case .url(let text):
            guard let address = WebAddress(text) else { throw WebhookDialer.Problem(message: "Unparsable URL: \(text)", code: 500) }
            let (given, port) = address.hostAndPort
            host = given.hasPrefix("[") ? String(given.dropFirst().dropLast()) : given
            self.port = port ?? Self.standardPort
            name = host
            authority = address.host
            path = address.path.isEmpty ? "/" : address.path
            url = "\(address.scheme)://\(address.host)\(path)"
            service = nil
        case .service(let namespace, let name, let path, let port):
            host = "\(name).\(namespace).svc"
            self.port = port
            self.name = host
            authority = "\(host):\(port)"
            self.path = path.hasPrefix("/") ? path : "/" + path
            url = "https://\(authority)\(self.path)"
            service = (namespace, name)
        }
    }

    /// The address to connect to: a ready endpoint, where the webhook is behind a service.
    func place(_ lookup: any ClusterLookup) throws(WebhookDialer.Problem) -> (host: String, port: Int) {
        guard let (namespace, name) = service else { return (host, port) }
        guard let service = lookup.object(.core("services"), namespace: namespace, name: name) else {
            throw WebhookDialer.Problem(message: "service \"\(name)\" not found")
        }
        let ports = service.value(at: ["spec", "ports"])?.array ?? []
        guard let chosen = ports.first(where: { $0["port"]?.int == Int64(port) }) else {
            throw WebhookDialer.Problem(message: "no service port \(port) found for service \"\(name)\"")
        }
        if service.value(at: ["spec", "type"])?.string == "ExternalName" {
            return (service.value(at: ["spec", "externalName"])?.string ?? "", port)
        }
        let portName = chosen["name"]?.string ?? ""
        let slices = lookup.objects(GroupResource(group: "discovery.k8s.io", resource: "endpointslices"), namespace: namespace)
        for slice in slices {
            guard slice.value(at: ["metadata", "labels", "kubernetes.io/service-name"])?.string == name else { continue }
            let own = slice["ports"]?.array?.first { ($0["name"]?.string ?? "") == portName }
            guard let number = own?["port"]?.int else { continue }
            for end in slice["endpoints"]?.array ?? [] where end.value(at: ["conditions", "ready"])?.bool ?? true {
                if let address = end["addresses"]?.array?.first?.string { return (address, Int(number)) }
            }
        }
        throw WebhookDialer.Problem(message: "no endpoints available for service \"\(name)\"")
    }
}
