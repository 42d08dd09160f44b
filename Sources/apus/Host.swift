import ArgumentParser
import Glibc
import Units

/// Facts about the machine that apus runs on.
enum Host {
    /// This program's path.
    static var executable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return count > 0 ? String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "apus"
    }

    /// The host's name as a node name: lower case.
    static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return text(buffer).lowercased()
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Containers, namespaces and nftables need root; hollow nodes do not.
    static func requireRoot(unlessHollow configuration: ClusterConfiguration) throws {
        guard geteuid() != 0, configuration.hollowNodes == 0 else { return }
        throw ValidationError(
            "running containers needs root. To try the API without it: apus up --hollow-nodes 1 --data-dir ~/.apus"
        )
    }

    /// Whether runc may lower oom_score_adj here (CAP_SYS_RESOURCE, number 24).
    static var hasSysResource: Bool {
        let line = (FileBytes.text("/proc/self/status") ?? "").split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let value = line.flatMap { UInt64($0.dropFirst(7).filter { !$0.isWhitespace }, radix: 16) } ?? 0
        return value & (1 << 24) != 0
    }

    /// `unix:///path` or a path, as a path.
    static func socketPath(_ endpoint: String) -> String {
        endpoint.hasPrefix("unix://") ? String(endpoint.dropFirst(7)) : endpoint
    }

    /// The IPv4 address that packets to the world leave from; else that of the first interface that is up.
    static func address(ignoring prefix: String) -> IPAddress? {
        addressOfDefaultRoute() ?? interfaceAddresses(ignoring: prefix).first
    }

    private static func addressOfDefaultRoute() -> IPAddress? {
        let routes = (FileBytes.text("/proc/net/route") ?? "").split(separator: "\n").dropFirst()
        let fields = routes.map { $0.split(whereSeparator: \.isWhitespace) }
        guard let route = fields.first(where: { $0.count > 7 && $0[1] == "00000000" && $0[7] == "00000000" }) else { return nil }
        let name = String(route[0])
        return interfaceAddresses(ignoring: "").isEmpty ? nil : addresses { $0 == name }.first
    }

    private static func interfaceAddresses(ignoring prefix: String) -> [IPAddress] {
        addresses { name in
            name != "lo" && (prefix.isEmpty || !name.hasPrefix(prefix)) && !name.hasPrefix("veth") && !name.hasPrefix("docker")
        }
    }

    private static func addresses(_ isWanted: (String) -> Bool) -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET),
                entry.ifa_flags & UInt32(IFF_UP) != 0, isWanted(String(cString: entry.ifa_name))
            else { continue }
            var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                _ = inet_ntop(AF_INET, &$0.pointee.sin_addr, &text, socklen_t(text.count))
            }
            if let parsed = IPAddress(self.text(text)) { found.append(parsed) }
        }
        return found
    }
}
