import APITypes
import Schema

/// Finds the type of an object that names its kind, for the syntaxes that need it. No state but the embedded schema.
public enum WireTypes {
    /// Kinds that belong to no resource but are answered everywhere.
    private static let metaKinds: Set<String> = [
        "Status", "APIVersions", "APIGroup", "APIGroupList", "APIResourceList", "DeleteOptions", "PartialObjectMetadata",
        "PartialObjectMetadataList", "WatchEvent",
    ]

    /// The metadata of lists.
    public static let listMeta = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta")
    /// An object's metadata alone.
    public static let partialObject = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata")

    /// The type, if it is a built-in one that has a protobuf form.
    public static func node(apiVersion: String, kind: String) -> SchemaNode? {
        // Discovery's documents of the core group name no version.
        if metaKinds.contains(kind), ["", "v1"].contains(apiVersion) || apiVersion.hasPrefix("meta.k8s.io/") {
            return known("io.k8s.apimachinery.pkg.apis.meta.v1.\(kind)")
        }
        let parts = apiVersion.split(separator: "/")
        guard let version = parts.last, parts.count <= 2 else { return nil }
        let group = parts.count == 2 ? String(parts[0]) : ""
        let node = known("\(package(of: group)).\(version).\(kind)")
        // The name was put together from what the object says: it must be that kind's.
        guard let node, node.body.kinds.contains(where: { $0.group == group && $0.version == version && $0.kind == kind }) else {
            return nil
        }
        return node
    }

    private static func known(_ name: String) -> SchemaNode? {
        guard let node = BuiltinSchema.table().node(name), ProtobufObject.has(node) else { return nil }
        return node
    }

    private static func package(of group: String) -> String {
        switch group {
        case "": "io.k8s.api.core"
        case "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions"
        case "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration"
        case "internal.apiserver.k8s.io": "io.k8s.api.apiserverinternal"
        default: "io.k8s.api.\(group.prefix { $0 != "." })"
        }
    }
}
