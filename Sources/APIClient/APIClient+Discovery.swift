import APIModel
import HTTPTransport
import Values

/// One resource a server offers, as discovery lists it.
public struct DiscoveredResource: Sendable, Hashable {
    /// Group, version and plural name.
    public var resource: GroupVersionResource
    /// The kind of its objects.
    public var kind: String
    /// Whether its objects live in namespaces.
    public var namespaced: Bool
    /// What can be done with it.
    public var verbs: Set<String>
}

/// All a server offers, in each group's preferred version.
public struct Discovery: Sendable {
    /// The resources, without subresources.
    public var resources: [DiscoveredResource] = []
    /// Groups whose resources could not be listed, with the reason.
    public var failures: [String: String] = [:]

    /// Groups that hold nothing but old names for kinds of other groups: looking into them would show objects twice.
    public static let aliasGroups: Set<String> = ["extensions"]

    /// What can be deleted, and so concerns those who clean up.
    public var deletable: [DiscoveredResource] { resources.filter { $0.verbs.contains("delete") } }
}

extension APIClient {
    /// Asks which resources there are. A group that does not answer is noted and left out.
    public func discover() async throws -> Discovery {
        var discovery = Discovery()
        var versions: [(group: String, version: String)] = [("", "v1")]
        let groups = try await json(HTTPRequest(method: "GET", path: "/apis", headers: ["Accept": "application/json"]))
        for group in groups["groups"]?.array ?? [] {
            guard let name = group["name"]?.string, !Discovery.aliasGroups.contains(name) else { continue }
            let all = (group["versions"]?.array ?? []).compactMap { $0["version"]?.string }
            guard let preferred = group["preferredVersion"]?["version"]?.string ?? all.first else { continue }
            versions += ([preferred] + all.filter { $0 != preferred }).map { (name, $0) }
        }
        var seen: Set<GroupResource> = []
        for (group, version) in versions {
            let path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
            do {
                let list = try await json(HTTPRequest(method: "GET", path: path, headers: ["Accept": "application/json"]))
                for entry in list["resources"]?.array ?? [] {
                    guard let found = Self.discovered(entry, group: group, version: version),
                        seen.insert(GroupResource(group: group, resource: found.resource.resource)).inserted
                    else { continue }
                    discovery.resources.append(found)
                }
            } catch {
                discovery.failures["\(group)/\(version)"] = "\(error)"
            }
        }
        return discovery
    }

    private static func discovered(_ entry: JSONValue, group: String, version: String) -> DiscoveredResource? {
        guard let name = entry["name"]?.string, !name.utf8.contains(UInt8(ascii: "/")), let kind = entry["kind"]?.string else { return nil }
        return DiscoveredResource(
            resource: GroupVersionResource(group: group, version: version, resource: name),
            kind: kind,
            namespaced: entry["namespaced"]?.bool ?? false,
            verbs: Set((entry["verbs"]?.array ?? []).compactMap(\.string))
        )
    }
}
