import Glibc
import Units

/// What the machine says about itself.
struct MachineFacts: Sendable, Hashable {
    var milliCPU: Int64 = 0
    var memory: Int64 = 0
    var ephemeralStorage: Int64 = 0
    var machineID = ""
    var systemUUID = ""
    var bootID = ""
    var kernel = ""
    var osImage = ""
    var architecture = "amd64"

    /// Reads the machine; `directory` names the disk that holds pods. Blocking.
    static func read(directory: String) -> MachineFacts {
        var facts = MachineFacts()
        facts.milliCPU = Int64(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)) * 1000
        facts.memory = memoryTotal() ?? 0
        facts.ephemeralStorage = diskSize(directory) ?? 0
        facts.machineID = line("/etc/machine-id")
        facts.systemUUID = line("/sys/class/dmi/id/product_uuid")
        if facts.systemUUID.isEmpty { facts.systemUUID = facts.machineID }
        facts.bootID = line("/proc/sys/kernel/random/boot_id")
        facts.kernel = line("/proc/sys/kernel/osrelease")
        facts.osImage = osImage()
        #if arch(arm64)
            facts.architecture = "arm64"
        #endif
        return facts
    }

    private static func line(_ path: String) -> String {
        let text = HostFiles.text(path) ?? ""
        return String(text.prefix { $0 != "\n" })
    }

    private static func memoryTotal() -> Int64? {
        value("MemTotal:").map { $0 * 1024 }
    }

    /// Bytes of memory that could be given out without swapping.
    static func memoryAvailable() -> Int64? {
        value("MemAvailable:").map { $0 * 1024 }
    }

    private static func value(_ key: String) -> Int64? {
        let text = HostFiles.text("/proc/meminfo") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
        }
        return nil
    }

    private static func diskSize(_ path: String) -> Int64? {
        disk(path)?.capacity
    }

    /// Size and free bytes and inodes of the file system that holds `path`.
    static func disk(_ path: String) -> (capacity: Int64, available: Int64, inodes: Int64, inodesFree: Int64)? {
        var status = statvfs()
        var existing = path
        // The directory may not be made yet: the one above it lies on the same disk.
        while statvfs(existing, &status) != 0 {
            guard let slash = existing.lastIndex(of: "/"), existing.count > 1 else { return nil }
            existing = slash == existing.startIndex ? "/" : String(existing[..<slash])
        }
        let block = Int64(status.f_frsize)
        return (
            Int64(status.f_blocks) * block, Int64(status.f_bavail) * block, Int64(status.f_files), Int64(status.f_favail)
        )
    }

    private static func osImage() -> String {
        for line in (HostFiles.text("/etc/os-release") ?? "").split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            return line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
        }
        return "linux"
    }
}
