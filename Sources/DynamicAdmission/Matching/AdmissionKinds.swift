import APIModel
import Access
import Values

/// What admission asks of the server about the kinds it serves. Answers change when custom resources come and go.
public protocol AdmissionKinds: Sendable {
    /// The resources that show the same objects in other groups and versions, in the order of discovery; the given one is
    /// among them. Only those that have the subresource.
    func equivalents(of resource: GroupVersionResource, subresource: String) -> [GroupVersionResource]
    /// The kind of the bodies of a resource, or of its subresource; nil when none is served.
    func kind(of resource: GroupVersionResource, subresource: String) -> GroupVersionKind?
    /// An object of a request in another version, e.g. as the webhook's rule names it. Objects that have it are returned as
    /// they are; so are those that are no objects of the resource, such as `PodExecOptions`.
    ///
    /// - Parameters:
    ///   - object: In any version of the kind, stored or served.
    ///   - kind: What is asked for.
    ///   - resource: The resource that serves `kind`.
    func convert(
        _ object: JSONValue,
        to kind: GroupVersionKind,
        of resource: GroupVersionResource
    ) async throws(APIError) -> JSONValue
    /// An object that admission has changed, as if a client had sent it: its types are checked, unknown fields dropped and
    /// defaults filled in.
    ///
    /// - Parameters:
    ///   - object: In the version of `kind`.
    ///   - resource: The resource that serves `kind`.
    func decode(
        _ object: JSONValue,
        as kind: GroupVersionKind,
        of resource: GroupVersionResource
    ) throws(APIError) -> JSONValue
}
