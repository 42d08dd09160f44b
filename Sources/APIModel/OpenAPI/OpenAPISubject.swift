/// What operations are about: a version of a kind, or a subresource of it. Makes the operations.
struct OpenAPISubject {
    let kind: KindDescriptor
    let version: KindVersion
    var subresource: SubresourceDescriptor?

    static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1."
    static let media = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
    private static let streamed = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]
    private static let plainMedia = ["application/json", "application/yaml"]
    private static let patches = [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ]

    /// The scope of a watch.
    enum Watched {
        case one, list, everywhere
    }

    // MARK: Names

    /// A group as operations and tags name it: `apps`, `rbacAuthorization`, `exampleCom`.
    static func identifier(_ group: String) -> String {
        guard !group.isEmpty else { return "core" }
        let trimmed = group.hasSuffix(".k8s.io") ? String(group.dropLast(7)) : group
        var out = ""
        var capitalizes = false
        for character in trimmed {
            if character.isLetter || character == "_" || (!out.isEmpty && character.isNumber) {
                out += capitalizes ? character.uppercased() : String(character)
                capitalizes = false
            } else {
                capitalizes = true
            }
        }
        return out
    }

    private var typeName: String { OpenAPIClosure.name(kind, version) }
    private var gvk: GroupVersionKind { GroupVersionKind(group: kind.group, version: version.name, kind: kind.kind) }
    private var prefix: String { Self.identifier(kind.group).capitalizedFirst + version.name.capitalizedFirst }

    /// `readCoreV1NamespacedPod`, as generated clients have it; with the method of a connection
    /// `connectCoreV1GetNamespacedPodExec`.
    private func id(_ verb: String, _ method: String = "") -> String {
        let scope = kind.namespaced ? "Namespaced" : ""
        return "\(verb)\(prefix)\(method)\(scope)\(kind.kind)\(subresource?.name.capitalizedFirst ?? "")"
    }

    // MARK: Parameters

    private static func strings(_ names: String...) -> [OpenAPIParameter] { names.map { OpenAPIParameter(name: $0, type: "string") } }

    private static let writeQuery = strings("dryRun", "fieldManager", "fieldValidation")
    private static let deleteQuery =
        strings("dryRun", "propagationPolicy") + [
            OpenAPIParameter(name: "gracePeriodSeconds", type: "integer"), OpenAPIParameter(name: "orphanDependents", type: "boolean"),
            OpenAPIParameter(name: "ignoreStoreReadErrorWithClusterBreakingPotential", type: "boolean"),
        ]
    private static let selectQuery =
        strings("continue", "fieldSelector", "labelSelector", "resourceVersion", "resourceVersionMatch", "shardSelector") + [
            OpenAPIParameter(name: "limit", type: "integer"), OpenAPIParameter(name: "sendInitialEvents", type: "boolean"),
            OpenAPIParameter(name: "timeoutSeconds", type: "integer"),
        ]
    private static let listQuery =
        selectQuery + [OpenAPIParameter(name: "allowWatchBookmarks", type: "boolean"), OpenAPIParameter(name: "watch", type: "boolean")]

    private var objectPath: [OpenAPIParameter] { scopePath + [.path("name")] }
    private var scopePath: [OpenAPIParameter] { kind.namespaced ? [.path("namespace")] : [] }

    // MARK: Operations

    private func operation(_ id: String, _ action: String, _ parameters: [OpenAPIParameter], returning: String?) -> OpenAPIOperation {
        var about = gvk
        // The scale of a custom resource is documented as one of its own operations.
        if let sub = subresource?.kind, !kind.isCustom, sub.group != gvk.group || sub.kind != gvk.kind { about = sub }
        var operation = OpenAPIOperation(id: id, tag: "\(Self.identifier(kind.group))_\(version.name)", returning: returning)
        operation.parameters = parameters + [.pretty]
        operation.produces = kind.isCustom ? Self.plainMedia : Self.media
        operation.consumes = kind.isCustom ? Self.plainMedia : ["*/*"]
        operation.action = (action, about)
        return operation
    }

    private func list(_ id: String, _ path: [OpenAPIParameter]) -> OpenAPIOperation {
        var operation = operation(id, "list", path + Self.listQuery, returning: "\(typeName)List")
        if !kind.isCustom { operation.produces += Self.streamed }
        return operation
    }

    private func write(_ verb: String, _ action: String, _ path: [OpenAPIParameter], _ type: String) -> OpenAPIOperation {
        var operation = operation(id(verb), action, path + Self.writeQuery, returning: type)
        operation.body = OpenAPIOperation.Body(type: type, isRequired: true)
        operation.codes.append(("201", "Created"))
        if action == "post" { operation.codes.append(("202", "Accepted")) }
        return operation
    }

    private func patch(_ type: String) -> OpenAPIOperation {
        var operation = write("patch", "patch", objectPath + [OpenAPIParameter(name: "force", type: "boolean")], type)
        operation.body = OpenAPIOperation.Body(type: Self.meta + "Patch", isRequired: true)
        operation.consumes = Self.patches
        guard kind.isCustom else { return operation }
        operation.consumes.removeAll { $0.contains("strategic") }
        operation.codes = [("200", "OK")]
        return operation
    }

    private func read(_ type: String?) -> OpenAPIOperation {
        let query = kind.isCustom ? Self.strings("resourceVersion") : []
        return operation(id("read"), "get", objectPath + query, returning: type)
    }

    /// What is answered with itself when it is deleted.
    private static let returned = Set(
        [
            "": ["persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas", "services", "serviceaccounts"],
            "storage.k8s.io": ["csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"],
            "resource.k8s.io": ["deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"],
        ].flatMap { group, plurals in plurals.map { GroupResource(group: group, resource: $0) } }
    )

    private func delete() -> OpenAPIOperation {
        let type = Self.returned.contains(kind.groupResource) ? typeName : Self.meta + "Status"
        var operation = operation(id("delete"), "delete", objectPath + Self.deleteQuery, returning: type)
        operation.body = OpenAPIOperation.Body(type: Self.meta + "DeleteOptions", isRequired: false)
        operation.codes.append(("202", "Accepted"))
        return operation
    }

    private func deleteCollection() -> OpenAPIOperation {
        let id = "delete\(prefix)Collection\(kind.namespaced ? "Namespaced" : "")\(kind.kind)"
        let query = kind.isCustom ? Self.listQuery : Self.selectQuery + Self.deleteQuery
        var operation = operation(id, "deletecollection", scopePath + query, returning: Self.meta + "Status")
        if !kind.isCustom { operation.body = OpenAPIOperation.Body(type: Self.meta + "DeleteOptions", isRequired: false) }
        return operation
    }

    // MARK: Items

    func collection() -> [(method: String, operation: OpenAPIOperation)] {
        var item: [(method: String, operation: OpenAPIOperation)] = []
        if kind.verbs.contains("list") { item.append(("get", list(id("list"), scopePath))) }
        if kind.verbs.contains("create") { item.append(("post", write("create", "post", scopePath, typeName))) }
        if kind.verbs.contains("deletecollection") { item.append(("delete", deleteCollection())) }
        return item
    }

    func listEverywhere() -> OpenAPIOperation { list("list\(prefix)\(kind.kind)ForAllNamespaces", []) }

    func object() -> [(method: String, operation: OpenAPIOperation)] {
        var item: [(method: String, operation: OpenAPIOperation)] = []
        if kind.verbs.contains("get") { item.append(("get", read(typeName))) }
        if kind.verbs.contains("update") { item.append(("put", write("replace", "put", objectPath, typeName))) }
        if kind.verbs.contains("patch") { item.append(("patch", patch(typeName))) }
        if kind.verbs.contains("delete") { item.append(("delete", delete())) }
        return item
    }

    func subresource(_ sub: SubresourceDescriptor, query: [OpenAPIParameter]) -> [(method: String, operation: OpenAPIOperation)] {
        let isOwn = sub.typeName.isEmpty || sub.kind.group == kind.group && sub.kind.kind == kind.kind
        let type = OpenAPIOldTypes.name(of: sub.kind) ?? (isOwn ? typeName : sub.typeName)
        var item: [(method: String, operation: OpenAPIOperation)] = []
        if sub.verbs.contains("get") {
            var read = read(sub.name == "log" ? nil : type)
            read.parameters += query
            if sub.name == "log" { read.produces.insert("text/plain", at: 0) }
            item.append(("get", read))
        }
        if sub.verbs.contains("update") { item.append(("put", write("replace", "put", objectPath, type))) }
        if sub.verbs.contains("patch") { item.append(("patch", patch(type))) }
        if sub.verbs.contains("create") {
            var create = write("create", "post", objectPath, type)
            // The wish to return is not answered with itself.
            if sub.name == "rollback" { create.returning = Self.meta + "Status" }
            item.append(("post", create))
        }
        return item
    }

    private static let proxied = ["get", "put", "post", "delete", "options", "head", "patch"]

    /// The operations of a stream; `below` is for what is under a proxy's path.
    func connections(
        _ sub: SubresourceDescriptor,
        _ query: [OpenAPIParameter],
        below: Bool
    ) -> [(method: String, operation: OpenAPIOperation)] {
        let methods = sub.name == "proxy" ? Self.proxied : ["get", "post"]
        return methods.map { method in
            var name = id("connect", method.capitalizedFirst)
            if below { name += "WithPath" }
            var connect = operation(name, "connect", [], returning: nil)
            connect.parameters = objectPath + query + (below ? [.path("path")] : [])
            connect.produces = ["*/*"]
            return (method, connect)
        }
    }

    func watch(_ watched: Watched) -> OpenAPIOperation {
        let (name, action, path): (String, String, [OpenAPIParameter]) =
            switch watched {
            case .one: (id("watch"), "watch", objectPath)
            case .list: (id("watch") + "List", "watchlist", scopePath)
            case .everywhere: ("watch\(prefix)\(kind.kind)ListForAllNamespaces", "watchlist", [])
            }
        var operation = operation(name, action, path + Self.listQuery, returning: Self.meta + "WatchEvent")
        operation.produces += Self.streamed
        return operation
    }
}
