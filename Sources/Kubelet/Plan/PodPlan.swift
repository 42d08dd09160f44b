import APITypes
import PodRuntime

/// Why a running container is ended.
public enum KillReason: Sendable, Hashable {
    /// Its liveness probe failed.
    case livenessProbe
    /// Its startup probe failed.
    case startupProbe
    /// The runtime lost sight of it.
    case unknownState
    /// Anything else.
    case other
}

/// One container to end before going on.
public struct ContainerKill: Sendable, Hashable {
    /// The runtime's id.
    public var id: String
    /// The name in the spec.
    public var name: String
    /// What the Killing event says.
    public var message: String
    /// Why.
    public var reason: KillReason
}

/// What must change on the node so that it matches one pod. Pure: `plan` decides, the worker acts.
public struct PodPlan: Sendable, Hashable {
    /// End the whole sandbox and all in it (before a new one, if `createSandbox`).
    public var killPod = false
    /// Make a new sandbox.
    public var createSandbox = false
    /// The sandbox to use when none is made.
    public var sandboxID: String?
    /// The attempt number of a new sandbox.
    public var attempt: UInt32 = 0
    /// Indices of init containers to start, in this order.
    public var initContainersToStart: [Int] = []
    /// Indices of containers to start.
    public var containersToStart: [Int] = []
    /// Indices of ephemeral containers to start.
    public var ephemeralContainersToStart: [Int] = []
    /// Containers to end first.
    public var containersToKill: [ContainerKill] = []
    /// Names of running containers that get other limits as they run.
    public var containersToResize: [String] = []
    /// The pod's own cgroup gets other limits.
    public var resizesPod = false

    /// Whether some container is to be started, or a sandbox made for them.
    public var startsSomething: Bool {
        createSandbox || !initContainersToStart.isEmpty || !containersToStart.isEmpty || !ephemeralContainersToStart.isEmpty
    }

    /// Whether nothing needs to be done.
    public var isEmpty: Bool {
        !killPod && !createSandbox && initContainersToStart.isEmpty && containersToStart.isEmpty
            && ephemeralContainersToStart.isEmpty && containersToKill.isEmpty && containersToResize.isEmpty && !resizesPod
    }
}

extension PodPlan {
    /// Decides what must change, from what is wanted, what the runtime shows and what the probes concluded.
    static func plan(
        _ pod: Pod,
        observed: ObservedPod,
        probes: ProbeOutcomes,
        allocation: PodAllocation? = nil
    ) -> PodPlan {
        let sandbox = SandboxNeed(pod, observed)
        var plan = PodPlan()
        plan.killPod = sandbox.needsNew
        plan.createSandbox = sandbox.needsNew
        plan.sandboxID = sandbox.id
        plan.attempt = sandbox.attempt
        if sandbox.needsNew {
            plan.planFromScratch(pod, observed)
            return plan
        }
        for (index, container) in pod.spec.ephemeralContainers.enumerated() where observed.latest(container.name) == nil {
            plan.ephemeralContainersToStart.append(index)
        }
        let actual = allocation?.actual ?? [:]
        if let allocation, let whole = allocation.grantedWhole {
            plan.resizesPod = !whole.hasSameAmounts(allocation.actualWhole ?? ResourceRequirements(fields: [:]))
        }
        let initialized = plan.planInitContainers(pod, observed, probes, actual)
        if plan.killPod || !initialized { return plan }
        plan.planContainers(pod, observed, probes, actual)
        return plan
    }

    /// A new sandbox starts the pod from its beginning, unless it has nothing left to do.
    private mutating func planFromScratch(_ pod: Pod, _ observed: ObservedPod) {
        let spec = pod.spec
        if spec.restartPolicy == "Never", attempt != 0, !observed.containers.isEmpty {
            createSandbox = false
            return
        }
        let containers = spec.containers
        let toStart = containers.indices.filter { index in
            let container = containers[index]
            guard (container.restartPolicy ?? spec.restartPolicy) == "OnFailure" else { return true }
            guard let latest = observed.latest(container.name) else { return true }
            return !(latest.state == .exited && latest.exitCode == 0)
        }
        if toStart.isEmpty, containers.contains(where: { observed.latest($0.name) != nil }) {
            createSandbox = false
            return
        }
        if spec.initContainers.isEmpty {
            containersToStart = toStart
        } else {
            initContainersToStart = [0]
        }
    }

