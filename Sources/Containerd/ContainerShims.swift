import Glibc

/// The shims of one containerd: the processes between it and its containers, which outlive it.
///
/// Some without a task have been seen to stay after their containerd ended; nobody would ask those to end any more.
public struct ContainerShims: Sendable {
    /// The socket of the containerd that started them.
    public let socket: String
    /// How long a shim may take to put its socket away.
    private static let grace = Duration.seconds(2)

    /// The shims of the containerd at `socket`.
    public init(socket: String) {
        self.socket = socket
    }

    /// The shims that have no child: no container, no task that is being made.
    public func idle() -> [pid_t] {
        let processes = FileTree.names("/proc").compactMap { pid_t($0) }
        let found = processes.filter(isShim)
        guard !found.isEmpty else { return [] }
        let parents = Set(processes.compactMap(Self.parent))
        return found.filter { !parents.contains($0) }
    }

    /// Ends the idle shims, once their containerd has ended: SIGTERM, then SIGKILL.
    public func endIdle() async {
        let ending = idle()
        for pid in ending { kill(pid, SIGTERM) }
        let end = ContinuousClock.now + Self.grace
        while ending.contains(where: isShim) {
            if ContinuousClock.now > end {
                for pid in ending where isShim(pid) { kill(pid, SIGKILL) }
                return
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func isShim(_ pid: pid_t) -> Bool {
        // A process that has ended and was not reaped has no command line.
        let arguments = (readFile("/proc/\(pid)/cmdline") ?? "").split(separator: "\0", omittingEmptySubsequences: false)
        guard let program = arguments.first?.split(separator: "/").last, program.hasPrefix("containerd-shim"),
            let flag = arguments.firstIndex(of: "-address"), flag + 1 < arguments.count
        else { return false }
        return arguments[flag + 1] == socket
    }

    /// The second field after the name, which is in brackets and may hold anything.
    private static func parent(_ pid: pid_t) -> pid_t? {
        guard let text = readFile("/proc/\(pid)/stat"), let bracket = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }
}
