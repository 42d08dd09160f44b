import APIModel
import Values

/// Everything discovery tells, made once from the kinds being served.
struct DiscoveryDocuments: Sendable {
    let core: AggregatedDiscovery
    let groups: AggregatedDiscovery
    /// `/api`
    let legacyCore: JSONValue
    /// `/apis`
    let legacyGroups: JSONValue
    private let documents: [String: JSONValue]

    init(_ kinds: [KindDescriptor]) {
        let groups = DiscoveryGroup.all(kinds)
        let named = groups.filter { !$0.name.isEmpty }
        core = AggregatedDiscovery(groups.filter { $0.name.isEmpty })
        self.groups = AggregatedDiscovery(named)
        legacyCore = [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": ""]],
        ]
        legacyGroups = ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(named.map { $0.json })]
        var documents: [String: JSONValue] = [:]
        for group in groups {
            if !group.name.isEmpty {
                var json = group.json
                json["kind"] = "APIGroup"
                json["apiVersion"] = "v1"
                documents["/apis/\(group.name)"] = json
            }
            for version in group.versions {
                let path = group.name.isEmpty ? "/api/\(version.name)" : "/apis/\(group.name)/\(version.name)"
                documents[path] = version.resourceList(group: group.name)
            }
        }
        self.documents = documents
    }

    /// The document of `/api/v1`, `/apis/<group>` or `/apis/<group>/<version>`.
    func resources(_ path: String) -> JSONValue? { documents[path] }

    /// What `/` lists.
    var paths: [String] {
        let fixed = [
            "/.well-known/openid-configuration", "/api", "/apis", "/metrics", "/metrics/slis", "/openapi/v2", "/openapi/v3",
            "/openid/v1/jwks",
            "/version",
        ]
        return (fixed + HealthChecks.paths + documents.keys).sorted()
    }
}

/// A group with its served versions, the preferred one first.
struct DiscoveryGroup: Sendable {
    struct Version: Sendable {
        let name: String
        let kinds: [(kind: KindDescriptor, version: KindVersion)]
    }

    let name: String
    let versions: [Version]

    /// The groups of the kinds, in upstream's order. Clients take the first that has a short name.
    static func all(_ kinds: [KindDescriptor]) -> [DiscoveryGroup] {
        let order = Set(kinds.map(\.group)).map { (priority: Int64(APIServicePriority.ofGroup($0)), name: $0) }
            .sorted { APIServicePriority.precedes($0, $1) }.map(\.name)
        return order.map { name in
            let members = kinds.filter { $0.group == name }
            var versions: [String] = []
            for kind in members {
                for version in kind.versions where version.served && !versions.contains(version.name) {
                    versions.append(version.name)
                }
            }
            versions.sort { VersionOrder.precedes($0, $1) }
            return DiscoveryGroup(
                name: name,
                versions: versions.map { version in
                    Version(
                        name: version,
                        kinds: members.compactMap { kind in
                            guard let found = kind.version(version), found.served else { return nil }
                            return (kind, found)
                        }
                    )
                }
            )
        }.filter { !$0.versions.isEmpty }
    }

    /// The group as `/apis` lists it.
    var json: JSONValue {
        func entry(_ version: String) -> JSONValue {
            ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
        }
        return [
            "name": .string(name), "versions": .array(versions.map { entry($0.name) }),
            "preferredVersion": entry(versions.first?.name ?? ""),
        ]
    }
}

/// Upstream's order of versions: stable before beta before alpha, newer before older.
enum VersionOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let a = rank(left)
        let b = rank(right)
        return a == b ? left < right : b.lexicographicallyPrecedes(a)
    }

    private static func rank(_ version: String) -> [Int] {
        guard version.first == "v" else { return [0, 0, 0] }
        var rest = version.dropFirst()
        let major = Int(rest.prefix(while: \.isNumber)) ?? 0
        rest = rest.drop(while: \.isNumber)
        if rest.isEmpty { return [3, major, 0] }
        let minor = Int(rest.drop { !$0.isNumber }) ?? 0
        return [rest.hasPrefix("beta") ? 2 : 1, major, minor]
    }
}

extension DiscoveryGroup.Version {
    /// The APIResourceList of this version.
    func resourceList(group: String) -> JSONValue {
        var entries: [JSONValue] = []
        for (kind, version) in kinds.sorted(by: { $0.kind.plural < $1.kind.plural }) {
            entries.append(DiscoveryEntry.resource(kind))
            for subresource in version.subresources ?? kind.subresources {
                entries.append(DiscoveryEntry.subresource(subresource, of: kind, in: name))
            }
        }
        // Subresources of custom resources come in the order of their definition: status, scale.
        if !kinds.contains(where: \.kind.isCustom) { entries.sort { ($0["name"]?.string ?? "") < ($1["name"]?.string ?? "") } }
        let groupVersion = group.isEmpty ? name : "\(group)/\(name)"
        var list: JSONValue = [
            "kind": "APIResourceList", "groupVersion": .string(groupVersion), "resources": .array(entries),
        ]
        if !group.isEmpty { list["apiVersion"] = "v1" }
        return list
    }
}

/// Entries of an APIResourceList.
enum DiscoveryEntry {
    static func resource(_ kind: KindDescriptor) -> JSONValue {
        var entry: JSONValue = [
            "name": .string(kind.plural), "singularName": .string(kind.singular), "namespaced": .bool(kind.namespaced),
            "kind": .string(kind.kind), "verbs": JSONValue(kind.announcedVerbs),
        ]
        if !kind.shortNames.isEmpty { entry["shortNames"] = JSONValue(kind.shortNames) }
        if !kind.categories.isEmpty { entry["categories"] = JSONValue(kind.categories) }
        if !kind.storageVersionHash.isEmpty { entry["storageVersionHash"] = .string(kind.storageVersionHash) }
        return entry
    }

    static func subresource(_ subresource: SubresourceDescriptor, of kind: KindDescriptor, in version: String) -> JSONValue {
        var entry: JSONValue = [
            "name": .string("\(kind.plural)/\(subresource.name)"), "singularName": "", "namespaced": .bool(kind.namespaced),
            "kind": .string(subresource.kind.kind), "verbs": JSONValue(subresource.verbs.sorted()),
        ]
        // A scale says which one it is, even where it is of the workload's own group.
        if subresource.kind.group != kind.group || subresource.name == "scale" {
            entry["group"] = .string(subresource.kind.group)
            entry["version"] = .string(subresource.kind.version)
        }
        return entry
    }
}

extension KindDescriptor {
    /// The verbs as discovery lists them: upstream sorts those of built-in kinds and leaves those of custom resources.
    var announcedVerbs: [String] { isCustom ? verbs : verbs.sorted() }
}
