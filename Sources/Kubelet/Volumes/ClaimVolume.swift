import APITypes
import Channels

/// A persistent volume claim bound to a volume that is a directory of this node.
struct ClaimVolume: VolumePlugin {
    let pool: BlockingPool
    var isLive: Bool { false }

    func handles(_ volume: Volume) -> Bool {
        volume.persistentVolumeClaim != nil || volume.ephemeral != nil
    }

    func setUp(_ volume: Volume, _ context: VolumeContext) async throws -> MountedVolume {
        let pod = context.pod
        let name = volume.persistentVolumeClaim?.claimName ?? "\(pod.metadata.name)-\(volume.name)"
        let claim = try await context.objects.claim(pod.metadata.namespace, name)
        guard claim.status.phase == "Bound", !claim.spec.volumeName.isEmpty else {
            throw ContainerConfigError(message: "PVC \(pod.metadata.namespace)/\(name) is not bound")
        }
        let source = try await context.objects.persistentVolume(claim.spec.volumeName).spec
        let isReadOnly = volume.persistentVolumeClaim?.readOnly == true
        let group = context.group
        if let local = source.local {
            let path = local.path
            try await pool.run {
                guard HostFiles.exists(path) else { throw ContainerConfigError(message: "path \"\(path)\" does not exist") }
                if let group { try Ownership.give(path, to: group) }
            }
            return MountedVolume(hostPath: path, isReadOnly: isReadOnly)
        }
        if let hostPath = source.hostPath {
            let path = hostPath.path
            let type = hostPath.type ?? ""
            try await pool.run { try HostPathVolume.check(path, type) }
            return MountedVolume(hostPath: path, isReadOnly: isReadOnly)
        }
        throw ContainerConfigError(message: "no volume plugin matched for persistent volume \(claim.spec.volumeName)")
    }
}
