import APITypes
import Channels
import Logging
import Units

/// Makes, refreshes and removes the volumes of pods on the node.
struct PodVolumes: Sendable {
    let plugins: [any VolumePlugin]
    let pool: BlockingPool
    /// `<data dir>/pods`.
    let root: String

    func podDirectory(_ uid: String) -> String { "\(root)/\(uid)" }

    /// Makes every volume that the pod's containers mount. Throws the first failure, with the volume's name.
    func setUp(_ pod: Pod, _ context: VolumeContext) async throws -> [String: MountedVolume] {
        let used = Self.mountedNames(pod)
        var result: [String: MountedVolume] = [:]
        for volume in pod.spec.volumes where used.contains(volume.name) {
            do {
                guard let plugin = plugins.first(where: { $0.handles(volume) }) else {
                    throw ContainerConfigError(message: "no volume plugin matched")
                }
                result[volume.name] = try await plugin.setUp(volume, context)
            } catch {
                throw VolumeSetUpError(volume: volume.name, message: "\(error)")
            }
        }
        return result
    }

    /// Brings volumes whose content follows the API up to date. One failing volume does not stop the others.
    func refresh(_ pod: Pod, _ context: VolumeContext, logger: Logger) async {
        let used = Self.mountedNames(pod)
        for volume in pod.spec.volumes where used.contains(volume.name) {
            guard let plugin = plugins.first(where: { $0.handles(volume) }), plugin.isLive else { continue }
            do {
                _ = try await plugin.setUp(volume, context)
            } catch {
                logger.debug("volume not refreshed", metadata: ["volume": "\(volume.name)", "error": "\(error)"])
            }
        }
    }

    /// Whether some volume's content follows the API.
    func hasLiveVolumes(_ pod: Pod) -> Bool {
        pod.spec.volumes.contains { volume in plugins.contains { $0.isLive && $0.handles(volume) } }
    }

    /// Unmounts and removes everything below the pod's directory.
    func tearDown(_ uid: String) async throws {
        let directory = podDirectory(uid)
        try await pool.run {
            guard HostFiles.exists(directory) else { return }
            for point in Mounts.below(HostFiles.resolved(directory) ?? directory) { try Mounts.unmount(point) }
            try HostFiles.removeTree(directory)
        }
    }

    private static func mountedNames(_ pod: Pod) -> Set<String> {
        let spec = pod.spec
        let mounts =
            (spec.containers + spec.initContainers).flatMap(\.volumeMounts)
            + spec.ephemeralContainers.flatMap(\.volumeMounts)
        return Set(mounts.map(\.name))
    }
}

/// A volume that could not be made; the message is that of the FailedMount event.
struct VolumeSetUpError: Error, Sendable, CustomStringConvertible {
    let volume: String
    let message: String
    var description: String { "MountVolume.SetUp failed for volume \"\(volume)\" : \(message)" }
}
