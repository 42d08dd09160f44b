import APIModel
import Access
import HTTPTransport
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
        switch info.resource {
        case "nodes": return try await nodeProxy(target, context)
        case "pods": return try await podProxy(view, target, context)
        default: return try await serviceProxy(view, target, context)
        }
    }

    /// The path behind `/proxy`, as the client wrote it.
    private static func path(_ info: RequestInfo) -> String {
        guard let range = info.path.firstRange(of: "/proxy") else { return "/" }
        let rest = info.path[range.upperBound...]
        return rest.isEmpty ? "/" : String(rest)
    }

    private func nodeProxy(_ target: ProxyTarget, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let endpoint = try await endpoint(ofNode: target.name)
        if target.port.isEmpty || target.port == "\(endpoint.port)" {
            return try await relay(context, node: target.name, path: Self.path(context.info), query: context.request.query)
        }
        guard let port = Int(target.port), (1...65535).contains(port) else {
            throw .badRequest("invalid node request \(GoQuote.quote(context.info.name))")
        }
        return try await dial(context, target.scheme, endpoint.host, port)
    }

    private func podProxy(
        _ view: ResourceView,
        _ target: ProxyTarget,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let stored = try await view.engine.existing(namespace: context.info.namespace, name: target.name)
        let pod = try view.engine.tree(stored)
        let containers = pod.value(at: ["spec", "containers"])?.array ?? []
        let standard = containers.lazy.compactMap { $0["ports"]?.array?.first?["containerPort"]?.int }.first
        let port = Int(target.port) ?? standard.map(Int.init) ?? (target.scheme == "https" ? 443 : 80)
        let address = pod.value(at: ["status", "podIP"])?.string ?? ""
        return try await dial(context, target.scheme, address, port)
    }

    private func serviceProxy(
        _ view: ResourceView,
        _ target: ProxyTarget,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let namespace = context.info.namespace
        let stored = try await view.engine.existing(namespace: namespace, name: target.name)
        let service = try view.engine.tree(stored)
        let ports = service.value(at: ["spec", "ports"])?.array ?? []
        let chosen = ports.first { port in
            if target.port.isEmpty { return true }
            return port["name"]?.string == target.port || port["port"]?.int.map(String.init) == target.port
        }
        guard let chosen, target.port.isEmpty == false || ports.count == 1 else {
            throw .serviceUnavailable("no service port \(GoQuote.quote(target.port)) found for service \(GoQuote.quote(target.name))")
        }
        guard let (address, port) = ready(target.name, namespace, portName: chosen["name"]?.string ?? "") else {
            throw .serviceUnavailable("no endpoints available for service \(GoQuote.quote(context.info.name))")
        }
        return try await dial(context, target.scheme, address, port)
    }

    /// An endpoint of a service that is ready.
    private func ready(_ service: String, _ namespace: String, portName: String) -> (String, Int)? {
        let slices = lookup.objects(GroupResource(group: "discovery.k8s.io", resource: "endpointslices"), namespace: namespace)
        var found: [(String, Int)] = []
        for slice in slices {
            guard slice.value(at: ["metadata", "labels", "kubernetes.io/service-name"])?.string == service else { continue }
            let port = slice["ports"]?.array?.first { ($0["name"]?.string ?? "") == portName }?["port"]?.int
            guard let port else { continue }
            for endpoint in slice["endpoints"]?.array ?? [] where endpoint.value(at: ["conditions", "ready"])?.bool ?? true {
                if let address = endpoint["addresses"]?.array?.first?.string { found.append((address, Int(port))) }
            }
        }
        guard !found.isEmpty else { return nil }
        return found[Int(environment.random.next() % UInt64(found.count))]
    }

    private func dial(
        _ context: RequestContext,
        _ scheme: String,
        _ address: String,
        _ port: Int
    ) async throws(APIError) -> HTTPResponse {
        // Nobody reaches the server's own interfaces or a cloud's metadata service through us.
        guard let parsed = IPAddress(address), !parsed.isLoopback, !parsed.isLinkLocal, !parsed.isMulticast, !parsed.isUnspecified
        else { throw .badRequest("address not allowed") }
        guard (1...65535).contains(port) else { throw .badRequest("invalid port \(port)") }
        guard let serviceProxy else { throw .serviceUnavailable("this server has no way to reach pods and services") }
        let transport: any APITransport
        do { transport = try await serviceProxy.transport(scheme: scheme, host: address, port: port) } catch {
            throw .serviceUnavailable("error trying to reach service: \(error)")
        }
        return try await Relay.send(
            context.request,
            path: Self.path(context.info),
            query: context.request.query,
            over: transport,
            metrics: environment.metrics,
            info: context.info
        )
    }
}
