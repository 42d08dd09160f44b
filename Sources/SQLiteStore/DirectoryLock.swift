import Channels
import Glibc
import Store

/// Keeps other processes out of a data directory for as long as it lives; the kernel frees it if the process dies.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Creates the directory if need be and locks it, or says who has it.
    init(directory: String) throws(StoreError) {
        try Self.createDirectory(directory)
        let path = directory + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(.unavailable, "cannot open \(path): \(describe(errno: errno))")
        }
        guard Self.lock(descriptor) else {
            let code = errno
            defer { Glibc.close(descriptor) }
            guard code == EWOULDBLOCK else {
                throw StoreError(.unavailable, "cannot lock \(path): \(describe(errno: code))")
            }
            let owner = Self.owner(descriptor)
            let name = owner.map { "process \($0)" } ?? "another process"
            throw StoreError(.locked(pid: owner), "data directory \(directory) is in use by \(name)")
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        // Only the error message of the next process depends on it, and a full disk must not keep us from starting.
        _ = pwrite(descriptor, text, text.count, 0)
        self.descriptor = descriptor
    }

    /// How often a lock that is held is tried again, ten milliseconds apart.
    private static let attempts = 30

    /// Takes the lock. A child being spawned holds a copy of every descriptor until its exec, also of a lock that its
    /// owner has just given up, so one refusal says nothing yet. False with errno set.
    private static func lock(_ descriptor: Int32) -> Bool {
        for attempt in 1...attempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK, attempt < attempts else { return false }
            usleep(10_000)
        }
        return false
    }

    deinit {
        Glibc.close(descriptor)
    }

    private static func owner(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self))
    }

    private static func createDirectory(_ directory: String) throws(StoreError) {
        var path = directory.hasPrefix("/") ? "" : "."
        for part in directory.split(separator: "/") {
            path += "/" + part
            if mkdir(path, 0o700) != 0 && errno != EEXIST {
                throw StoreError(.unavailable, "cannot create \(path): \(describe(errno: errno))")
            }
        }
    }

    /// Makes the names in a directory durable.
    static func sync(directory: String) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        Glibc.close(descriptor)
    }
}
