import CAllocator
import Channels
import Logging

/// Gives memory back that a burst of work has left: the C library keeps for later what it was given, whole arenas of it.
///
/// Looks at the resident size from time to time. When it has grown, and at least half of the growth is free, the free pages
/// go back to the system. Looking at what is free takes time too, so the pauses get longer while nothing comes of it.
struct MemoryReturn: Sendable {
    private static let shortPause = Duration.seconds(15)
    private static let longPause = Duration.seconds(240)
    /// Less than so many bytes are not worth the trouble.
    private static let growth = 64 << 20
    private let clock: any ClusterClock
    private let logger = Logger(label: "memory")

    init(clock: any ClusterClock) {
        self.clock = clock
    }

    /// Looks until cancelled.
    func run() async {
        var base = apus_resident_memory()
        var pause = Self.shortPause
        while (try? await clock.sleep(for: pause)) != nil {
            let size = apus_resident_memory()
            base = min(base, size)
            guard size - base >= Self.growth else {
                pause = Self.shortPause
                continue
            }
            guard apus_free_memory() >= (size - base) / 2 else {
                pause = min(pause * 2, Self.longPause)
                continue
            }
            apus_give_back_memory()
            base = apus_resident_memory()
            pause = Self.shortPause
            logger.debug("memory given back", metadata: ["before": "\(size)", "after": "\(base)"])
        }
    }
}
