import APITypes
import Channels
import Logging
import PodRuntime
import Synchronization
import Units

/// What pod workers work with. One per kubelet, shared by its pods.
struct NodeContext: Sendable {
    let nodeName: String
    let runtime: any ContainerRuntime
    let api: any NodeAPI
    let events: EventSink
    let clock: any ClusterClock
    let pool: BlockingPool
    let settings: ContainerSettings
    let pods: PodTable
    let volumes: PodVolumes
    let objects: ObjectCache
    let images: ImagePuller
    let probes: ProbeWorkers
    let statuses: StatusWriter
    let hooks: LifecycleHooks
    let cgroups: PodCgroups
    let restarts: RestartBackoff
    let facts: NodeFacts
    /// See `KubeletConfiguration.endpointsWithdrawn`.
    let endpointsWithdrawn: (@Sendable (_ podIPs: [String]) async -> Void)?
    let logger: Logger

    func podDirectory(_ uid: String) -> String { volumes.podDirectory(uid) }
}

/// Facts about the node that pods are told of. Guarded by `state`.
final class NodeFacts: Sendable {
    struct State: Sendable {
        var addresses: [String] = []
        var allocatable: [String: Quantity] = [:]
        /// The node as the API last showed it.
        var node: Node?
        /// Why the network cannot take pods; nil when it can.
        var networkProblem: String?
        var services: @Sendable () -> [Service] = { [] }
        /// Waits until no service leads to the addresses given.
        var endpointsWithdrawn: (@Sendable ([String]) async -> Void)?
    }

    private let state: Mutex<State>

    init(_ initial: State = State()) {
        state = Mutex(initial)
    }

    var current: State { state.withLock { $0 } }

    func update(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
    }
}

/// Crash loop back-off of containers. Guarded by `backoff`.
final class RestartBackoff: Sendable {
    private let backoff: Mutex<Backoff>

    init(maximum: Duration = .seconds(300)) {
        backoff = Mutex(Backoff(maximum: maximum))
    }

    private static func key(_ pod: Pod, _ container: Container) -> String {
        "\(pod.metadata.uid)_\(container.name)_\(container.specHash)"
    }

    /// Nil when the container may start now (and is counted), else until when it waits and the words for it.
    func check(
        _ pod: Pod,
        _ container: Container,
        _ observed: ObservedPod,
        now: Timestamp
    ) -> (until: Timestamp, message: String)? {
        let ended = observed.containers.first { $0.name == container.name && $0.state == .exited }
        guard let finishedAt = ended?.finishedAt else { return nil }
        let key = Self.key(pod, container)
        return backoff.withLock { backoff in
            guard let until = backoff.waitingUntil(key, since: finishedAt, now: now) else {
                backoff.next(key, event: finishedAt, now: now)
                return nil
            }
            let wait = DurationText.format(backoff.wait(key))
            return (until, "back-off \(wait) restarting failed container=\(container.name) pod=\(pod.longName)")
        }
    }

    func forget(_ uid: String) {
        backoff.withLock { $0.forget(prefix: "\(uid)_") }
    }
}
