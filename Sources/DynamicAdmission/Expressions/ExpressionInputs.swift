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
            "kind": ReviewMembers.kind(matched.kind), "resource": ReviewMembers.resource(matched.resource),
            "requestKind": ReviewMembers.kind(request.kind),
            "requestResource": ReviewMembers.resource(request.resource), "operation": .string(request.operation.rawValue),
            "userInfo": ReviewMembers.user(request.user), "dryRun": .bool(request.isDryRun), "options": request.options ?? .null,
        ]
        let texts = [
            ("subResource", request.subresource), ("requestSubResource", request.subresource), ("name", request.objectName),
            ("namespace", request.objectNamespace),
        ]
        for (field, text) in texts where !text.isEmpty { object[field] = .string(text) }
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
