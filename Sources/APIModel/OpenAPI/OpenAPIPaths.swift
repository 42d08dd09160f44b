import Schema
import Values

/// Renders the paths of kinds and of the server itself.
struct OpenAPIPaths {
    private let table: SchemaTable
    private var writer: OpenAPIOperationWriter
    private var items: [String: JSONObject] = [:]

    init(dialect: OpenAPIDialect, types: SchemaTable) {
        table = types
        writer = OpenAPIOperationWriter(dialect: dialect)
    }

    var sorted: [(String, JSONValue)] {
        items.sorted { $0.key < $1.key }.map { ($0.key, .object($0.value)) }
    }

    /// The types that the operations refer to.
    var types: Set<String> { writer.types }
    /// The parameters that operations of v2 share.
    var shared: JSONObject { writer.shared }

    private mutating func add(_ path: String, _ operations: [(method: String, operation: OpenAPIOperation)]) {
        guard !operations.isEmpty else { return }
        items[path] = writer.item(operations)
    }

    // MARK: Kinds

    mutating func add(_ kind: KindDescriptor, _ version: KindVersion) {
        let root = GroupVersionResource(group: kind.group, version: version.name, resource: kind.plural)
        let scope = kind.namespaced ? "{namespace}" : nil
        let subject = OpenAPISubject(kind: kind, version: version)
        add(root.path(namespace: scope), subject.collection())
        if kind.namespaced, kind.verbs.contains("list") { add(root.path(), [("get", subject.listEverywhere())]) }
        add(root.path(namespace: scope, name: "{name}"), subject.object())
        for sub in version.subresources ?? kind.subresources {
            let path = root.path(namespace: scope, name: "{name}", subresource: sub.name)
            var inner = subject
            inner.subresource = sub
            guard sub.isConnection else {
                add(path, inner.subresource(sub, query: sub.name == "log" ? query(Self.logOptions) : []))
                continue
            }
            let options = query(sub.typeName)
            add(path, inner.connections(sub, options, below: false))
            if sub.name == "proxy" { add(path + "/{path}", inner.connections(sub, options, below: true)) }
        }
        addWatches(subject, root, scope)
    }

    /// The old addresses of watches, which custom resources never had.
    private mutating func addWatches(_ subject: OpenAPISubject, _ root: GroupVersionResource, _ scope: String?) {
        guard !subject.kind.isCustom, subject.kind.verbs.contains("watch") else { return }
        let base = OpenAPI.path(of: GroupVersion(group: root.group, version: root.version))
        func watch(_ path: String) -> String { "/\(base)/watch" + path.dropFirst(base.utf8.count + 1) }
        if subject.kind.namespaced { add(watch(root.path()), [("get", subject.watch(.everywhere))]) }
        add(watch(root.path(namespace: scope)), [("get", subject.watch(.list))])
        add(watch(root.path(namespace: scope, name: "{name}")), [("get", subject.watch(.one))])
    }

    private static let logOptions = "io.k8s.api.core.v1.PodLogOptions"

    /// The fields of an options type, as parameters.
    private func query(_ name: String) -> [OpenAPIParameter] {
        guard let node = table.node(name) else { return [] }
        return node.fields.compactMap { field in
            guard !field.traits.contains(.typeMeta) else { return nil }
            let node = field.node.shape == .list ? field.node.element ?? field.node : field.node
            switch node.shape {
            case .string: return OpenAPIParameter(name: field.name, type: "string")
            case .boolean: return OpenAPIParameter(name: field.name, type: "boolean")
            case .integer: return OpenAPIParameter(name: field.name, type: "integer")
            default: return nil
            }
        }
    }

    // MARK: The server itself

    /// The path that tells what a group version serves.
    mutating func addResources(_ groupVersion: GroupVersion) {
        let identifier = OpenAPISubject.identifier(groupVersion.group)
        let id = "get\(identifier.capitalizedFirst)\(groupVersion.version.capitalizedFirst)APIResources"
        addDiscovery(OpenAPI.path(of: groupVersion), id, "\(identifier)_\(groupVersion.version)", "APIResourceList")
    }

    /// The path that tells the versions of a group.
    mutating func addVersions(_ group: String) {
        let identifier = OpenAPISubject.identifier(group)
        addDiscovery("apis/\(group)", "get\(identifier.capitalizedFirst)APIGroup", identifier, "APIGroup")
    }

    /// The path of a document of the server.
    mutating func add(_ page: OpenAPI.Page) {
        switch page {
        case .core: addDiscovery(page.rawValue, "getCoreAPIVersions", "core", "APIVersions")
        case .groups: addDiscovery(page.rawValue, "getAPIVersions", "apis", "APIGroupList")
        case .version:
            addText(page, "getCodeVersion", "version", "application/json", type: "io.k8s.apimachinery.pkg.version.Info")
        case .issuer: addText(page, "getServiceAccountIssuerOpenIDConfiguration", "WellKnown", "application/json")
        case .keys: addText(page, "getServiceAccountIssuerOpenIDKeyset", "openid", "application/jwk-set+json")
        }
    }

    private mutating func addDiscovery(_ path: String, _ id: String, _ tag: String, _ type: String) {
        var operation = OpenAPIOperation(id: id, tag: tag, returning: OpenAPISubject.meta + type)
        operation.consumes = OpenAPISubject.media
        operation.produces = OpenAPISubject.media
        add("/\(path)/", [("get", operation)])
    }

    private mutating func addText(_ page: OpenAPI.Page, _ id: String, _ tag: String, _ media: String, type: String? = nil) {
        var operation = OpenAPIOperation(id: id, tag: tag, returning: type)
        if type != nil { operation.consumes = [media] }
        operation.produces = [media]
        add("/\(page.rawValue)/", [("get", operation)])
    }
}

extension SubresourceDescriptor {
    /// Whether requests are passed on to a stream rather than answered with an object.
    fileprivate var isConnection: Bool { ["attach", "exec", "portforward", "proxy"].contains(name) }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
