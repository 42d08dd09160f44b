import APIModel
import HTTPTransport
import Negotiation
import Values

/// `APIGroupDiscoveryList`: all of a server's resources in one document, with an ETag.
struct AggregatedDiscovery: Sendable {
    let items: JSONValue
    /// The items as they are sent.
    private let itemBytes: [UInt8]
    /// Changes exactly when the content does.
    private let tag: String

    init(_ groups: [DiscoveryGroup]) {
        self.init(items: .array(groups.map(AggregatedDiscovery.group)))
    }

    /// A document of groups that are at hand.
    init(items: JSONValue) {
        self.items = items
        itemBytes = Responses.discoveryItems(items)
        tag = "\"" + ContentHash.hex(itemBytes) + "\""
    }

    /// The version of the aggregated format a request accepts; nil when it wants the plain documents.
    static func version(asked request: HTTPRequest) -> String? {
        guard let accept = request.headers["accept"], accept.contains("APIGroupDiscoveryList") else { return nil }
        for clause in MediaClause.parse(request.headers.all("accept").joined(separator: ",")) {
            if clause.type == "application/json", clause.parameters["as"] == nil { return nil }
            guard clause.type == "application/json", clause.parameters["g"] == "apidiscovery.k8s.io",
                clause.parameters["as"] == "APIGroupDiscoveryList", let version = clause.parameters["v"],
                version == "v2" || version == "v2beta1"
            else { continue }
            return version
        }
        return nil
    }

    /// The document, or 304 when the client has it.
    func response(_ version: String, _ request: HTTPRequest) -> HTTPResponse {
        let type = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
        let headers: HeaderFields = [
            "Content-Type": type, "ETag": tag, "Vary": "Accept", "Cache-Control": "public",
        ]
        if request.headers.elements("if-none-match").contains(tag) { return HTTPResponse(status: 304, headers: headers) }
        let head = "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/\(version)\",\"metadata\":{},\"items\":"
        return HTTPResponse(status: 200, headers: headers, body: .bytes(Array(head.utf8) + itemBytes + Array("}\n".utf8)))
    }

    private static func group(_ group: DiscoveryGroup) -> JSONValue {
        var metadata: JSONValue = [:]
        if !group.name.isEmpty { metadata["name"] = .string(group.name) }
        let versions = group.versions.map { version -> JSONValue in
            let resources = version.kinds
                .map { resource($0.kind, $0.version, group: group.name) }
                .sorted { ($0["resource"]?.string ?? "") < ($1["resource"]?.string ?? "") }
            return ["version": .string(version.name), "resources": .array(resources), "freshness": "Current"]
        }
        return ["metadata": metadata, "versions": .array(versions)]
    }

    /// The kind of what a resource answers; upstream leaves out the group and version of built-in kinds where they are those of
    /// the resource itself.
    private static func responseKind(
        of kind: KindDescriptor,
        _ group: String,
        _ version: String,
        _ name: String,
        in place: (group: String, version: String)? = nil
    ) -> JSONValue {
        let isOwn = place.map { $0.group == group && $0.version == version } ?? true
        if isOwn, !kind.isCustom { return ["group": "", "version": "", "kind": .string(name)] }
        return ["group": .string(group), "version": .string(version), "kind": .string(name)]
    }

    private static func resource(_ kind: KindDescriptor, _ served: KindVersion, group: String) -> JSONValue {
        let version = served.name
        let listed = served.subresources ?? kind.subresources
        var json: JSONValue = [
            "resource": .string(kind.plural), "singularResource": .string(kind.singular),
            "scope": kind.namespaced ? "Namespaced" : "Cluster", "verbs": JSONValue(kind.announcedVerbs),
            "responseKind": responseKind(of: kind, group, version, kind.kind),
        ]
        if !kind.shortNames.isEmpty { json["shortNames"] = JSONValue(kind.shortNames) }
        if !kind.categories.isEmpty { json["categories"] = JSONValue(kind.categories) }
        guard !listed.isEmpty else { return json }
        let subresources = listed.map { sub -> JSONValue in
            let own = sub.kind.group == group
            let response = responseKind(of: kind, sub.kind.group, own ? version : sub.kind.version, sub.kind.kind, in: (group, version))
            return ["subresource": .string(sub.name), "verbs": JSONValue(sub.verbs.sorted()), "responseKind": response]
        }
        json["subresources"] = .array(
            kind.isCustom ? subresources : subresources.sorted { ($0["subresource"]?.string ?? "") < ($1["subresource"]?.string ?? "") }
        )
        return json
    }
}
