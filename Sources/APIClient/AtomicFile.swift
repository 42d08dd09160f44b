#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A failed file operation, with the file's name.
public struct FileError: Error, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// What failed and why.
    public let message: String

    /// A failure.
    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    /// The file and the reason.
    public var description: String { "\(path): \(message)" }
}

/// Small files that are never seen half written: a temporary file, fsync, rename. Blocking; for start-up and shells.
public enum AtomicFile {
    /// The largest file read.
    public static let readLimit = 16 * 1024 * 1024

    /// The content of a file; nil when it does not exist.
    public static func read(_ path: String) throws -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(path, "cannot open")
        }
        defer { close(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, "cannot read")
            }
            if count == 0 { return content }
            content += buffer[..<count]
            guard content.count <= readLimit else { throw FileError(path: path, message: "is larger than \(readLimit) bytes") }
        }
    }

    /// Replaces a file; the directory must exist. A symbolic link stays and its target is replaced.
    ///
    /// - Parameter isDurable: survive a power loss right after; without it the file may then be empty.
    public static func write(_ path: String, _ content: [UInt8], mode: UInt32 = 0o600, isDurable: Bool = true) throws {
        let target = resolved(path)
        let temporary = "\(target).\(getpid()).tmp"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
        guard file >= 0 else { throw failure(temporary, "cannot create") }
        do {
            try writeAll(file, content, temporary)
            guard fchmod(file, mode_t(mode)) == 0, !isDurable || fsync(file) == 0 else { throw failure(temporary, "cannot write") }
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        close(file)
        guard rename(temporary, target) == 0 else {
            let reason = failure(target, "cannot replace")
            unlink(temporary)
            throw reason
        }
    }

    /// Makes a directory and those above it.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFDIR else { throw FileError(path: path, message: "is no directory") }
            return
        }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]), mode: mode)
        }
        guard mkdir(path, mode_t(mode)) == 0 || errno == EEXIST else { throw failure(path, "cannot create the directory") }
    }

    /// Where a path leads once symbolic links are followed; the path itself when it does not exist yet.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func writeAll(_ file: CInt, _ content: [UInt8], _ path: String) throws {
        var offset = 0
        while offset < content.count {
            let count = content.withUnsafeBytes { systemWrite(file, $0.baseAddress?.advanced(by: offset), content.count - offset) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, "cannot write")
            }
            offset += count
        }
    }

    private static func failure(_ path: String, _ what: String) -> FileError {
        FileError(path: path, message: "\(what): \(String(cString: strerror(errno)))")
    }
}

private func systemRead(_ file: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(file, buffer, count)
}

private func systemWrite(_ file: CInt, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(file, buffer, count)
}
