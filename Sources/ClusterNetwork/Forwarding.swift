import APIClient

/// The kernel's `ip_forward`: switched on for pods, and off again by the last cluster on the machine if it was off.
///
/// What it was is noted outside any cluster's directory, since clusters come and go in any order.
struct Forwarding: Sendable {
    private let host: HostCommands
    private static let setting = "net/ipv4/ip_forward"
    private static let linkPrefix = "apus"

    init(_ host: HostCommands) {
        self.host = host
    }

    /// Switches forwarding on. False when it is off and may not be changed.
    func enable() async -> Bool {
        if await current() == "1" { return true }
        guard let note = await note(), await host.set(Self.setting, "1") else { return false }
        try? await HostCommands.writeFile(note, [UInt8(ascii: "0"), UInt8(ascii: "\n")])
        return true
    }

    /// Switches it off again when a cluster had switched it on and no other is left.
    func restore() async {
        guard let note = await note(), (try? AtomicFile.read(note)) ?? nil != nil else { return }
        let bridges = (try? await host.run(["ip", "-o", "link", "show", "type", "bridge"])) ?? ""
        let isLast = !bridges.split(separator: "\n").contains { line in
            line.split(separator: " ").dropFirst().first?.hasPrefix(Self.linkPrefix) == true
        }
        guard isLast else { return }
        _ = await host.set(Self.setting, "0")
        HostCommands.removeFile(note)
    }

    private func current() async -> String? {
        (try? await host.run(["cat", "/proc/sys/\(Self.setting)"]))?.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    /// One note a network namespace: `net:[4026531840]`.
    private func note() async -> String? {
        guard let name = try? await host.run(["readlink", "/proc/self/ns/net"]) else { return nil }
        return "/run/apus-ip-forward-\(name.filter(\.isNumber))"
    }
}
