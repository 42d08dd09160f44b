import APIModel
import Units
import Values

/// Gives new objects that name no class the default one: the newest of those marked so.
public struct DefaultClass: Admission {
    /// The plugin's name.
    public let name: String
    private let lookup: any ClusterLookup
    private let resource: GroupResource
    private let classes: GroupResource
    private let field: String
    private let ownAnnotation: String
    private let marks: [String]

    /// The default storage class of volume claims.
    public static func storage(_ lookup: any ClusterLookup) -> DefaultClass {
        DefaultClass(
            name: "DefaultStorageClass",
            lookup: lookup,
            resource: .core("persistentvolumeclaims"),
            classes: GroupResource(group: "storage.k8s.io", resource: "storageclasses"),
            field: "storageClassName",
            ownAnnotation: "volume.beta.kubernetes.io/storage-class",
            marks: ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
        )
    }

    /// The default class of ingresses.
    public static func ingress(_ lookup: any ClusterLookup) -> DefaultClass {
        DefaultClass(
            name: "DefaultIngressClass",
            lookup: lookup,
            resource: GroupResource(group: "networking.k8s.io", resource: "ingresses"),
            classes: GroupResource(group: "networking.k8s.io", resource: "ingressclasses"),
            field: "ingressClassName",
            ownAnnotation: "kubernetes.io/ingress.class",
            marks: ["ingressclass.kubernetes.io/is-default-class"]
        )
    }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .create && request.subresource.isEmpty && request.resource.groupResource == resource
    }

    /// Names the default class, if there is one.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard let object = request.object, object.value(at: ["spec", field])?.string == nil,
            object.value(at: ["metadata", "annotations", ownAnnotation]) == nil, let name = newest
        else { return }
        request.object?.set(.string(name), at: ["spec", field])
    }

    private var newest: String? {
        let marked = lookup.objects(classes, namespace: nil).filter { candidate in
            let annotations = candidate.value(at: ["metadata", "annotations"])
            return marks.contains { annotations?[$0]?.string == "true" }
        }
        // Times in one format: their texts compare as they do.
        let named = marked.map { candidate in
            (
                made: candidate.value(at: ["metadata", "creationTimestamp"])?.string ?? "",
                name: candidate.value(at: ["metadata", "name"])?.string ?? ""
            )
        }
        return named.min { $0.made == $1.made ? $0.name < $1.name : $0.made > $1.made }?.name
    }
}
