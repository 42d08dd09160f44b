import APIModel
import Values

/// No object without its namespace, none created in one that is going away, and the first namespaces are immortal.
public struct NamespaceLifecycle: Admission {
    private let lookup: any ClusterLookup
    private static let immortal: Set<String> = ["default", "kube-system", "kube-public"]
    private static let namespaces = GroupResource.core("namespaces")

    /// A plugin that looks namespaces up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "NamespaceLifecycle" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool { request.operation != .connect }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        let isNamespace = request.resource.group.isEmpty && request.resource.resource == "namespaces"
        if isNamespace {
            guard request.operation == .delete, Self.immortal.contains(request.name) else { return }
            throw .forbidden(Self.namespaces, request.name, "this namespace may not be deleted")
        }
        guard request.operation == .create, !request.namespace.isEmpty else { return }
        if request.resource.resource == "localsubjectaccessreviews" { return }
        let namespace = try await namespace(request.namespace)
        guard namespace.value(at: ["status", "phase"])?.string == "Terminating" else { return }
        throw terminating(request)
    }

    private func namespace(_ name: String) async throws(APIError) -> JSONValue {
        if let known = lookup.object(Self.namespaces, namespace: "", name: name) { return known }
        if let stored = await lookup.currentObject(Self.namespaces, namespace: "", name: name) { return stored }
        throw .notFound(Self.namespaces, name)
    }

    private func terminating(_ request: AdmissionRequest) -> APIError {
        let space = request.namespace
        var error = request.forbidden("unable to create new content in namespace \(space) because it is being terminated")
        error.addCause(
            reason: "NamespaceTerminating",
            message: "namespace \(space) is being terminated",
            field: "metadata.namespace"
        )
        return error
    }
}
