import Channels
import ClusterNetwork
import Glibc

/// The layout of a cluster's data directory, and the lock that keeps it to one process.
struct DataDirectory: Sendable {
    /// The directory's absolute path.
    let path: String

    init(_ path: String) {
        self.path = path == "/" || !path.hasSuffix("/") ? path : String(path.dropLast())
    }

    /// The directory of the embedded store.
    var database: String { path + "/store" }
    /// Keys and certificates.
    var pki: String { path + "/pki" }
    /// What the kubelet keeps of pods: volumes, token files, logs.
    var kubelet: String { path + "/kubelet" }
    /// Container logs, one directory a pod.
    var podLogs: String { path + "/logs/pods" }
    /// Images and snapshots.
    var containerd: String { path + "/containerd" }
    /// CNI configuration.
    var cniConfiguration: String { path + "/cni/net.d" }
    /// CNI's own records.
    var cniState: String { path + "/cni/state" }
    /// The log of a server that runs in the background.
    var log: String { path + "/apus.log" }
    /// The process id of the running server.
    var pidFile: String { path + "/apus.pid" }
    /// The lock.
    var lockFile: String { path + "/apus.lock" }

    /// A short name of this cluster among others on the machine: part of link, table and directory names.
    ///
    /// FNV-1a of the path, so that it stays the same without being kept anywhere.
    var clusterID: String {
        if path == ClusterConfiguration().dataDirectory { return "" }
        var hash: UInt32 = 2_166_136_261
        for byte in path.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return String(hash, radix: 36)
    }

    /// The names of the cluster's links and tables.
    var names: ClusterNames { ClusterNames(id: clusterID) }

    /// Sockets and the state of running containers: on the tmpfs, gone after a reboot like the containers.
    var runtime: String { clusterID.isEmpty ? "/run/apus" : "/run/apus-\(clusterID)" }

    /// The id of the server that holds the lock; nil when none does.
    func owner() -> pid_t? {
        let descriptor = open(lockFile, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
        return FileBytes.text(pidFile).flatMap { pid_t($0) } ?? 0
    }

    /// Makes the directory and takes the lock for as long as the process lives.
    /// - Throws: `FileError` that names the directory and the process that uses it.
    func lock() throws {
        try FileBytes.makeDirectory(path)
        let descriptor = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(path: path, message: FileBytes.lastError()) }
        // A probe by `owner()` holds a shared lock for microseconds: try again before giving up.
        for attempt in 0..<20 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                try FileBytes.write(pidFile, "\(getpid())\n", mode: 0o644)
                return
            }
            if attempt < 19 { usleep(10_000) }
        }
        let holder = FileBytes.text(pidFile).map { " by process \($0)" } ?? ""
        throw FileError(path: path, message: "the data directory is in use\(holder)")
    }
}
