import Channels
import Glibc

/// Makes a directory and its parents.
/// - Throws: `ChildProcessError` that names the path.
func makeDirectories(_ path: String, mode: mode_t = 0o711) throws {
    var prefix = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        prefix += "/" + part
        if mkdir(prefix, mode) != 0, errno != EEXIST {
            throw ChildProcessError(command: "mkdir \(prefix)", message: describe(errno: errno))
        }
    }
}

/// Replaces a file's contents in one step.
func writeFile(_ path: String, _ text: String) throws {
    let temporary = path + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ChildProcessError(command: "open \(temporary)", message: describe(errno: errno)) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset) }
        guard count > 0 else { throw ChildProcessError(command: "write \(temporary)", message: describe(errno: errno)) }
        offset += count
    }
    guard rename(temporary, path) == 0 else { throw ChildProcessError(command: "rename \(path)", message: describe(errno: errno)) }
}

/// A small file as text, or nil when it cannot be read.
func readFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        result += buffer[0..<count]
    }
    return String(decoding: result, as: UTF8.self)
}

/// Whether somebody listens on a unix socket.
func accepts(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 }
    }
}
