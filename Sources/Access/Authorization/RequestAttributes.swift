import APIModel

/// What a request wants to do, as the authorizers see it.
public struct RequestAttributes: Sendable, Hashable {
    /// Who asks.
    public var user: UserIdentity
    /// `get`, `list`, `watch`, `create` … or, for a path that names no resource, the lower-cased method.
    public var verb: String
    /// Whether the request names a resource; otherwise only `path` counts.
    public var isResourceRequest: Bool
    /// The URL path.
    public var path: String
    /// The API group, empty for core.
    public var apiGroup: String
    /// The API version.
    public var apiVersion: String
    /// The plural resource.
    public var resource: String
    /// The subresource, or empty.
    public var subresource: String
    /// The namespace, or empty at the cluster scope.
    public var namespace: String
    /// The object's name, or empty.
    public var name: String
    /// The raw field selector of a list or watch.
    public var fieldSelector: String
    /// The raw label selector of a list or watch.
    public var labelSelector: String

    /// Attributes of a request for a resource.
    public init(
        user: UserIdentity,
        verb: String,
        apiGroup: String,
        apiVersion: String = "v1",
        resource: String,
        subresource: String = "",
        namespace: String = "",
        name: String = "",
        path: String = "",
        fieldSelector: String = "",
        labelSelector: String = ""
    ) {
        self.user = user
        self.verb = verb
        self.isResourceRequest = true
        self.path = path
        self.apiGroup = apiGroup
        self.apiVersion = apiVersion
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
        self.fieldSelector = fieldSelector
        self.labelSelector = labelSelector
    }

    /// Attributes of a request for a bare path.
    public init(user: UserIdentity, verb: String, path: String) {
        self.init(user: user, verb: verb, apiGroup: "", apiVersion: "", resource: "", path: path)
        isResourceRequest = false
    }

    /// `get`, `list` or `watch`.
    public var isReadOnly: Bool { verb == "get" || verb == "list" || verb == "watch" }

    /// The sentence a refusal tells the user.
    public var forbiddenMessage: String {
        guard isResourceRequest else { return "User \"\(user.name)\" cannot \(verb) path \"\(path)\"" }
        let what = subresource.isEmpty ? resource : "\(resource)/\(subresource)"
        let head = "User \"\(user.name)\" cannot \(verb) resource \"\(what)\" in API group \"\(apiGroup)\""
        return namespace.isEmpty ? "\(head) at the cluster scope" : "\(head) in the namespace \"\(namespace)\""
    }

    /// The 403 for this request, with the authorizer's reason when it gave one.
    public func forbidden(reason: String) -> APIError {
        let detail = reason.isEmpty ? forbiddenMessage : "\(forbiddenMessage): \(reason)"
        return .forbidden(GroupResource(group: apiGroup, resource: resource), name, detail)
    }
}
