import Channels
import Units

/// Looks whether the node runs out of memory or disk, by upstream's default thresholds.
struct NodePressure: Sendable {
    static let memoryAvailable: Int64 = 100 << 20
    static let diskAvailablePercent: Int64 = 10
    static let inodesFreePercent: Int64 = 5

    let directory: String
    let pool: BlockingPool

    func look() async -> NodeHealth {
        let directory = directory
        let found = try? await pool.run { () -> NodeHealth in
            var health = NodeHealth()
            if let memory = MachineFacts.memoryAvailable() { health.memoryPressure = memory < Self.memoryAvailable }
            if let disk = MachineFacts.disk(directory) {
                let isFull = disk.available * 100 < disk.capacity * Self.diskAvailablePercent
                let lacksInodes = disk.inodes > 0 && disk.inodesFree * 100 < disk.inodes * Self.inodesFreePercent
                health.diskPressure = isFull || lacksInodes
            }
            return health
        }
        return found ?? NodeHealth()
    }
}
