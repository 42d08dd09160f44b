import APITypes

/// A claim that a pod names, or that is made for one of its ephemeral volumes.
package struct PodClaim: Sendable, Hashable {
    /// The claim's name, in the pod's namespace.
    package let name: String
    /// It is made for the pod alone, by a controller.
    package let isEphemeral: Bool

    /// The claims of a pod's volumes, in order.
    static func all(_ pod: String, _ volumes: [Volume]) -> [PodClaim] {
        volumes.compactMap { volume in
            if let source = volume.persistentVolumeClaim { return PodClaim(name: source.claimName, isEphemeral: false) }
            if volume.ephemeral != nil { return PodClaim(name: "\(pod)-\(volume.name)", isEphemeral: true) }
            return nil
        }
    }
}

/// What scheduling needs to know of a persistent volume claim.
package struct ClaimFacts: Sendable, Hashable {
    package var isBound: Bool
    package var isLost: Bool
    package var isTerminating: Bool
    package var volumeName: String
    package var storageClass: String
    /// The uid of the pod it was made for, if it belongs to one.
    package var ownerUID: String

    private static let bindCompleted = "pv.kubernetes.io/bind-completed"
    private static let betaClass = "volume.beta.kubernetes.io/storage-class"

    /// Reads a claim.
    package init(_ claim: PersistentVolumeClaim) {
        let meta = claim.metadata
        volumeName = claim.spec.volumeName
        isBound = !volumeName.isEmpty && meta.annotations[Self.bindCompleted] != nil
        isLost = claim.status.phase == "Lost"
        isTerminating = meta.deletionTimestamp != nil
        storageClass = meta.annotations[Self.betaClass] ?? claim.spec.storageClassName ?? ""
        ownerUID = meta.ownerReferences.first { $0.controller == true && $0.kind == "Pod" }?.uid ?? ""
    }
}
