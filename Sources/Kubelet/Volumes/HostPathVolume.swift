import APITypes
import Channels
import Glibc

/// A directory, file, socket or device of the node.
struct HostPathVolume: VolumePlugin {
    let pool: BlockingPool
    var isLive: Bool { false }

    func handles(_ volume: Volume) -> Bool { volume.hostPath != nil }

    func setUp(_ volume: Volume, _ context: VolumeContext) async throws -> MountedVolume {
        guard let source = volume.hostPath else { throw ContainerConfigError(message: "no hostPath") }
        let path = source.path
        let type = source.type ?? ""
        try await pool.run { try Self.check(path, type) }
        return MountedVolume(hostPath: path)
    }

    /// Creates or verifies `path` as its type asks.
    static func check(_ path: String, _ type: String) throws {
        let kind = HostFiles.kind(path)
        func require(_ isRight: Bool, _ what: String) throws {
            if !isRight {
                throw ContainerConfigError(message: "hostPath type check failed: \(path) is not \(what)")
            }
        }
        switch type {
        case "DirectoryOrCreate":
            if kind == nil { try HostFiles.makeDirectories(path) }
            try require(HostFiles.isDirectory(path), "a directory")
        case "FileOrCreate":
            if kind == nil { try HostFiles.write(path, [UInt8]()) }
            try require(HostFiles.kind(path) == S_IFREG, "a file")
        case "Directory": try require(kind == S_IFDIR, "a directory")
        case "File": try require(kind == S_IFREG, "a file")
        case "Socket": try require(kind == S_IFSOCK, "a socket file")
        case "CharDevice": try require(kind == S_IFCHR, "a character device")
        case "BlockDevice": try require(kind == S_IFBLK, "a block device")
        default:
            // The runtime would refuse a missing source: an unspecified type means a directory is wanted.
            if kind == nil { try HostFiles.makeDirectories(path) }
        }
    }
}
