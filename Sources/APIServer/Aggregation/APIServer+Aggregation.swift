import APIModel
import Access
import HTTPTransport
import Proxying
import Schema
import Units
import Values

extension APIServer {
    /// Passes a request on to the server of its group version. Nil when that is this one.
    func aggregated(_ request: HTTPRequest, _ info: RequestInfo, _ user: UserIdentity) async throws(APIError) -> HTTPResponse? {
        if aggregation.isEmpty { return nil }
        let groupVersion = info.isResource ? GroupVersion(group: info.group, version: info.version) : Self.groupVersion(request.path)
        guard let groupVersion, let api = aggregation.remote(group: groupVersion.group, version: groupVersion.version) else { return nil }
        guard api.isAvailable else { return Self.unavailable }
        return try await relayed(request, to: api, info, user)
    }

    /// Sends a request to the server of an APIService, in the name of `user`.
    func relayed(
        _ request: HTTPRequest,
        to api: RemoteAPI,
        _ info: RequestInfo,
        _ user: UserIdentity
    ) async throws(APIError) -> HTTPResponse {
        let place: (host: String, port: Int)
        do throws(APIError) { place = try resolve(api) } catch { return Self.unavailable }
        let identity = environment.configuration.frontProxy?.client()
        let transport: HTTPClient
        do {
            transport = try aggregation.transport(api, host: place.host, port: place.port, identity: identity)
        } catch {
            throw .internalError("\(error)")
        }
        let relay = Relay(
            path: request.path,
            query: request.query,
            identity: user,
            redirects: .refused,
            lasting: environment.metrics.lasting(info)
        )
        return try await relay.send(request, over: transport)
    }

    /// As upstream's proxy says it: plain text.
    private static var unavailable: HTTPResponse {
        HTTPResponse(
            status: 503,
            headers: ["Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"],
            body: .bytes(Array("service unavailable\n".utf8))
        )
    }

    /// The group version of `/apis/<group>/<version>`.
    private static func groupVersion(_ path: String) -> GroupVersion? {
        let parts = path.split(separator: "/")
        guard parts.count == 3, parts[0] == "apis" else { return nil }
        return GroupVersion(group: String(parts[1]), version: String(parts[2]))
    }

    /// Where the server of an APIService listens: a ready endpoint of its service, or the name an external one stands for.
    func resolve(_ api: RemoteAPI) throws(APIError) -> (host: String, port: Int) {
        guard let service = lookup.object(.core("services"), namespace: api.namespace, name: api.service) else {
            throw .notFound(.core("services"), api.service)
        }
        if service.value(at: ["spec", "type"])?.string == "ExternalName" {
            guard let name = service.value(at: ["spec", "externalName"])?.string, !name.isEmpty else {
                throw .serviceUnavailable("no external name for service \(GoQuote.quote(api.service))")
            }
            return (name, api.port)
        }
        let port = service.value(at: ["spec", "ports"])?.array?.first { $0["port"]?.int == Int64(api.port) }
        guard let port else {
            throw .serviceUnavailable("no service port \(api.port) found for service \(GoQuote.quote(api.service))")
        }
        let found = endpoints(api.service, api.namespace, portName: port["name"]?.string ?? "")
        guard !found.isEmpty else { throw .serviceUnavailable("no endpoints available for service \(GoQuote.quote(api.service))") }
        let chosen = found[Int(environment.random.next() % UInt64(found.count))]
        return (chosen.address, chosen.port)
    }
}
