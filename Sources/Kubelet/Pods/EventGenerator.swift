import APITypes
import Channels
import Logging
import PodRuntime
import RPC

/// Notices what happens in the runtime: by listing everything once a second and comparing (cheap: two calls), or by the
/// runtime's own events where it has them. Owned by its `run`.
struct EventGenerator: Sendable {
    static let relistPeriod: Duration = .seconds(1)
    /// With events the list is only a safety net.
    static let relaxedPeriod: Duration = .seconds(60)

    let runtime: any ContainerRuntime
    let clock: any ClusterClock
    let logger: Logger
    /// Called with the uid of every pod in which something changed.
    let changed: @Sendable (_ uid: String) -> Void
    /// Called when the runtime answers again after it did not.
    let recovered: @Sendable () -> Void
    /// Called after every list with the pods that the runtime has.
    let listed: @Sendable (_ pods: [String: ObservedPod]) async -> Void

    /// What the last list showed of one pod: state by sandbox and container id.
    private typealias Picture = [String: Int]

    func run() async {
        let hasEvents = Signal(false)
        await withDiscardingTaskGroup { group in
            group.addTask {
                await watchEvents { hasEvents.set(true) }
                hasEvents.set(false)
            }
            var pictures: [String: Picture] = [:]
            var isFirst = true
            var wasLost = false
            while !Task.isCancelled {
                if let (fresh, pods) = await list() {
                    // The runtime is back: what failed meanwhile is tried at once.
                    if wasLost { recovered() }
                    wasLost = false
                    for (uid, picture) in fresh where pictures[uid] != picture && !isFirst { changed(uid) }
                    for uid in pictures.keys where fresh[uid] == nil { changed(uid) }
                    pictures = fresh
                    isFirst = false
                    await listed(pods)
                } else {
                    wasLost = true
                }
                let period = hasEvents.value ? Self.relaxedPeriod : Self.relistPeriod
                if (try? await clock.sleep(for: period)) == nil { break }
            }
            group.cancelAll()
        }
    }

    private func watchEvents(_ began: @escaping @Sendable () -> Void) async {
        while !Task.isCancelled {
            do {
                try await runtime.watchEvents { uid in
                    began()
                    if let uid { changed(uid) }
                }
            } catch let error as RuntimeError where error.code == .unimplemented {
                return
            } catch {
                logger.debug("runtime events ended", metadata: ["error": "\(error)"])
            }
            if (try? await clock.sleep(for: Self.relistPeriod)) == nil { return }
        }
    }

    private func list() async -> ([String: Picture], [String: ObservedPod])? {
        do {
            let sandboxes = try await runtime.listPodSandboxes(podUID: nil)
            let containers = try await runtime.listContainers(podUID: nil)
            var pictures: [String: Picture] = [:]
            var pods: [String: ObservedPod] = [:]
            for sandbox in sandboxes {
                guard let uid = sandbox.labels[Labels.podUID] else { continue }
                pictures[uid, default: [:]][sandbox.id] = sandbox.state.rawValue
                var pod = pods[uid] ?? ObservedPod(uid: uid)
                pod.namespace = sandbox.metadata.namespace
                pod.name = sandbox.metadata.name
                pods[uid] = pod
            }
            for container in containers {
                guard let uid = container.labels[Labels.podUID] else { continue }
                pictures[uid, default: [:]][container.id] = container.state.rawValue
                if pods[uid] == nil { pods[uid] = ObservedPod(uid: uid) }
            }
            return (pictures, pods)
        } catch {
            logger.debug("runtime not listed", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
