import APIModel
import Access
import HTTPTransport
import Proxying
import Schema
import Units
import Values

/// `[scheme:]name[:port]`, how the proxy subresources name their target.
struct ProxyTarget: Sendable, Equatable {
    var scheme = "http"
    var name: String
    var port: String

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: (name, port) = (parts[0], "")
        case 2: (name, port) = (parts[0], parts[1])
        case 3: (scheme, name, port) = (parts[0].isEmpty ? "http" : parts[0], parts[1], parts[2])
        default: return nil
        }
        guard !name.isEmpty, scheme == "http" || scheme == "https" else { return nil }
    }
}

extension APIServer {
    /// Serves pods/proxy, services/proxy and nodes/proxy.
    func proxy(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let info = context.info
        guard let target = ProxyTarget(info.name) else {
            throw .badRequest("invalid \(view.descriptor.singular) request \(GoQuote.quote(info.name))")
        }
        let (prefix, path) = Self.split(info)
        // A page at "" would resolve its links one level too high.
        if path.isEmpty, ["GET", "HEAD"].contains(context.request.method), !context.request.isUpgrade {
            let query = context.request.query.isEmpty ? "" : "?\(context.request.query.encoded)"
            return HTTPResponse(status: 301, headers: ["Location": "\(info.path)/\(query)"])
        }
        _ = try await connect(view, context, ConnectOptions(proxying: view.descriptor.kind, path: path))
        let place = ProxyPlace(prefix: prefix, path: path.isEmpty ? "/" : path)
        switch info.resource {
        case "nodes": return try await nodeProxy(target, place, context)
        case "pods": return try await podProxy(view, target, place, context)
        default: return try await serviceProxy(view, target, place, context)
        }
    }

    /// The request's path up to and with `/proxy`, and what comes behind it, as the client wrote it.
    private static func split(_ info: RequestInfo) -> (prefix: String, path: String) {
        let parts = info.path.split(separator: "/", omittingEmptySubsequences: false)
        // `api`, the version, the resource, the name and `proxy`; a namespace adds two.
        var left = info.namespace.isEmpty ? 5 : 7
        for (index, part) in parts.enumerated() where !part.isEmpty {
            left -= 1
            guard left == 0 else { continue }
            let rest = parts[(index + 1)...]
            return (parts[...index].joined(separator: "/"), rest.isEmpty ? "" : "/" + rest.joined(separator: "/"))
        }
        return (info.path, "")
    }

    private func nodeProxy(
        _ target: ProxyTarget,
        _ place: ProxyPlace,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let endpoint = try await endpoint(ofNode: target.name)
        let address = try await ProxyableHost.address(of: endpoint.host)
        if target.port.isEmpty || target.port == "\(endpoint.port)" {
            return try await relay(
                context,
                endpoint: endpoint,
                path: place.path,
                query: context.request.query,
                redirects: .rewritten(prefix: place.prefix)
            )
        }
        guard let port = Int(target.port), (1...65535).contains(port) else {
            throw .badRequest("invalid node request \(GoQuote.quote(context.info.name))")
        }
        return try await dial(context, target.scheme, address, port, place)
    }

    private func podProxy(
        _ view: ResourceView,
        _ target: ProxyTarget,
        _ place: ProxyPlace,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let stored = try await view.engine.existing(namespace: context.info.namespace, name: target.name)
        let pod = try view.engine.tree(stored)
        let containers = pod.value(at: ["spec", "containers"])?.array ?? []
        let standard = containers.lazy.compactMap { $0["ports"]?.array?.first?["containerPort"]?.int }.first
        let port = Int(target.port) ?? standard.map(Int.init) ?? (target.scheme == "https" ? 443 : 80)
        let address = pod.value(at: ["status", "podIP"])?.string ?? ""
        return try await dial(context, target.scheme, address, port, place)
    }

