import APIModel
import Values

/// Gives new volumes and claims the finalizer that keeps them while something uses them. Controllers take it away.
public struct StorageObjectInUseProtection: Admission {
    /// The finalizers by resource.
    public static let finalizers: [GroupResource: String] = [
        .core("persistentvolumes"): "kubernetes.io/pv-protection",
        .core("persistentvolumeclaims"): "kubernetes.io/pvc-protection",
        GroupResource(group: "storage.k8s.io", resource: "volumeattributesclasses"): "kubernetes.io/vac-protection",
    ]

    /// The plugin.
    public init() {}

    /// The plugin's name.
    public var name: String { "StorageObjectInUseProtection" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .create && request.subresource.isEmpty && Self.finalizers[request.resource.groupResource] != nil
    }

    /// Adds the finalizer.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard let finalizer = Self.finalizers[request.resource.groupResource] else { return }
        let present = request.object?.value(at: ["metadata", "finalizers"])?.array ?? []
        guard !present.contains(.string(finalizer)) else { return }
        request.object?.set(.array(present + [.string(finalizer)]), at: ["metadata", "finalizers"])
    }
}
