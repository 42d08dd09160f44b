import Glibc

/// Removes trees of files. Follows no links and leaves no file system: what is mounted below is never touched. Goes by
/// descriptors, so that no path grows too long and nobody can lead it elsewhere meanwhile.
public enum FileTree {
    /// More levels than any image or volume has; beyond, the tree stays.
    static let maximumDepth = 512

    /// Why something stayed, in the system's words.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        /// What stayed.
        public let path: String
        /// Why.
        public let message: String
        /// Both.
        public var description: String { "\(path): \(message)" }

        init(_ path: String, _ code: Int32) {
            self.path = path
            message = String(cString: strerror(code))
        }
    }

    /// Removes `path` and all below it; nothing happens when it is not there. Throws the first problem after all that can
    /// be removed was.
    public static func remove(_ path: String) throws(Problem) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw Problem(path, errno)
        }
        if let problem = remove(AT_FDCWD, path, path, device: status.st_dev, depth: 0) { throw problem }
    }

    /// Removes a directory and the directories below it, as far as they hold no files: what cgroups are removed by.
    public static func removeDirectories(_ path: String) {
        for name in names(path) { removeDirectories("\(path)/\(name)") }
        rmdir(path)
    }

    /// The directories in a directory, without links.
    public static func names(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        return entries(stream).filter { name in
            var status = stat()
            return lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    private static func remove(_ parent: Int32, _ name: String, _ path: String, device: dev_t, depth: Int) -> Problem? {
        var status = stat()
        guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return errno == ENOENT ? nil : Problem(path, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { return unlink(parent, name, path, flags: 0) }
        guard status.st_dev == device else { return Problem(path, EBUSY) }
        guard depth < maximumDepth else { return Problem(path, ENAMETOOLONG) }
        let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return Problem(path, errno) }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            return Problem(path, errno)
        }
        var problem: Problem?
        // All names first: what is removed while a directory is read may hide others.
        for entry in entries(stream) {
            let found = remove(descriptor, entry, "\(path)/\(entry)", device: device, depth: depth + 1)
            problem = problem ?? found
        }
        closedir(stream)
        return problem ?? unlink(parent, name, path, flags: AT_REMOVEDIR)
    }

    private static func unlink(_ parent: Int32, _ name: String, _ path: String, flags: Int32) -> Problem? {
        unlinkat(parent, name, flags) == 0 || errno == ENOENT ? nil : Problem(path, errno)
    }

    private static func entries(_ stream: OpaquePointer) -> [String] {
        var result: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { result.append(name) }
        }
        return result
    }
}
