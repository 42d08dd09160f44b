import APIModel
import HTTPTransport
import Negotiation
import Units
import Values

/// What the server publishes about group versions that others serve, beside its own.
extension APIServer {
    /// The answer to a path that tells of several group versions, when other servers have a part in it; else nil.
    func mergedDocument(_ path: String, _ request: HTTPRequest) async throws(APIError) -> HTTPResponse? {
        if aggregation.isEmpty { return nil }
        let apis = aggregation.apis.ordered
        switch path {
        case "/apis":
            if let version = AggregatedDiscovery.version(asked: request) {
                return AggregatedDiscovery(items: MergedGroups.aggregated(discovery.groups.items, apis, aggregation)).response(
                    version,
                    request
                )
            }
            var list = discovery.legacyGroups
            list["groups"] = .array(MergedGroups.plain(list["groups"]?.array ?? [], apis))
            var response = Responses.value(list, form: try ResponseForm.negotiate(request))
            response.headers.append("Vary", "Accept")
            return response
        case "/openapi/v2":
            // What a server said last stays while it is away.
            let documents = apis.compactMap { aggregation.document($0.groupVersion) }
            return try await document { openAPI.v2(request, $0, merging: documents) }
        case "/openapi/v3":
            let others = apis.compactMap { api in
                aggregation.discovered(api.groupVersion)?.documentHash.map { (path: String(api.path.dropFirst()), hash: $0) }
            }
            return openAPI.v3Index(request, resources, merging: others)
        default: break
        }
        if path.hasPrefix("/openapi/v3/apis/") { return try await remoteDocument(path, request) }
        let parts = path.split(separator: "/")
        guard parts.count == 2, parts[0] == "apis" else { return nil }
        let own = apis.filter { $0.groupVersion.group == parts[1] }
        guard !own.isEmpty else { return nil }
        let known = discovery.legacyGroups["groups"]?.array?.filter { $0["name"]?.string == String(parts[1]) } ?? []
        guard var group = MergedGroups.plain(known, own).first else { return nil }
        group["kind"] = "APIGroup"
        group["apiVersion"] = "v1"
        return Responses.value(group, form: try ResponseForm.negotiate(request))
    }

    private func remoteDocument(_ path: String, _ request: HTTPRequest) async throws(APIError) -> HTTPResponse? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count == 5, let api = aggregation.remote(group: parts[3], version: parts[4]) else { return nil }
        var info = RequestInfo(request)
        info.isResource = false
        return try await relayed(request, to: api, info, AvailabilityCheck.identity)
    }
}

/// Puts the groups of other servers among those served here.
enum MergedGroups {
    /// `/apis`, the plain form. It names servers that do not answer, too.
    static func plain(_ groups: [JSONValue], _ apis: [RemoteAPI]) -> [JSONValue] {
        var groups = groups
        let priorities = groupPriorities(apis)
        for api in apis {
            let entry: JSONValue = ["groupVersion": .string(api.groupVersion.apiVersion), "version": .string(api.groupVersion.version)]
            if let index = groups.firstIndex(where: { $0["name"]?.string == api.groupVersion.group }) {
                var versions = groups[index]["versions"]?.array ?? []
                guard !versions.contains(entry) else { continue }
                versions.append(entry)
                groups[index]["versions"] = .array(versions)
                continue
            }
            let group: JSONValue = ["name": .string(api.groupVersion.group), "versions": [entry], "preferredVersion": entry]
            groups.insert(group, at: place(api, among: groups.map { $0["name"]?.string ?? "" }, priorities))
        }
        return groups
    }

    /// `/apis`, the aggregated form. A server that does not answer is named with what it served last.
    static func aggregated(_ items: JSONValue, _ apis: [RemoteAPI], _ services: AggregatedServices) -> JSONValue {
        var groups = items.array ?? []
        let priorities = groupPriorities(apis)
        for api in apis {
            let found = services.discovered(api.groupVersion)
            var version: JSONValue = ["version": .string(api.groupVersion.version), "freshness": api.isAvailable ? "Current" : "Stale"]
            if let resources = found?.resources, !resources.isEmpty { version["resources"] = .array(resources) }
            if let index = groups.firstIndex(where: { $0.value(at: ["metadata", "name"])?.string == api.groupVersion.group }) {
                var versions = groups[index]["versions"]?.array ?? []
                guard !versions.contains(where: { $0["version"] == version["version"] }) else { continue }
                versions.append(version)
                groups[index]["versions"] = .array(versions)
                continue
            }
            let group: JSONValue = [
                "metadata": ["name": .string(api.groupVersion.group)], "versions": [version],
            ]
            let names = groups.map { $0.value(at: ["metadata", "name"])?.string ?? "" }
            groups.insert(group, at: place(api, among: names, priorities))
        }
        return .array(groups)
    }

    /// What other servers' groups say of themselves; a group counts as much as the version of it that counts most.
    private static func groupPriorities(_ apis: [RemoteAPI]) -> [String: Int64] {
        Dictionary(apis.map { ($0.groupVersion.group, $0.groupPriority) }, uniquingKeysWith: max)
    }

    /// Before the first group that matters less.
    private static func place(_ api: RemoteAPI, among names: [String], _ priorities: [String: Int64]) -> Int {
        let group = api.groupVersion.group
        let new = (priority: priorities[group] ?? api.groupPriority, name: group)
        return names.firstIndex {
            APIServicePriority.precedes(new, (priorities[$0] ?? Int64(APIServicePriority.ofGroup($0)), $0))
        } ?? names.count
    }
}
