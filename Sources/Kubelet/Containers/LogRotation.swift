import Channels
import Glibc
import Logging
import PodRuntime
import RPC

/// Rotates the logs of running containers that grew too large.
struct LogRotation: Sendable {
    static let period: Duration = .seconds(10)

    let runtime: any ContainerRuntime
    let pods: PodTable
    let clock: any ClusterClock
    let pool: BlockingPool
    let maximumBytes: Int
    let maximumFiles: Int
    let logger: Logger

    func run() async {
        while (try? await clock.sleep(for: Self.period)) != nil { await rotateAll() }
    }

    /// Looks once at the log of every running container.
    func rotateAll() async {
        for uid in pods.uids {
            for container in pods.record(uid)?.observed.containers ?? [] where container.state == .running {
                await rotate(container)
            }
        }
    }

    private func rotate(_ container: ObservedContainer) async {
        let path = container.logPath
        let (limit, files) = (maximumBytes, maximumFiles)
        let stamp = clock.now.rfc3339.filter(\.isNumber)
        do {
            let isRotated = try await pool.run { () -> Bool in
                var status = stat()
                guard stat(path, &status) == 0, Int(status.st_size) > limit else { return false }
                try Self.rotate(path, stamp: stamp, keeping: max(files - 1, 1))
                return true
            }
            if isRotated { try await runtime.reopenContainerLog(container.id) }
        } catch {
            logger.warning("log not rotated", metadata: ["log": "\(path)", "error": "\(error)"])
        }
    }

    /// Renames the log and removes the oldest of those rotated before.
    private static func rotate(_ path: String, stamp: String, keeping count: Int) throws {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[..<slash])
        let name = String(path[path.index(after: slash)...])
        let old = HostFiles.list(directory).filter { $0.hasPrefix("\(name).") }.sorted()
        for extra in old.prefix(max(0, old.count - count + 1)) { try HostFiles.remove("\(directory)/\(extra)") }
        try HostFiles.rename(path, "\(path).\(stamp.prefix(8))-\(stamp.dropFirst(8))")
    }
}
