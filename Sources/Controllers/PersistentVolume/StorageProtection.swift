import APIModel
import APITypes

/// Which volumes, claims and classes are kept because something uses them, although they are to be deleted.
public enum StorageProtection {
    /// The finalizer of claims.
    public static let claimFinalizer = "kubernetes.io/pvc-protection"
    /// The finalizer of volumes.
    public static let volumeFinalizer = "kubernetes.io/pv-protection"
    /// The finalizer of classes of volume attributes.
    public static let classFinalizer = "kubernetes.io/vac-protection"

    /// What a finalizer asks for now.
    public enum Decision: Sendable, Hashable {
        /// Nothing is to be done.
        case keep
        /// It is missing: the object is older than the admission that adds it.
        case add
        /// It alone may hold the deletion up, if nothing uses the object.
        case removeIfUnused
    }

    /// What is to be done about a finalizer of an object.
    public static func decide(_ metadata: ObjectMeta, _ finalizer: String) -> Decision {
        let has = metadata.finalizers.contains(finalizer)
        if metadata.deletionTimestamp == nil { return has ? .keep : .add }
        return has ? .removeIfUnused : .keep
    }

    /// Whether a pod uses a claim: it is assigned to a node, whatever has become of it since, and names the claim, or owns
    /// it for a volume of its own.
    public static func uses(_ pod: Pod, _ claim: PersistentVolumeClaim) -> Bool {
        guard !pod.spec.nodeName.isEmpty else { return false }
        return pod.spec.volumes.contains { volume in
            if volume.persistentVolumeClaim?.claimName == claim.name { return true }
            // Who is gone but for a finalizer must not wait for what waits for him.
            guard !isShutDown(pod), volume.ephemeral != nil, "\(pod.name)-\(volume.name)" == claim.name else { return false }
            return claim.metadata.ownerReferences.contains { $0.uid == pod.uid && $0.controller == true }
        }
    }

    private static func isShutDown(_ pod: Pod) -> Bool {
        pod.metadata.deletionTimestamp != nil && pod.metadata.deletionGracePeriodSeconds == 0
    }

    /// The names of the claims that a pod may use.
    static func claims(of pod: Pod) -> [String] {
        pod.spec.volumes.compactMap { volume in
            if let name = volume.persistentVolumeClaim?.claimName { return name }
            return volume.ephemeral == nil ? nil : "\(pod.name)-\(volume.name)"
        }
    }

    /// The classes of volume attributes that a claim has, had, or is to have.
    public static func classes(of claim: PersistentVolumeClaim) -> Set<String> {
        let names = [
            claim.spec.volumeAttributesClassName, claim.status.currentVolumeAttributesClassName,
            claim.status.modifyVolumeStatus?.targetVolumeAttributesClassName,
        ]
        return Set(names.compactMap { $0 }.filter { !$0.isEmpty })
    }

    /// The class of volume attributes of a volume that belongs to a driver.
    public static func classes(of volume: PersistentVolume) -> Set<String> {
        guard let name = volume.spec.volumeAttributesClassName, !name.isEmpty else { return [] }
        return [name]
    }
}
