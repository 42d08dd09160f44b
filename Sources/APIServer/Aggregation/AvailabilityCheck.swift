import APIModel
import Access
import HTTPTransport
import Schema
import Units
import Values

/// Finds out whether the server of an `APIService` is there and answers, in upstream's steps and words.
struct AvailabilityCheck: Sendable {
    let server: APIServer
    let api: RemoteAPI

    /// What was found.
    struct Finding: Sendable {
        var status: String
        var reason: String
        var message: String
        var discovered: AggregatedServices.Discovered?

        static func failed(_ reason: String, _ message: String) -> Finding { Finding(status: "False", reason: reason, message: message) }
    }

    private static let answerLimit = Duration.seconds(5)
    private static let longestAnswer = 4 << 20
    /// Who asks: the server itself, which may see everything.
    static let identity = UserIdentity(name: "system:kube-aggregator", groups: [UserIdentity.mastersGroup])

    func finding() async -> Finding {
        let place = "service/\(api.service) in \(GoQuote.quote(api.namespace))"
        guard let service = server.lookup.object(.core("services"), namespace: api.namespace, name: api.service) else {
            return .failed("ServiceNotFound", "\(place) is not present")
        }
        let type = service.value(at: ["spec", "type"])?.string ?? "ClusterIP"
        if type == "ClusterIP", let problem = endpointProblem(service, place) { return problem }
        do {
            let discovered = try await ask()
            return Finding(status: "True", reason: "Passed", message: "all checks passed", discovered: discovered)
        } catch let problem as CheckProblem {
            return .failed("FailedDiscoveryCheck", problem.words)
        } catch {
            return .failed("FailedDiscoveryCheck", "failing or missing response from \(address ?? api.path): \(error)")
        }
    }

    private func endpointProblem(_ service: JSONValue, _ place: String) -> Finding? {
        let port = service.value(at: ["spec", "ports"])?.array?.first { $0["port"]?.int == Int64(api.port) }
        guard let port else { return .failed("ServicePortError", "\(place) is not listening on port \(api.port)") }
        let name = port["name"]?.string ?? ""
        let slices = server.lookup.objects(GroupResource(group: "discovery.k8s.io", resource: "endpointslices"), namespace: api.namespace)
        let own = slices.filter { $0.value(at: ["metadata", "labels", "kubernetes.io/service-name"])?.string == api.service }
        guard !own.isEmpty else { return .failed("EndpointsNotFound", "cannot find endpointslices for \(place)") }
        guard !server.endpoints(api.service, api.namespace, portName: name).isEmpty else {
            return .failed("MissingEndpoints", "endpointslices for \(place) have no addresses with port name \(GoQuote.quote(name))")
        }
        return nil
    }

    private struct CheckProblem: Error {
        let words: String
    }

    private var address: String? {
        guard let place = try? server.resolve(api) else { return nil }
        return "https://\(place.host):\(place.port)\(api.path)"
    }

    /// What the server says it serves.
    private func ask() async throws -> AggregatedServices.Discovered {
        let place = try server.resolve(api)
        let shown = "https://\(place.host):\(place.port)\(api.path)"
        let identity = server.environment.configuration.frontProxy?.client()
        let client = try server.aggregation.transport(api, host: place.host, port: place.port, identity: identity)
        let (status, body) = try await get(api.path, client)
        guard (200..<300).contains(status) else { throw CheckProblem(words: "bad status from \(shown): \(status)") }
        let resources = (try? JSONParser.parse(body)).map { DiscoveryTranslation.resources($0, api.groupVersion) } ?? []
        return AggregatedServices.Discovered(resources: resources, documentHash: await documentHash(client))
    }

    private func get(_ path: String, _ client: HTTPClient) async throws -> (Int, [UInt8]) {
        let answer = try await get(path, client, tag: "")
        return (answer.status, answer.body)
    }

    /// Asks the server in the name of this one. `tag` names what is known already; empty for nothing.
    func get(_ path: String, _ client: HTTPClient, tag: String) async throws -> (status: Int, body: [UInt8], tag: String) {
        var request = HTTPRequest(path: path, headers: ["Accept": "application/json"], timeout: Self.answerLimit)
        request.headers.append("X-Remote-User", Self.identity.name)
        for group in Self.identity.groups { request.headers.append("X-Remote-Group", group) }
        if !tag.isEmpty { request.headers.append("If-None-Match", tag) }
        let response = try await client.send(request)
        return (response.status, try await response.body.collect(upTo: Self.longestAnswer), response.headers["etag"] ?? "")
    }

    private func documentHash(_ client: HTTPClient) async -> String? {
        guard let (status, body) = try? await get("/openapi/v3", client), status == 200,
            let index = try? JSONParser.parse(body),
            let url = index.value(at: ["paths", String(api.path.dropFirst()), "serverRelativeURL"])?.string
        else { return nil }
        return url.split(separator: "=", maxSplits: 1).count == 2 ? String(url.split(separator: "=", maxSplits: 1)[1]) : "0"
    }
}

/// Turns the plain resource list of another server into entries of aggregated discovery.
enum DiscoveryTranslation {
    private static let maxResources = 4096

    static func resources(_ list: JSONValue, _ groupVersion: GroupVersion) -> [JSONValue] {
        let entries = (list["resources"]?.array ?? []).prefix(maxResources)
        var found: [String: JSONValue] = [:]
        var order: [String] = []
        for entry in entries {
            guard let name = entry["name"]?.string, !name.contains("/") else { continue }
            var resource: JSONValue = [
                "resource": .string(name), "singularResource": entry["singularName"] ?? "",
                "scope": entry["namespaced"]?.bool == true ? "Namespaced" : "Cluster", "verbs": entry["verbs"] ?? [],
                "responseKind": kind(entry, groupVersion),
            ]
            for field in ["shortNames", "categories"] {
                if let value = entry[field], value.array?.isEmpty == false { resource[field] = value }
            }
            found[name] = resource
            order.append(name)
        }
        for entry in entries {
            let parts = (entry["name"]?.string ?? "").split(separator: "/", maxSplits: 1).map(String.init)
            guard parts.count == 2, var owner = found[parts[0]] else { continue }
            let own: JSONValue = [
                "subresource": .string(parts[1]), "verbs": entry["verbs"] ?? [], "responseKind": kind(entry, groupVersion),
            ]
            owner["subresources"] = .array((owner["subresources"]?.array ?? []) + [own])
            found[parts[0]] = owner
        }
        return order.compactMap { found[$0] }
    }

    private static func kind(_ entry: JSONValue, _ groupVersion: GroupVersion) -> JSONValue {
        func own(_ field: String, _ standard: String) -> JSONValue {
            let text = entry[field]?.string ?? ""
            return .string(text.isEmpty ? standard : text)
        }
        return ["group": own("group", groupVersion.group), "version": own("version", groupVersion.version), "kind": entry["kind"] ?? ""]
    }
}
