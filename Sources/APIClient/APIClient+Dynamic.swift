import APIModel
import APITypes
import HTTPTransport
import Values

/// A list: its items and the resource version they are consistent with.
public struct ListResult<Item: Sendable>: Sendable {
    /// The items.
    public var items: [Item]
    /// The resource version of the list.
    public var resourceVersion: String
    /// The token of the next page; empty at the end.
    public var `continue`: String

    /// A list.
    public init(items: [Item], resourceVersion: String, continue token: String = "") {
        self.items = items
        self.resourceVersion = resourceVersion
        self.`continue` = token
    }
}

/// Access to any resource by its name, as JSON values.
extension APIClient {
    /// Reads one object.
    public func get(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        name: String,
        subresource: String? = nil
    ) async throws -> JSONValue {
        try await json(request("GET", resource, namespace, name, subresource))
    }

    /// Lists objects; `namespace` nil lists all namespaces.
    public func list(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        options: ListOptions = ListOptions()
    ) async throws -> ListResult<JSONValue> {
        let answer = try await json(request("GET", resource, namespace, nil, nil, query: Self.query(options)))
        let meta = answer["metadata"]
        let apiVersion = answer["apiVersion"]
        let kind = answer["kind"]?.string.map { String($0.hasSuffix("List") ? $0.dropLast(4) : Substring($0)) }
        let items = (answer["items"]?.array ?? []).compactMap { item -> JSONValue? in
            guard item.object != nil else { return nil }
            // items of a typed list leave these out
            var item = item
            if item["apiVersion"] == nil { item["apiVersion"] = apiVersion }
            if item["kind"] == nil, let kind { item["kind"] = .string(kind) }
            return item
        }
        return ListResult(
            items: items,
            resourceVersion: meta?["resourceVersion"]?.string ?? "",
            continue: meta?["continue"]?.string ?? ""
        )
    }

    /// Creates an object, or posts to a subresource of `name` (binding, eviction, token).
    public func create(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        name: String? = nil,
        subresource: String? = nil,
        _ object: JSONValue,
        options: WriteOptions = WriteOptions()
    ) async throws -> JSONValue {
        try await json(
            request("POST", resource, namespace, name, subresource, query: options.query, body: object.encoded())
        )
    }

    /// Replaces an object or its subresource.
    public func update(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        name: String,
        subresource: String? = nil,
        _ object: JSONValue,
        options: WriteOptions = WriteOptions()
    ) async throws -> JSONValue {
        try await json(
            request("PUT", resource, namespace, name, subresource, query: options.query, body: object.encoded())
        )
    }

    /// Patches an object or its subresource.
    public func patch(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        name: String,
        subresource: String? = nil,
        type: PatchType,
        _ patch: JSONValue,
        options: WriteOptions = WriteOptions()
    ) async throws -> JSONValue {
        var options = options
        if type == .apply, options.fieldManager.isEmpty { options.fieldManager = userAgent }
        return try await json(
            request(
                "PATCH",
                resource,
                namespace,
                name,
                subresource,
                query: options.query,
                body: patch.encoded(),
                contentType: type.rawValue
            )
        )
    }

    /// Deletes an object; returns what the server answers, the object or a status.
    @discardableResult
    public func delete(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        name: String,
        options: DeleteOptions = DeleteOptions()
    ) async throws -> JSONValue {
        try await json(request("DELETE", resource, namespace, name, nil, body: Self.body(options)))
    }

    /// Deletes every object that the options select.
    @discardableResult
    public func deleteCollection(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        selecting list: ListOptions = ListOptions(),
        options: DeleteOptions = DeleteOptions()
    ) async throws -> JSONValue {
        try await json(
            request("DELETE", resource, namespace, nil, nil, query: Self.query(list), body: Self.body(options))
        )
    }

    /// Watches from `options.resourceVersion` on. The stream ends when the server ends it and throws on `ERROR`
    /// (an `APIError`, `isExpired` when the version is too old) and when the connection breaks.
    public func watch(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        options: ListOptions
    ) async throws -> WatchStream {
        var query = Self.query(options)
        query.append("watch", "true")
        let request = request("GET", resource, namespace, nil, nil, query: query)
        let response = try await raw(request)
        guard response.isSuccess else {
            let bytes = try await response.body.collect(upTo: Self.responseLimit)
            throw APIClient.error(status: response.status, body: bytes, request: request)
        }
        return WatchStream(body: response.body)
    }

    /// A request for a resource.
    public func request(
        _ method: String,
        _ resource: GroupVersionResource,
        _ namespace: String?,
        _ name: String?,
        _ subresource: String?,
        query: QueryItems = QueryItems(),
        body: [UInt8] = [],
        contentType: String = "application/json"
    ) -> HTTPRequest {
        var headers: HeaderFields = ["Accept": "application/json"]
        if !body.isEmpty { headers.append("Content-Type", contentType) }
        let path = resource.path(
            namespace: namespace.map { PercentCoding.encoded($0) },
            name: name.map { PercentCoding.encoded($0) },
            subresource: subresource
        )
        return HTTPRequest(method: method, path: path, query: query, headers: headers, body: body)
    }

    static func query(_ options: ListOptions) -> QueryItems {
        QueryItems(options.queryItems.map { QueryItems.Item(name: $0.name, value: $0.value) })
    }

    private static func body(_ options: DeleteOptions) -> [UInt8] {
        if options.fields.isEmpty { return [] }
        var fields = options.fields
        fields["apiVersion"] = "v1"
        fields["kind"] = "DeleteOptions"
        return JSONValue.object(fields).encoded()
    }
}
