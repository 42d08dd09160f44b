import APIModel
import Access
import Values

/// The objects of a request in the version that a webhook or a policy looks at.
public struct VersionedObjects: Sendable {
    /// What was matched.
    public var matched: MatchedResource
    /// The new object; nil on delete.
    public var object: JSONValue?
    /// The object as it is stored; nil on create.
    public var oldObject: JSONValue?

    /// Objects that are in the version matched already.
    public init(matched: MatchedResource, object: JSONValue?, oldObject: JSONValue?) {
        self.matched = matched
        self.object = object
        self.oldObject = oldObject
    }

    /// Converts the objects of a request to the kind that a rule matched.
    public init(
        _ request: AdmissionRequest,
        as matched: MatchedResource,
        _ kinds: any AdmissionKinds
    ) async throws(APIError) {
        self.matched = matched
        if let new = request.object { object = try await kinds.convert(new, to: matched.kind, of: matched.resource) }
        if let old = request.oldObject { oldObject = try await kinds.convert(old, to: matched.kind, of: matched.resource) }
    }
}
