import APITypes
import Channels
import Glibc
import Units

/// A directory that lives as long as the pod, on disk or in memory.
struct EmptyDirVolume: VolumePlugin {
    let pool: BlockingPool
    var isLive: Bool { false }

    func handles(_ volume: Volume) -> Bool { volume.emptyDir != nil }

    func setUp(_ volume: Volume, _ context: VolumeContext) async throws -> MountedVolume {
        let path = context.directory("kubernetes.io~empty-dir", volume.name)
        let source = volume.emptyDir
        let inMemory = source?.medium == "Memory"
        let size = source?.sizeLimit?.value
        let group = context.group
        try await pool.run {
            if inMemory, Mounts.below(path).contains(path) { return }
            try HostFiles.makeDirectories(path)
            if inMemory {
                let limit = size.map { ",size=\($0)" } ?? ""
                try Mounts.tmpfs(at: path, options: "mode=0777\(limit)")
            }
            try HostFiles.changeMode(path, 0o777)
            if let group { try Ownership.give(path, to: group) }
        }
        return MountedVolume(hostPath: path)
    }
}

/// Gives a volume's directory to a group, so that a container that runs as that group may write.
enum Ownership {
    static func give(_ path: String, to group: UInt32) throws {
        if chown(path, uid_t.max, group) != 0 { throw FileError(operation: "chown", path: path, code: errno) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError(operation: "stat", path: path, code: errno) }
        try HostFiles.changeMode(path, (status.st_mode & 0o7777) | 0o2770)
    }
}
