import Channels
import Glibc

/// A file operation that failed.
struct FileError: Error, Sendable, CustomStringConvertible {
    let operation: String
    let path: String
    let code: Int32

    /// As Go prints it: `open /x: no such file or directory`.
    var description: String { "\(operation) \(path): \(describe(errno: code).lowercased())" }
}

/// Small blocking file operations. Call them on a blocking thread.
enum HostFiles {
    static func read(_ path: String, limit: Int = 16 << 20) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        return try readAll(descriptor, path, limit: limit)
    }

    static func readAll(_ descriptor: Int32, _ path: String, limit: Int) throws(FileError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while result.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - result.count))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(operation: "read", path: path, code: errno)
            }
            if count == 0 { break }
            result.append(contentsOf: chunk[..<count])
        }
        return result
    }

    static func text(_ path: String) -> String? {
        (try? read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Replaces the content of a file (not atomically).
    static func write(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws(FileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(operation: "write", path: path, code: errno)
            }
            offset += count
        }
    }

    static func write(_ path: String, _ text: String, mode: mode_t = 0o644) throws(FileError) {
        try write(path, Array(text.utf8), mode: mode)
    }

    /// Creates a directory and those above it.
    static func makeDirectories(_ path: String, mode: mode_t = 0o755) throws(FileError) {
        if isDirectory(path) { return }
        var current = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            current += "/\(part)"
            if mkdir(current, mode) != 0, errno != EEXIST {
                throw FileError(operation: "mkdir", path: current, code: errno)
            }
        }
    }

    static func changeMode(_ path: String, _ mode: mode_t) throws(FileError) {
        if chmod(path, mode) != 0 { throw FileError(operation: "chmod", path: path, code: errno) }
    }

    /// The kind bits of a path's mode (`S_IFDIR` …), nil when there is nothing.
    static func kind(_ path: String, followLinks: Bool = true) -> mode_t? {
        var status = stat()
        let result = followLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? status.st_mode & S_IFMT : nil
    }

    static func exists(_ path: String) -> Bool { kind(path) != nil }
    static func isDirectory(_ path: String) -> Bool { kind(path) == S_IFDIR }

    /// The names in a directory, sorted, without `.` and `..`.
    static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func remove(_ path: String) throws(FileError) {
        if unlink(path) != 0, errno != ENOENT { throw FileError(operation: "unlink", path: path, code: errno) }
    }

    /// Removes a directory and all in it, without following links and without leaving the file system: a mount below
    /// is never emptied, it makes the removal fail.
    static func removeTree(_ path: String) throws(FileError) {
        var root = stat()
        guard lstat(path, &root) == 0 else {
            if errno == ENOENT { return }
            throw FileError(operation: "lstat", path: path, code: errno)
        }
        try removeTree(path, device: root.st_dev)
    }

    private static func removeTree(_ path: String, device: dev_t) throws(FileError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT != S_IFDIR {
            try remove(path)
            return
        }
        guard status.st_dev == device else { throw FileError(operation: "rmdir", path: path, code: EBUSY) }
        for name in list(path) { try removeTree("\(path)/\(name)", device: device) }
        if rmdir(path) != 0, errno != ENOENT { throw FileError(operation: "rmdir", path: path, code: errno) }
    }

    static func link(_ target: String, at path: String) throws(FileError) {
        if symlink(target, path) != 0 { throw FileError(operation: "symlink", path: path, code: errno) }
    }

    static func target(of path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return readlink(path, start.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    static func rename(_ from: String, _ to: String) throws(FileError) {
        if Glibc.rename(from, to) != 0 { throw FileError(operation: "rename", path: from, code: errno) }
    }

    /// The path without links, nil when it does not exist.
    static func resolved(_ path: String) -> String? {
        guard let result = realpath(path, nil) else { return nil }
        defer { free(result) }
        return String(cString: result)
    }
}

extension HostFiles {
    /// The last `limit` bytes of a file.
    static func readTail(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        let end = lseek(descriptor, 0, SEEK_END)
        _ = lseek(descriptor, max(0, end - off_t(limit)), SEEK_SET)
        return try readAll(descriptor, path, limit: limit)
    }
}
