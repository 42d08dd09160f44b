import APIModel
import Units
import Values

/// Lets claims grow only when they are bound, and of a class that allows it.
public struct VolumeClaimResize: Admission {
    private let lookup: any ClusterLookup
    private static let classes = GroupResource(group: "storage.k8s.io", resource: "storageclasses")
    private static let annotation = "volume.beta.kubernetes.io/storage-class"

    /// A plugin that looks classes up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "PersistentVolumeClaimResize" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .update && request.writes(core: "persistentvolumeclaims")
    }

    /// Refuses what may not grow.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let claim = request.object, let old = request.oldObject, Self.size(claim) > Self.size(old) else { return }
        guard old.value(at: ["status", "phase"])?.string == "Bound" else {
            throw request.forbidden("Only bound persistent volume claims can be expanded")
        }
        guard allowsGrowth(claim, old) else {
            throw request.forbidden(
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
            )
        }
    }

    private static func size(_ claim: JSONValue) -> Quantity {
        switch claim.value(at: ["spec", "resources", "requests", "storage"]) {
        case .string(let text): Quantity(text) ?? .zero
        case .integer(let number): Quantity(value: number)
        default: .zero
        }
    }

    private static func className(_ claim: JSONValue) -> String {
        claim.value(at: ["metadata", "annotations", annotation])?.string ?? claim.value(at: ["spec", "storageClassName"])?.string ?? ""
    }

    private func allowsGrowth(_ claim: JSONValue, _ old: JSONValue) -> Bool {
        let name = Self.className(claim)
        guard !name.isEmpty, name == Self.className(old) else { return false }
        return lookup.object(Self.classes, namespace: "", name: name)?["allowVolumeExpansion"]?.bool == true
    }
}
