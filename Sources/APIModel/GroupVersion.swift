/// An API group and one of its versions, such as `apps/v1`, or `v1` for the core group.
public struct GroupVersion: Hashable, Sendable, CustomStringConvertible {
    /// The group; empty for the core group.
    public var group: String
    /// The version, such as `v1`.
    public var version: String

    /// Names a group and version.
    public init(group: String, version: String) {
        self.group = group
        self.version = version
    }

    /// Parses an `apiVersion`: `v1` or `group/version`. Nil when there is more than one slash.
    public init?(apiVersion: String) {
        let parts = apiVersion.split(separator: "/", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: self.init(group: "", version: apiVersion)
        case 2: self.init(group: String(parts[0]), version: String(parts[1]))
        default: return nil
        }
    }

    /// The `apiVersion` of objects of this group and version.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// As Go prints it: the `apiVersion`.
    public var description: String { apiVersion }

    /// A kind of this group and version.
    public func kind(_ kind: String) -> GroupVersionKind {
        GroupVersionKind(group: group, version: version, kind: kind)
    }

    /// A resource of this group and version.
    public func resource(_ resource: String) -> GroupVersionResource {
        GroupVersionResource(group: group, version: version, resource: resource)
    }
}

/// A kind within a group, whatever the version.
public struct GroupKind: Hashable, Sendable, CustomStringConvertible {
    /// The group; empty for the core group.
    public var group: String
    /// The kind, such as `Pod`.
    public var kind: String

    /// Names a kind of a group.
    public init(group: String, kind: String) {
        self.group = group
        self.kind = kind
    }

    /// As Go prints it: `Deployment.apps`, or `Pod`.
    public var description: String { group.isEmpty ? kind : "\(kind).\(group)" }

    /// The kind in one version.
    public func version(_ version: String) -> GroupVersionKind {
        GroupVersionKind(group: group, version: version, kind: kind)
    }
}

/// A resource within a group, whatever the version.
public struct GroupResource: Hashable, Sendable, CustomStringConvertible {
    /// The group; empty for the core group.
    public var group: String
    /// The plural resource name, such as `pods`.
    public var resource: String

    /// Names a resource of a group.
    public init(group: String, resource: String) {
        self.group = group
        self.resource = resource
    }

    /// Whether neither group nor resource is named.
    public var isEmpty: Bool { group.isEmpty && resource.isEmpty }

    /// As Go prints it: `deployments.apps`, or `pods`.
    public var description: String { group.isEmpty ? resource : "\(resource).\(group)" }

    /// The resource in one version.
    public func version(_ version: String) -> GroupVersionResource {
        GroupVersionResource(group: group, version: version, resource: resource)
    }
}

/// A kind in one version of its group.
public struct GroupVersionKind: Hashable, Sendable, CustomStringConvertible {
    /// The group; empty for the core group.
    public var group: String
    /// The version, such as `v1`.
    public var version: String
    /// The kind, such as `Pod`.
    public var kind: String

    /// Names a kind in one version of its group.
    public init(group: String, version: String, kind: String) {
        self.group = group
        self.version = version
        self.kind = kind
    }

    /// Reads the pair that every object carries. Nil when `apiVersion` is malformed.
    public init?(apiVersion: String, kind: String) {
        guard let groupVersion = GroupVersion(apiVersion: apiVersion) else { return nil }
        self.init(group: groupVersion.group, version: groupVersion.version, kind: kind)
    }

    /// The `apiVersion` of objects of this kind.
    public var apiVersion: String { groupVersion.apiVersion }
    /// The group and version.
    public var groupVersion: GroupVersion { GroupVersion(group: group, version: version) }
    /// The group and kind.
    public var groupKind: GroupKind { GroupKind(group: group, kind: kind) }

    /// As Go prints it: `apps/v1, Kind=Deployment`; the core group prints as `/v1, Kind=Pod`.
    public var description: String { "\(group)/\(version), Kind=\(kind)" }
}

/// A resource in one version of its group.
public struct GroupVersionResource: Hashable, Sendable, CustomStringConvertible {
    /// The group; empty for the core group.
    public var group: String
    /// The version, such as `v1`.
    public var version: String
    /// The plural resource name, such as `pods`.
    public var resource: String

    /// Names a resource in one version of its group.
    public init(group: String, version: String, resource: String) {
        self.group = group
        self.version = version
        self.resource = resource
    }

    /// The `apiVersion` of objects of this resource.
    public var apiVersion: String { groupVersion.apiVersion }
    /// The group and version.
    public var groupVersion: GroupVersion { GroupVersion(group: group, version: version) }
    /// The group and resource.
    public var groupResource: GroupResource { GroupResource(group: group, resource: resource) }

    /// As Go prints it: `apps/v1, Resource=deployments`.
    public var description: String { "\(group)/\(version), Resource=\(resource)" }

    /// The path of this resource below the server's root: `/api/v1/pods`, `/apis/apps/v1/namespaces/x/deployments`.
    public func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if let namespace, !namespace.isEmpty { path += "/namespaces/\(namespace)" }
        path += "/\(resource)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}