    private mutating func planContainers(
        _ pod: Pod,
        _ observed: ObservedPod,
        _ probes: ProbeOutcomes,
        _ actual: [String: ResourceRequirements]
    ) {
        var kept = 0
        for (index, container) in pod.spec.containers.enumerated() {
            guard let latest = observed.latest(container.name), latest.state == .running else {
                planStopped(index, container, pod, observed)
                continue
            }
            guard var kill = Self.kill(container, latest, probes) else {
                if ContainerResize(container, actual: actual[container.name]) == .restart {
                    containersToKill.append(.resized(latest))
                    containersToStart.append(index)
                    resizesPod = true
                    continue
                }
                planResize(container, actual)
                kept += 1
                continue
            }
            if latest.hasOtherSpec(than: container) || pod.spec.restartsAfterKill(container) {
                kill.message += ", will be restarted"
                containersToStart.append(index)
            }
            containersToKill.append(kill)
        }
        if kept == 0, containersToStart.isEmpty {
            // Nothing runs and nothing will: the pod is done. Sidecars have no one left to serve.
            killPod = true
            initContainersToStart = []
        }
    }

    mutating func planResize(_ container: Container, _ actual: [String: ResourceRequirements]) {
        if ContainerResize(container, actual: actual[container.name]) == .inPlace { containersToResize.append(container.name) }
    }

    private mutating func planStopped(_ index: Int, _ container: Container, _ pod: Pod, _ observed: ObservedPod) {
        guard pod.mustStart(container, observed) else { return }
        containersToStart.append(index)
        if let latest = observed.latest(container.name), latest.state == .unknown {
            containersToKill.append(.lost(latest, "Container"))
        }
    }

    private static func kill(_ container: Container, _ latest: ObservedContainer, _ probes: ProbeOutcomes) -> ContainerKill? {
        func kill(_ what: String, _ reason: KillReason) -> ContainerKill {
            ContainerKill(id: latest.id, name: container.name, message: "Container \(container.name) \(what)", reason: reason)
        }
        if latest.hasOtherSpec(than: container) { return kill("definition changed", .other) }
        if probes[.liveness, latest.id] == .failure { return kill("failed liveness probe", .livenessProbe) }
        if probes[.startup, latest.id] == .failure { return kill("failed startup probe", .startupProbe) }
        return nil
    }
}

extension ContainerKill {
    static func lost(_ container: ObservedContainer, _ what: String) -> ContainerKill {
        ContainerKill(
            id: container.id,
            name: container.name,
            message: "\(what) is in \"unknown\" state, try killing it before restart",
            reason: .unknownState
        )
    }
}

/// Whether a pod needs a new sandbox, and which one it has.
struct SandboxNeed {
    let needsNew: Bool
    let attempt: UInt32
    let id: String?

    init(_ pod: Pod, _ observed: ObservedPod) {
        guard let latest = observed.sandboxes.first else {
            (needsNew, attempt, id) = (true, 0, nil)
            return
        }
        let ready = observed.sandboxes.count { $0.isReady }
        let networkChanged = latest.usesHostNetwork != pod.spec.hostNetwork
        let addressLost = !pod.spec.hostNetwork && latest.addresses.isEmpty
        if ready > 1 || !latest.isReady || networkChanged || addressLost {
            (needsNew, attempt, id) = (true, latest.attempt + 1, networkChanged ? nil : latest.id)
        } else {
            (needsNew, attempt, id) = (false, latest.attempt, latest.id)
        }
    }
}
