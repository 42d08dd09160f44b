import APIModel
import APITypes
import Units
import Values

/// The annotations of claims and volumes.
enum VolumeAnnotation {
    static let bindCompleted = "pv.kubernetes.io/bind-completed"
    static let boundByController = "pv.kubernetes.io/bound-by-controller"
    static let selectedNode = "volume.kubernetes.io/selected-node"
    static let storageProvisioner = "volume.kubernetes.io/storage-provisioner"
    static let betaStorageProvisioner = "volume.beta.kubernetes.io/storage-provisioner"
    static let classBeta = "volume.beta.kubernetes.io/storage-class"
    static let isDefaultClass = "storageclass.kubernetes.io/is-default-class"
}

extension PersistentVolumeClaim {
    /// The class asked for; the old annotation wins.
    var storageClass: String { annotations[VolumeAnnotation.classBeta] ?? spec.storageClassName ?? "" }
    var size: Quantity { spec.resources.requests["storage"] ?? .zero }
    var isBound: Bool { annotations[VolumeAnnotation.bindCompleted] != nil }
}

extension PersistentVolume {
    var storageClass: String { annotations[VolumeAnnotation.classBeta] ?? spec.storageClassName }
    var size: Quantity { spec.capacity["storage"] ?? .zero }

    /// Reserved for, or bound to, this claim.
    func isFor(_ claim: PersistentVolumeClaim) -> Bool {
        guard let reference = spec.claimRef, reference.name == claim.name, reference.namespace == claim.namespace else { return false }
        return reference.uid.isEmpty || reference.uid == claim.uid
    }
}

/// Choosing a volume for a claim.
public enum VolumeMatch {
    /// Why a volume a claim names does not suit it; nil when it does.
    static func mismatch(_ volume: PersistentVolume, _ claim: PersistentVolumeClaim) -> String? {
        if volume.isBeingDeleted { return "the volume is marked for deletion" }
        if volume.size < claim.size { return "requested PV is too small" }
        if volume.storageClass != claim.storageClass { return "storageClassName does not match" }
        if (volume.spec.volumeAttributesClassName ?? "") != (claim.spec.volumeAttributesClassName ?? "") {
            return "volumeAttributesClassName does not match"
        }
        if (volume.spec.volumeMode ?? "Filesystem") != (claim.spec.volumeMode ?? "Filesystem") { return "incompatible volumeMode" }
        guard Set(volume.spec.accessModes).isSuperset(of: claim.spec.accessModes) else { return "incompatible accessMode" }
        return nil
    }

    /// The volume reserved for the claim, or else the smallest that suits it. While binding waits for the first pod,
    /// only a reserved one will do.
    public static func best(
        for claim: PersistentVolumeClaim,
        among volumes: [PersistentVolume],
        delayed: Bool
    ) -> PersistentVolume? {
        let selector = claim.fields["spec"]?["selector"].flatMap { try? LabelSelector(json: $0) }
        var best: PersistentVolume?
        for volume in volumes {
            if volume.isFor(claim) {
                if volume.size >= claim.size, !volume.isBeingDeleted { return volume }
                continue
            }
            guard !delayed, volume.spec.claimRef == nil, volume.status.phase == "Available", mismatch(volume, claim) == nil else {
                continue
            }
            if let selector, !selector.matches(volume.labels) { continue }
            if let known = best, (known.size, known.name) <= (volume.size, volume.name) { continue }
            best = volume
        }
        return best
    }

    /// The volume as bound to the claim; nil when it is so already.
    static func bound(_ volume: PersistentVolume, to claim: PersistentVolumeClaim) -> PersistentVolume? {
        guard volume.spec.claimRef?.uid != claim.uid || claim.uid.isEmpty else { return nil }
        var copy = volume
        if volume.spec.claimRef == nil { copy.metadata.annotations[VolumeAnnotation.boundByController] = "yes" }
        copy.spec.claimRef = ObjectReference {
            $0.kind = "PersistentVolumeClaim"
            $0.apiVersion = "v1"
            $0.namespace = claim.namespace
            $0.name = claim.name
            $0.uid = claim.uid
            $0.resourceVersion = claim.resourceVersion
        }
        return copy
    }

    /// The claim as bound to the volume; nil when it is so already.
    static func bound(_ claim: PersistentVolumeClaim, to volume: PersistentVolume) -> PersistentVolumeClaim? {
        guard claim.spec.volumeName != volume.name || !claim.isBound else { return nil }
        var copy = claim
        if claim.spec.volumeName != volume.name {
            copy.spec.volumeName = volume.name
            copy.metadata.annotations[VolumeAnnotation.boundByController] = "yes"
        }
        copy.metadata.annotations[VolumeAnnotation.bindCompleted] = "yes"
        return copy
    }

    /// The claim with the status of a bound one; nil when it says so already.
    static func statusBound(_ claim: PersistentVolumeClaim, to volume: PersistentVolume) -> PersistentVolumeClaim? {
        var copy = claim
        copy.status.phase = "Bound"
        copy.status.accessModes = volume.spec.accessModes
        // Said once: after that it is the driver's, which may be changing it.
        if claim.status.phase == "Pending" { copy.status.currentVolumeAttributesClassName = volume.spec.volumeAttributesClassName }
        if copy.status.capacity["storage"] == nil || claim.status.phase != "Bound" { copy.status.capacity = volume.spec.capacity }
        return copy == claim ? nil : copy
    }

    /// The volume with another phase; nil when it has it already.
    static func withPhase(_ volume: PersistentVolume, _ phase: String, message: String = "", now: Timestamp) -> PersistentVolume? {
        guard volume.status.phase != phase || volume.status.message != message else { return nil }
        var copy = volume
        if volume.status.phase != phase { copy.status.lastPhaseTransitionTime = now }
        copy.status.phase = phase
        copy.status.message = message
        return copy
    }

    /// The volume free again; nil when a user reserved it, who alone may change that.
    static func unbound(_ volume: PersistentVolume) -> PersistentVolume {
        var copy = volume
        if volume.annotations[VolumeAnnotation.boundByController] != nil {
            copy.spec.claimRef = nil
            copy.metadata.annotations[VolumeAnnotation.boundByController] = nil
        } else {
            copy.spec.claimRef?.uid = ""
        }
        return copy
    }
}