    private func serviceProxy(
        _ view: ResourceView,
        _ target: ProxyTarget,
        _ place: ProxyPlace,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let namespace = context.info.namespace
        let stored = try await view.engine.existing(namespace: namespace, name: target.name)
        let service = try view.engine.tree(stored)
        var portName = target.port
        let ports = service.value(at: ["spec", "ports"])?.array ?? []
        if let number = Int64(target.port) {
            guard let port = ports.first(where: { $0["port"]?.int == number }) else {
                throw .serviceUnavailable("no service port \(number) found for service \(GoQuote.quote(target.name))")
            }
            portName = port["name"]?.string ?? ""
        } else if portName.isEmpty, ports.count == 1 {
            portName = ports[0]["name"]?.string ?? ""
        }
        guard let (address, port) = readyEndpoint(target.name, namespace, portName: portName) else {
            throw .serviceUnavailable("no endpoints available for service \(GoQuote.quote(context.info.name))")
        }
        return try await dial(context, target.scheme, address, port, place)
    }

    /// An endpoint of a service that is ready, and that is what it says: an address of the pod it names. An endpoint that
    /// somebody made up leads nowhere.
    private func readyEndpoint(_ service: String, _ namespace: String, portName: String) -> (String, Int)? {
        var found = endpoints(service, namespace, portName: portName)
        while !found.isEmpty {
            let one = found.remove(at: Int(environment.random.next() % UInt64(found.count)))
            guard one.target?["kind"]?.string == "Pod", let name = one.target?["name"]?.string,
                let pod = lookup.object(.core("pods"), namespace: one.target?["namespace"]?.string ?? namespace, name: name)
            else { continue }
            let addresses = pod.value(at: ["status", "podIPs"])?.array?.compactMap { $0["ip"]?.string } ?? []
            if addresses.contains(one.address) || pod.value(at: ["status", "podIP"])?.string == one.address {
                return (one.address, one.port)
            }
        }
        return nil
    }

    /// The endpoints of a service that are ready.
    func endpoints(_ service: String, _ namespace: String, portName: String) -> [ServiceEndpoint] {
        let slices = lookup.objects(GroupResource(group: "discovery.k8s.io", resource: "endpointslices"), namespace: namespace)
        var found: [ServiceEndpoint] = []
        for slice in slices {
            guard slice.value(at: ["metadata", "labels", "kubernetes.io/service-name"])?.string == service else { continue }
            let port = slice["ports"]?.array?.first { ($0["name"]?.string ?? "") == portName }?["port"]?.int
            guard let port else { continue }
            for endpoint in slice["endpoints"]?.array ?? [] where endpoint.value(at: ["conditions", "ready"])?.bool ?? true {
                guard let address = endpoint["addresses"]?.array?.first?.string else { continue }
                found.append(ServiceEndpoint(address: address, port: Int(port), target: endpoint["targetRef"]))
            }
        }
        return found
    }

    private func dial(
        _ context: RequestContext,
        _ scheme: String,
        _ address: String,
        _ port: Int,
        _ place: ProxyPlace
    ) async throws(APIError) -> HTTPResponse {
        // Nobody reaches the server's own interfaces or a cloud's metadata service through us.
        guard let parsed = IPAddress(address), parsed.isProxyable else { throw .badRequest("address not allowed") }
        guard (1...65535).contains(port) else { throw .badRequest("invalid port \(port)") }
        guard let serviceProxy else { throw .serviceUnavailable("this server has no way to reach pods and services") }
        let transport: any APITransport
        do { transport = try await serviceProxy.transport(scheme: scheme, host: address, port: port) } catch {
            throw .serviceUnavailable("error trying to reach service: \(error)")
        }
        let relay = Relay(
            path: place.path,
            query: context.request.query,
            redirects: .rewritten(prefix: place.prefix, host: parsed.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"),
            lasting: environment.metrics.lasting(context.info)
        )
        return try await relay.send(context.request, over: transport)
    }
}

/// Where a proxied request stands: the proxy's own path, and the path at the target.
struct ProxyPlace: Sendable {
    let prefix: String
    let path: String
}

/// One address of a service.
struct ServiceEndpoint: Sendable {
    let address: String
    let port: Int
    /// What it is an address of.
    let target: JSONValue?
}
