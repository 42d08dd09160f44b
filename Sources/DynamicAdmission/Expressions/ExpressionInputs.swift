import APIModel
import Access
import CEL
import Values

/// What expressions are evaluated about: one request as one policy or webhook sees it.
///
/// Source: apiserver/pkg/admission/plugin/cel/activation.go, condition.go.
public struct ExpressionInputs: Sendable {
    /// `object`; nil is null.
    public var object: JSONValue?
    /// `oldObject`; nil is null.
    public var oldObject: JSONValue?
    /// `request`.
    public var request: JSONValue
    /// `params`; nil is null.
    public var params: JSONValue?
    /// `namespaceObject`; nil is null.
    public var namespaceObject: JSONValue?
    /// `authorizer`.
    public var authorizer: RequestAuthorizer

    /// The inputs of a request.
    ///
    /// - Parameters:
    ///   - objects: The objects in the version that a rule matched, with what it matched.
    ///   - namespace: The namespace the request is in; nil at the cluster scope and for namespaces themselves.
    public init(
        _ request: AdmissionRequest,
        objects: VersionedObjects,
        params: JSONValue? = nil,
        namespace: JSONValue? = nil,
        authorizer: RequestAuthorizer
    ) {
        object = objects.object
        oldObject = objects.oldObject
        self.request = Self.request(request, objects.matched)
        self.params = params
        namespaceObject = namespace.map(Self.visible)
        self.authorizer = authorizer
    }

    /// `request`: empty texts are absent.
    static func request(_ request: AdmissionRequest, _ matched: MatchedResource) -> JSONValue {
        var object: JSONValue = [
            "kind": kind(matched.kind), "resource": resource(matched.resource), "requestKind": kind(request.kind),
            "requestResource": resource(request.resource), "operation": .string(request.operation.rawValue),
            "userInfo": user(request.user), "dryRun": .bool(request.isDryRun), "options": request.options ?? .null,
        ]
        let texts = [
            ("subResource", request.subresource), ("requestSubResource", request.subresource), ("name", request.objectName),
            ("namespace", request.objectNamespace),
        ]
        for (field, text) in texts where !text.isEmpty { object[field] = .string(text) }
        return object
    }

    private static func kind(_ kind: GroupVersionKind) -> JSONValue {
        ["group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind)]
    }

    private static func resource(_ resource: GroupVersionResource) -> JSONValue {
        ["group": .string(resource.group), "version": .string(resource.version), "resource": .string(resource.resource)]
    }

    private static func user(_ user: UserIdentity) -> JSONValue {
        var object: JSONValue = [:]
        if !user.name.isEmpty { object["username"] = .string(user.name) }
        if !user.uid.isEmpty { object["uid"] = .string(user.uid) }
        if !user.groups.isEmpty { object["groups"] = .array(user.groups.map { .string($0) }) }
        guard !user.extra.isEmpty else { return object }
        let extra = user.extra.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.array($0.value.map { .string($0) })) }
        object["extra"] = .object(JSONObject(extra))
        return object
    }

    private static let visibleMetadata: Set<String> = [
        "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "labels", "annotations", "finalizers",
    ]

    /// What expressions may see of a namespace.
    private static func visible(_ namespace: JSONValue) -> JSONValue {
        let metadata = (namespace["metadata"]?.object ?? [:]).filter { visibleMetadata.contains($0.key) }.map { ($0.key, $0.value) }
        return [
            "metadata": .object(JSONObject(metadata)), "spec": namespace["spec"] ?? [:], "status": namespace["status"] ?? [:],
        ]
    }
}
