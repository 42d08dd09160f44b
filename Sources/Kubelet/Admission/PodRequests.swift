import APITypes
import Units

/// What a pod asks of a node, summed as the scheduler sums it. Pure.
struct PodRequests: Sendable, Hashable {
    /// CPU in thousandths of a core, memory and disk in bytes, others in units; what is not asked for is absent.
    private(set) var amounts: [String: Int64] = [:]

    init() {}

    init(_ pod: Pod) {
        let spec = pod.spec
        var sidecars: [String: Int64] = [:]
        var largest: [String: Int64] = [:]
        // An init container runs beside the sidecars that began before it.
        for container in spec.initContainers {
            let own = Self.requests(container)
            if container.isRestartableInit {
                sidecars.merge(own, uniquingKeysWith: +)
                largest.merge(sidecars, uniquingKeysWith: max)
            } else {
                largest.merge(own.merging(sidecars, uniquingKeysWith: +), uniquingKeysWith: max)
            }
        }
        var running = sidecars
        for container in spec.containers { running.merge(Self.requests(container), uniquingKeysWith: +) }
        amounts = running.merging(largest, uniquingKeysWith: max)
        if let whole = spec.resources { amounts.merge(Self.amounts(whole.requests)) { $1 } }
        amounts.merge(Self.amounts(spec.overhead), uniquingKeysWith: +)
    }

    /// Adds another pod's.
    mutating func add(_ other: PodRequests) {
        amounts.merge(other.amounts, uniquingKeysWith: +)
    }

    private static func requests(_ container: Container) -> [String: Int64] { amounts(container.resources.requests) }

    /// Quantities as whole numbers in each resource's own unit.
    static func amounts(_ quantities: [String: Quantity]) -> [String: Int64] {
        Dictionary(uniqueKeysWithValues: quantities.map { ($0.key, $0.key == "cpu" ? $0.value.milliValue : $0.value.value) })
    }
}
