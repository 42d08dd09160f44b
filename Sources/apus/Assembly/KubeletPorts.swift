import Glibc

/// The kubelet's ports: upstream's, or free ones where another cluster on this machine has those.
struct KubeletPorts: Sendable {
    let api: Int
    let health: Int

    static func free() throws -> KubeletPorts {
        KubeletPorts(api: try pick(10250, "0.0.0.0"), health: try pick(10248, "127.0.0.1"))
    }

    private static func pick(_ preferred: Int, _ host: String) throws -> Int {
        for port in [preferred, 0] {
            if let found = bound(port, host) { return found }
        }
        throw FileError(path: "\(host):\(preferred)", message: FileBytes.lastError())
    }

    /// The port that binding to `port` gives, released at once; nil when it is taken.
    private static func bound(_ port: Int, _ host: String) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, size) == 0, listen(descriptor, 1) == 0,
                    getsockname(descriptor, generic, &size) == 0
                else { return nil }
                return Int(in_port_t(bigEndian: pointer.pointee.sin_port))
            }
        }
    }
}
