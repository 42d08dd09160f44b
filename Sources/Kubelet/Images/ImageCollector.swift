import Channels
import Logging
import PodRuntime
import RPC

/// Removes images that no container uses once the disk fills up, those unused the longest first.
struct ImageCollector: Sendable {
    static let period: Duration = .seconds(300)

    let runtime: any ContainerRuntime
    let clock: any ClusterClock
    let pool: BlockingPool
    let highPercent: Int
    let lowPercent: Int
    let logger: Logger

    func run() async {
        var unusedSince: [String: Duration] = [:]
        while (try? await clock.sleep(for: Self.period)) != nil {
            do {
                try await collect(&unusedSince)
            } catch {
                logger.warning("image collection failed", metadata: ["error": "\(error)"])
            }
        }
    }

    private func collect(_ unusedSince: inout [String: Duration]) async throws {
        let used = Set(try await runtime.listContainers(podUID: nil).flatMap { [$0.imageRef, $0.imageID, $0.image.image] })
        let images = try await runtime.listImages()
        let unused = images.filter { image in
            !image.pinned && !used.contains(image.id) && !image.repoTags.contains(where: used.contains)
                && !image.repoDigests.contains(where: used.contains)
        }
        let ids = Set(unused.map(\.id))
        unusedSince = unusedSince.filter { ids.contains($0.key) }
        for id in ids where unusedSince[id] == nil { unusedSince[id] = clock.monotonic }
        guard let path = try await runtime.imageFilesystems().first?.fsID.mountpoint,
            let disk = try await pool.run({ MachineFacts.disk(path) }), disk.capacity > 0
        else { return }
        let usedBytes = disk.capacity - disk.available
        guard usedBytes * 100 >= disk.capacity * Int64(highPercent) else { return }
        var toFree = usedBytes - disk.capacity * Int64(lowPercent) / 100
        for image in unused.sorted(by: { unusedSince[$0.id, default: .zero] < unusedSince[$1.id, default: .zero] }) {
            if toFree <= 0 { return }
            try await runtime.removeImage(image.id)
            logger.info("unused image removed", metadata: ["image": "\(image.repoTags.first ?? image.id)"])
            toFree -= Int64(clamping: image.size)
        }
    }
}
