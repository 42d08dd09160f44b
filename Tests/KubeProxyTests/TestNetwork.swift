import CSyscalls
import Channels
import Glibc
import Testing

/// Network namespaces for one test: a node with a bridge, and pods on it. Removed by `tearDown`.
final class TestNetwork: Sendable {
    let prefix: String
    let node: String
    let pods: [String]
    static let nodeAddress = "192.0.2.10"

    static var isPossible: Bool {
        func has(_ program: String) -> Bool {
            ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].contains { (directory: String) in access(directory + program, X_OK) == 0 }
        }
        return geteuid() == 0 && has("nft") && has("ip") && has("nsenter")
    }

    init(pods count: Int) async throws {
        prefix = "apusp\(getpid())x\(UInt16.random(in: 0..<10_000))"
        node = prefix + "n"
        let prefix = prefix
        pods = (0..<count).map { "\(prefix)p\($0)" }
        do { try await build() } catch {
            await tearDown()
            throw error
        }
    }

    private func build() async throws {
        try await ip("netns", "add", node)
        try await ip("-n", node, "link", "set", "lo", "up")
        try await ip("-n", node, "link", "add", "br0", "type", "bridge")
        try await ip("-n", node, "link", "set", "br0", "type", "bridge", "nf_call_iptables", "1")
        try await ip("-n", node, "addr", "add", "10.244.0.1/24", "dev", "br0")
        try await ip("-n", node, "link", "set", "br0", "up")
        try await ip("-n", node, "link", "add", "eth9", "type", "veth", "peer", "name", "eth9p")
        try await ip("-n", node, "addr", "add", Self.nodeAddress + "/24", "dev", "eth9")
        try await ip("-n", node, "link", "set", "eth9", "up")
        try await ip("-n", node, "link", "set", "eth9p", "up")
        try await ip("-n", node, "route", "add", "10.96.0.0/12", "dev", "br0")
        for (index, pod) in pods.enumerated() {
            try await ip("netns", "add", pod)
            try await ip("-n", node, "link", "add", "v\(index)", "type", "veth", "peer", "name", "eth0", "netns", pod)
            try await ip("-n", node, "link", "set", "v\(index)", "master", "br0", "up")
            try await ip("-n", node, "link", "set", "v\(index)", "type", "bridge_slave", "hairpin", "on")
            try await ip("-n", pod, "link", "set", "lo", "up")
            try await ip("-n", pod, "addr", "add", address(index) + "/24", "dev", "eth0")
            try await ip("-n", pod, "link", "set", "eth0", "up")
            try await ip("-n", pod, "route", "add", "default", "via", "10.244.0.1")
        }
        try await inside(node) {
            let file = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY)
            defer { close(file) }
            _ = write(file, "1", 1)
        }
    }

    func address(_ pod: Int) -> String { "10.244.0.\(pod + 5)" }

    func tearDown() async {
        for name in pods + [node] { _ = try? await ChildProcess.run(["ip", "netns", "del", name]) }
    }

    private func ip(_ arguments: String...) async throws {
        let result = try await ChildProcess.run(["ip"] + arguments)
        guard result.succeeded else {
            throw ChildProcessError(command: (["ip"] + arguments).joined(separator: " "), message: result.errorText)
        }
    }

    /// Runs a body on a thread that has entered a namespace.
    func inside<T: Sendable>(_ name: String, _ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await onDedicatedThread {
            guard apus_setns_path("/run/netns/\(name)", 0) == 0 else {
                throw ChildProcessError(command: "setns", message: describe(errno: errno))
            }
            return try body()
        }
    }

    /// A TCP server in a pod that answers every connection with `name` and closes. It ends with its socket.
    func serve(pod: Int, port: UInt16, name: String) async throws -> Int32 {
        let listener = try await inside(pods[pod]) {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var yes: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
            var place = socketAddress("0.0.0.0", port)
            let bound = withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
            guard bound == 0, listen(listener, 256) == 0 else { throw ChildProcessError(command: "bind", message: describe(errno: errno)) }
            return listener
        }
        // unstructured: a server for the test's duration; closing the socket ends it
        Task.detached {
            try? await onDedicatedThread {
                while case let peer = accept(listener, nil, nil), peer >= 0 {
                    _ = send(peer, name, name.utf8.count, Int32(MSG_NOSIGNAL))
                    close(peer)
                }
            }
        }
        return listener
    }

    /// Connects from a namespace; what the server says, or the error.
    func ask(from name: String, _ address: String, _ port: UInt16) async throws -> String {
        try await inside(name) { talk(address, port) }
    }

    /// Asks many times from one thread.
    func askMany(from name: String, _ address: String, _ port: UInt16, _ count: Int) async throws -> [String: Int] {
        try await inside(name) {
            var answers: [String: Int] = [:]
            for _ in 0..<count { answers[talk(address, port), default: 0] += 1 }
            return answers
        }
    }
}

func socketAddress(_ address: String, _ port: UInt16) -> sockaddr_in {
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    inet_pton(AF_INET, address, &place.sin_addr)
    return place
}

func talk(_ address: String, _ port: UInt16) -> String {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(connection) }
    var limit = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var place = socketAddress(address, port)
    let connected = withUnsafePointer(to: &place) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard connected == 0 else { return "error: \(describe(errno: errno))" }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = recv(connection, &buffer, buffer.count, 0)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : "error: \(describe(errno: errno))"
}
