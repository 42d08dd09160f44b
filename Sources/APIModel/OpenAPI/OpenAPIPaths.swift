import Schema
import Values

/// Renders the operations on kinds.
struct OpenAPIPaths {
    let dialect: OpenAPIDialect
    private var items: [String: JSONObject] = [:]
    private static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1."
    private static let media = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
    private static let streamed = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]
    private static let patches = [
        "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    ]

    private static let plainMedia = ["application/json", "application/yaml"]
    private static let plainStreamed = ["application/json;stream=watch"]

    init(dialect: OpenAPIDialect) { self.dialect = dialect }

    /// A group as operations and tags name it: `apps`, `rbacAuthorization`, `exampleCom`.
    fileprivate static func identifier(_ group: String) -> String {
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

    var sorted: [(String, JSONValue)] {
        items.sorted { $0.key < $1.key }.map { ($0.key, .object($0.value)) }
    }

    /// What one operation is about.
    private struct Subject {
        let kind: KindDescriptor
        let version: KindVersion
        let typeName: String
        let gvk: GroupVersionKind
        let namespaced: Bool
        var subresource: SubresourceDescriptor?

        /// `CoreV1NamespacedPod`, as generated clients have it.
        var operation: String { operation("") }

        /// The same with the method of a connection: `CoreV1GetNamespacedPodExec`.
        func operation(_ method: String) -> String {
            let group = OpenAPIPaths.identifier(kind.group)
            let scope = namespaced ? "Namespaced" : ""
            let sub = subresource.map { $0.name.capitalizedFirst } ?? ""
            return "\(group.capitalizedFirst)\(version.name.capitalizedFirst)\(method)\(scope)\(kind.kind)\(sub)"
        }
    }

    mutating func add(_ kind: KindDescriptor, _ version: KindVersion) {
        let root = GroupVersionResource(group: kind.group, version: version.name, resource: kind.plural)
        let scope = kind.namespaced ? "{namespace}" : nil
        let subject = Subject(
            kind: kind,
            version: version,
            typeName: OpenAPIClosure.name(kind, version),
            gvk: GroupVersionKind(group: kind.group, version: version.name, kind: kind.kind),
            namespaced: kind.namespaced
        )
        addCollection(subject, root.path(namespace: scope))
        if kind.namespaced, kind.verbs.contains("list") {
            var everywhere = operation(subject, "list", "list", returning: "\(subject.typeName)List", listing: true)
            everywhere["parameters"] = nil
            let group = Self.identifier(kind.group)
            let prefix = "list\(group.capitalizedFirst)\(version.name.capitalizedFirst)"
            everywhere["operationId"] = .string("\(prefix)\(kind.kind)ForAllNamespaces")
            items[root.path()] = ["get": .object(everywhere), "parameters": parameters(Self.listQuery + [("pretty", "string")])]
        }
        addObject(subject, root.path(namespace: scope, name: "{name}"))
        for sub in version.subresources ?? kind.subresources {
            var inner = subject
            inner.subresource = sub
            addSubresource(inner, sub, root.path(namespace: scope, name: "{name}", subresource: sub.name))
        }
    }

    private mutating func addCollection(_ subject: Subject, _ path: String) {
        var item = JSONObject()
        let verbs = subject.kind.verbs
        if verbs.contains("list") {
            item["get"] = .object(
                operation(subject, "list", "list", returning: "\(subject.typeName)List", listing: true)
            )
        }
        if verbs.contains("create") {
            item["post"] = .object(
                operation(subject, "create", "post", returning: subject.typeName, body: subject.typeName, writing: true)
            )
        }
        if verbs.contains("deletecollection") {
            var delete = operation(
                subject,
                "delete",
                "deletecollection",
                returning: Self.meta + "Status",
                body: Self.meta + "DeleteOptions",
                query: Self.deleteCollectionQuery
            )
            let id = subject.operation
            let split = id.range(of: subject.namespaced ? "Namespaced" : subject.kind.kind)
            delete["operationId"] = .string("delete\(id[..<split])Collection\(id[split...])")
            item["delete"] = .object(delete)
        }
        guard !item.isEmpty else { return }
        item["parameters"] = parameters([("pretty", "string")], path: subject.namespaced ? ["namespace"] : [])
        items[path] = item
    }

    private mutating func addObject(_ subject: Subject, _ path: String) {
        var item = JSONObject()
        let verbs = subject.kind.verbs
        if verbs.contains("get") {
            item["get"] = .object(operation(subject, "read", "get", returning: subject.typeName))
        }
        if verbs.contains("update") {
            item["put"] = .object(
                operation(subject, "replace", "put", returning: subject.typeName, body: subject.typeName, writing: true)
            )
        }
        if verbs.contains("patch") {
            item["patch"] = .object(
                operation(subject, "patch", "patch", returning: subject.typeName, body: Self.meta + "Patch", writing: true)
            )
        }
        if verbs.contains("delete") {
            item["delete"] = .object(
                operation(
                    subject,
                    "delete",
                    "delete",
                    returning: Self.returned.contains(subject.kind.groupResource) ? subject.typeName : Self.meta + "Status",
                    body: Self.meta + "DeleteOptions",
                    query: Self.deleteQuery
                )
            )
        }
        guard !item.isEmpty else { return }
        item["parameters"] = parameters(
            [("pretty", "string")],
            path: subject.namespaced ? ["name", "namespace"] : ["name"]
        )
        items[path] = item
    }

    private mutating func addSubresource(_ subject: Subject, _ sub: SubresourceDescriptor, _ path: String) {
        let type = sub.typeName.isEmpty ? subject.typeName : sub.typeName
        var item = JSONObject()
        if sub.isConnection {
            for (verb, method) in [("get", "get"), ("create", "post"), ("update", "put"), ("delete", "delete")]
            where sub.verbs.contains(verb) {
                var connect = operation(subject, "connect", "connect", returning: nil)
                connect["operationId"] = .string("connect\(subject.operation(method.capitalizedFirst))")
                item[method] = .object(connect)
            }
        } else {
            if sub.verbs.contains("get") {
                item["get"] = .object(operation(subject, "read", "get", returning: sub.name == "log" ? nil : type))
            }
            if sub.verbs.contains("update") {
                item["put"] = .object(
                    operation(subject, "replace", "put", returning: type, body: type, writing: true)
                )
            }
            if sub.verbs.contains("patch") {
                item["patch"] = .object(
                    operation(subject, "patch", "patch", returning: type, body: Self.meta + "Patch", writing: true)
                )
            }
            if sub.verbs.contains("create") {
                item["post"] = .object(
                    operation(subject, "create", "post", returning: type, body: type, writing: true)
                )
            }
        }
        guard !item.isEmpty else { return }
        item["parameters"] = parameters(
            [("pretty", "string")],
            path: subject.namespaced ? ["name", "namespace"] : ["name"]
        )
        items[path] = item
    }

    // MARK: Operations

    private static let writeQuery = [("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")]
    private static let deleteQuery = [
        ("dryRun", "string"), ("gracePeriodSeconds", "integer"), ("orphanDependents", "boolean"),
        ("propagationPolicy", "string"),
    ]
    private static let deleteCollectionQuery = deleteQuery + listQuery.filter { !["allowWatchBookmarks", "watch"].contains($0.0) }
    /// What is answered with itself when it is deleted.
    private static let returned = Set(
        [
            "": ["persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas", "services", "serviceaccounts"],
            "storage.k8s.io": ["csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"],
            "resource.k8s.io": ["deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"],
        ].flatMap { group, plurals in plurals.map { GroupResource(group: group, resource: $0) } }
    )
    private static let listQuery = [
        ("allowWatchBookmarks", "boolean"), ("continue", "string"), ("fieldSelector", "string"),
        ("labelSelector", "string"), ("limit", "integer"), ("resourceVersion", "string"),
        ("resourceVersionMatch", "string"), ("sendInitialEvents", "boolean"), ("timeoutSeconds", "integer"),
        ("watch", "boolean"),
    ]

    private func operation(
        _ subject: Subject,
        _ verb: String,
        _ action: String,
        returning: String?,
        body: String? = nil,
        writing: Bool = false,
        listing: Bool = false,
        query extra: [(String, String)] = []
    ) -> JSONObject {
        var gvk = subject.subresource?.kind ?? subject.gvk
        if gvk.group == subject.gvk.group, gvk.kind == subject.gvk.kind { gvk = subject.gvk }
        let group = Self.identifier(subject.kind.group)
        let isCustom = subject.kind.isCustom
        let media = isCustom ? Self.plainMedia : Self.media
        let streamed = isCustom ? Self.plainStreamed : Self.streamed
        var query = extra
        if writing { query += Self.writeQuery }
        if action == "patch" { query.append(("force", "boolean")) }
        if listing { query += Self.listQuery }
        let patching = action == "patch"
        var out: JSONObject = [
            "operationId": .string("\(verb)\(subject.operation)"),
            "tags": [.string("\(group)_\(subject.version.name)")],
            "responses": responses(
                returning,
                action: action,
                media: listing ? media + streamed : media
            ),
            "x-kubernetes-action": .string(action),
            "x-kubernetes-group-version-kind": [
                "group": .string(gvk.group), "kind": .string(gvk.kind), "version": .string(gvk.version),
            ],
        ]
        var inputs = patching ? Self.patches : ["*/*"]
        if isCustom { inputs = patching ? Self.patches.dropLast() : media }
        switch dialect {
        case .v3:
            if let body {
                var request: JSONValue = ["content": content(body, inputs)]
                if writing { request["required"] = true }
                out["requestBody"] = request
            }
            out["parameters"] = parameters(query)
        case .v2:
            var list: [JSONValue] = []
            if let body {
                var parameter: JSONValue = ["in": "body", "name": "body", "schema": ["$ref": dialect.reference(body)]]
                if writing { parameter["required"] = true }
                list.append(parameter)
            }
            if case .array(let more) = parameters(query) { list += more }
            out["parameters"] = .array(list)
            out["consumes"] = JSONValue(inputs)
            out["produces"] = JSONValue(listing ? media + streamed : media)
            out["schemes"] = ["https"]
        }
        return out
    }

    private func content(_ type: String, _ media: [String]) -> JSONValue {
        .object(JSONObject(media.map { ($0, ["schema": ["$ref": dialect.reference(type)]]) }))
    }

    private static func codes(_ action: String) -> [(String, String)] {
        switch action {
        case "post": [("200", "OK"), ("201", "Created"), ("202", "Accepted")]
        case "put", "patch": [("200", "OK"), ("201", "Created")]
        case "delete": [("200", "OK"), ("202", "Accepted")]
        default: [("200", "OK")]
        }
    }

    private func responses(_ type: String?, action: String, media: [String]) -> JSONValue {
        var out: JSONObject = ["401": ["description": "Unauthorized"]]
        for (code, text) in Self.codes(action) {
            var response: JSONObject = ["description": .string(text)]
            switch (dialect, type) {
            case (.v3, let type?):
                response["content"] = content(type, media)
            case (.v3, nil): response["content"] = ["*/*": ["schema": ["type": "string"]]]
            case (.v2, let type?): response["schema"] = ["$ref": dialect.reference(type)]
            case (.v2, nil): response["schema"] = ["type": "string"]
            }
            out[code] = .object(response)
        }
        return .object(out)
    }

    private func parameters(_ query: [(String, String)], path: [String] = []) -> JSONValue {
        var list: [JSONValue] = path.map { parameter($0, "string", in: "path") }
        for (name, type) in query { list.append(parameter(name, type, in: "query")) }
        return .array(list)
    }

    private func parameter(_ name: String, _ type: String, in place: String) -> JSONValue {
        var out: JSONObject = ["in": .string(place), "name": .string(name)]
        if dialect == .v2 { out["uniqueItems"] = true }
        if place == "path" { out["required"] = true }
        if dialect == .v3 { out["schema"] = ["type": .string(type), "uniqueItems": true] } else { out["type"] = .string(type) }
        return .object(out)
    }
}

extension SubresourceDescriptor {
    /// Whether requests are passed on to a stream rather than answered with an object.
    fileprivate var isConnection: Bool { ["attach", "exec", "portforward", "proxy"].contains(name) }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }

    /// Where `text` begins; the end when it does not occur.
    fileprivate func range(of text: String) -> String.Index {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index }
            index = self.index(after: index)
        }
        return endIndex
    }
}
