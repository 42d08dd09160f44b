import APITypes
import Units

/// A volume as containers can mount it.
struct MountedVolume: Sendable, Hashable {
    /// The directory (or, for a hostPath, file) on the node.
    var hostPath: String
    /// Never writable, whatever the mount says.
    var isReadOnly = false
}

/// What a plugin works with for one pod.
struct VolumeContext: Sendable {
    var pod: Pod
    /// Where this kind of volume lives for the pod: `<pods>/<uid>/volumes/<plugin>/<name>`.
    var podDirectory: String
    var fields: DownwardFields
    var objects: any VolumeObjects
    var group: UInt32?

    func directory(_ plugin: String, _ volume: String) -> String {
        "\(podDirectory)/volumes/\(plugin)/\(volume)"
    }
}

/// What volumes read from the API server.
protocol VolumeObjects: Sendable {
    /// Throws `ContainerConfigError` with upstream's words when it does not exist.
    func configMap(_ namespace: String, _ name: String) async throws -> ConfigMap
    func secret(_ namespace: String, _ name: String) async throws -> Secret
    func claim(_ namespace: String, _ name: String) async throws -> PersistentVolumeClaim
    func persistentVolume(_ name: String) async throws -> PersistentVolume
    /// A token of the pod's service account, renewed when due.
    func token(_ pod: Pod, audience: String, expirationSeconds: Int) async throws -> String
}

/// One kind of volume.
protocol VolumePlugin: Sendable {
    /// Whether this plugin makes that volume.
    func handles(_ volume: Volume) -> Bool
    /// Makes the volume, or brings its content up to date. Idempotent.
    func setUp(_ volume: Volume, _ context: VolumeContext) async throws -> MountedVolume
    /// Whether the content follows the API and is to be brought up to date while the pod runs.
    var isLive: Bool { get }
}
