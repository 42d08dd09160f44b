import Glibc

/// CPU time and memory of a process, read from /proc: never guessed from the outside.
struct ProcessFacts: Sendable {
    let pid: pid_t

    init(_ pid: pid_t) {
        self.pid = pid
    }

    /// User and system time so far, in seconds.
    var cpuSeconds: Double {
        // Fields 14 and 15, counted after the parenthesised command.
        guard let text = read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory in MiB.
    var residentMiB: Double { status("VmRSS:") }

    /// The most it was since `resetPeak`, in MiB.
    var peakMiB: Double { status("VmHWM:") }

    /// Makes the peak start again from now.
    func resetPeak() {
        let descriptor = open("/proc/\(pid)/clear_refs", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = Glibc.write(descriptor, "5", 1)
    }

    private func status(_ field: String) -> Double {
        guard let text = read("/proc/\(pid)/status") else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
        return (line.flatMap { Double($0.filter(\.isNumber)) } ?? 0) / 1024
    }

    private func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[0..<count], as: UTF8.self) : nil
    }
}
