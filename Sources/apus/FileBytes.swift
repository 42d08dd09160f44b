import Channels
import Glibc

/// Small files, read and written whole.
enum FileBytes {
    /// A file's bytes; nil when it cannot be read (`lastError` tells why).
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return result }
            result += buffer[0..<count]
        }
    }

    /// A file's text without the white space at its end.
    static func text(_ path: String) -> String? {
        guard let bytes = read(path) else { return nil }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// Replaces a file in one step.
    /// - Throws: `ChildProcessError` that names the path.
    static func write(_ path: String, _ text: String, mode: mode_t = 0o600) throws {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileError(path: path, message: lastError()) }
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        let message = lastError()
        close(descriptor)
        guard count == bytes.count else { throw FileError(path: path, message: message) }
        guard rename(temporary, path) == 0 else { throw FileError(path: path, message: lastError()) }
    }

    /// Removes a file, there or not.
    static func remove(_ path: String) { unlink(path) }

    /// Makes a directory and its parents.
    static func makeDirectory(_ path: String, mode: mode_t = 0o711) throws {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/" + part
            if mkdir(prefix, mode) != 0, errno != EEXIST { throw FileError(path: prefix, message: lastError()) }
        }
    }

    /// The words of errno.
    static func lastError() -> String { describe(errno: errno) }
}

/// A file that could not be read or written.
struct FileError: Error, CustomStringConvertible {
    let path: String
    let message: String

    var description: String { "\(path): \(message)" }
}

/// A path that does not depend on the working directory.
func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
    defer { free(directory) }
    return String(cString: directory) + "/" + path
}
