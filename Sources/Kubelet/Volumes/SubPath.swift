import Glibc

/// Gives a container one directory or file of a volume, and never what a link in the volume points to outside of it.
///
/// The path is resolved first, then walked from the volume's root one component at a time without following links, and
/// what was reached is bind-mounted by its descriptor: whoever may write to the volume cannot swap it in between.
enum SubPath {
    /// Makes `subPath` (created when missing) of `volume` available at `target`; returns whether it is a directory.
    static func bind(volume: String, subPath: String, target: String) throws {
        guard !subPath.hasPrefix("/"), !subPath.split(separator: "/").contains("..") else {
            throw ContainerConfigError(message: "subPath must not contain '..' or be absolute: \(subPath)")
        }
        guard let root = HostFiles.resolved(volume) else {
            throw ContainerConfigError(message: "volume path \(volume) does not exist")
        }
        let wanted = "\(root)/\(subPath)"
        if HostFiles.kind(wanted) == nil { try makeDirectories(root, subPath) }
        guard let resolved = HostFiles.resolved(wanted), resolved == root || resolved.hasPrefix("\(root)/") else {
            throw ContainerConfigError(message: "subPath \"\(subPath)\" is not within the volume")
        }
        let descriptor = try walk(root, String(resolved.dropFirst(root.count)))
        defer { close(descriptor) }
        let source = "/proc/self/fd/\(descriptor)"
        if HostFiles.isDirectory(source) {
            try HostFiles.makeDirectories(target)
        } else {
            if let slash = target.lastIndex(of: "/") { try HostFiles.makeDirectories(String(target[..<slash])) }
            if !HostFiles.exists(target) { try HostFiles.write(target, [UInt8](), mode: 0o640) }
        }
        try Mounts.unmount(target)
        try Mounts.bind(source, at: target)
    }

    private static func openRoot(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_PATH_ | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        return descriptor
    }

    private static func walk(_ root: String, _ relative: String) throws -> Int32 {
        var current = try openRoot(root)
        for part in relative.split(separator: "/") {
            let next = openat(current, String(part), O_PATH_ | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            close(current)
            guard next >= 0 else { throw FileError(operation: "open", path: "\(root)\(relative)", code: code) }
            var status = stat()
            if fstat(next, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
                close(next)
                throw FileError(operation: "open", path: "\(root)\(relative)", code: ELOOP)
            }
            current = next
        }
        return current
    }

    /// Creates what is missing of `relative` below `root` without ever following a link.
    private static func makeDirectories(_ root: String, _ relative: String) throws {
        var current = try openRoot(root)
        defer { close(current) }
        var status = stat()
        let mode = fstat(current, &status) == 0 ? status.st_mode & 0o7777 : 0o750
        for part in relative.split(separator: "/") {
            let name = String(part)
            let isNew = mkdirat(current, name, mode) == 0
            if !isNew, errno != EEXIST { throw FileError(operation: "mkdir", path: "\(root)/\(relative)", code: errno) }
            let next = openat(current, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { throw FileError(operation: "open", path: "\(root)/\(relative)", code: errno) }
            if isNew { fchmod(next, mode) }
            close(current)
            current = next
        }
    }

    /// O_PATH, which the importer does not see.
    private static let O_PATH_: Int32 = 0o10000000
}
