import APITypes
import RPC
import Units

/// Requests and limits as the kernel knows them.
enum LinuxResources {
    static let cpuPeriod: Int64 = 100_000
    static let minimumQuota: Int64 = 1000
    static let minimumShares: Int64 = 2
    static let sharesPerCPU: Int64 = 1024

    static func shares(milliCPU: Int64) -> Int64 {
        milliCPU == 0 ? minimumShares : min(max(milliCPU * sharesPerCPU / 1000, minimumShares), 262_144)
    }

    static func quota(milliCPU: Int64) -> Int64 {
        milliCPU == 0 ? 0 : max(milliCPU * cpuPeriod / 1000, minimumQuota)
    }

    /// The limits of one container. `endsTogether` (version 2 of cgroups only): out of memory, the kernel ends all its
    /// processes instead of one, so that no container goes on in part.
    static func container(
        _ container: Container,
        in pod: Pod,
        memoryCapacity: Int64,
        endsTogether: Bool = false
    ) -> CRILinuxContainerResources {
        let resources = container.resources
        let whole = pod.spec.resources?.limits ?? [:]
        let cpuLimit = (resources.limits["cpu"] ?? whole["cpu"])?.milliValue ?? 0
        let cpuRequest = resources.requests["cpu"]?.milliValue ?? 0
        return .with {
            $0.cpuShares = shares(milliCPU: cpuRequest == 0 && cpuLimit > 0 ? cpuLimit : cpuRequest)
            if cpuLimit > 0 {
                $0.cpuPeriod = cpuPeriod
                $0.cpuQuota = quota(milliCPU: cpuLimit)
            }
            $0.memoryLimitInBytes = (resources.limits["memory"] ?? whole["memory"])?.value ?? 0
            $0.oomScoreAdj = oomScore(container, in: pod, memoryCapacity: memoryCapacity)
            if endsTogether { $0.unified = ["memory.oom.group": "1"] }
        }
    }

    /// How readily the kernel ends a container when memory runs out: last of all a guaranteed pod's, first of all one
    /// that asked for nothing; in between by its share of the node's memory.
    static func oomScore(_ container: Container, in pod: Pod, memoryCapacity: Int64) -> Int64 {
        let guaranteed: Int64 = -997
        if pod.spec.priorityClassName == "system-node-critical" { return guaranteed }
        switch QoSClass(pod) {
        case .guaranteed: return guaranteed
        case .bestEffort: return 1000
        case .burstable: break
        }
        guard memoryCapacity > 0 else { return 999 }
        let request = container.resources.requests["memory"]?.value ?? 0
        let score = 1000 - Int64(1000 * Double(request) / Double(memoryCapacity))
        if score < 1000 + guaranteed { return 1000 + guaranteed }
        return score == 1000 ? 999 : score
    }

    /// The limits of the pod's own cgroup: all containers together; nil where some container has no limit.
    struct PodLimits: Sendable, Hashable {
        var shares: Int64
        var quota: Int64?
        var memory: Int64?

        /// The larger of each; without a limit where one of the two has none.
        func union(_ other: PodLimits) -> PodLimits {
            PodLimits(
                shares: max(shares, other.shares),
                quota: quota.flatMap { mine in other.quota.map { max(mine, $0) } },
                memory: memory.flatMap { mine in other.memory.map { max(mine, $0) } }
            )
        }
    }

    static func pod(_ pod: Pod) -> PodLimits {
        let spec = pod.spec
        let sidecars = spec.initContainers.filter(\.isRestartableInit)
        let running = spec.containers + sidecars
        func sum(_ name: String, _ value: (Quantity) -> Int64, _ get: (Container) -> [String: Quantity]) -> (Int64, Bool) {
            var total: Int64 = 0
            var isComplete = true
            for container in running {
                if let quantity = get(container)[name], quantity > .zero {
                    total += value(quantity)
                } else {
                    isComplete = false
                }
            }
            let plain = spec.initContainers.filter { !$0.isRestartableInit }
            let largest = plain.compactMap { get($0)[name].map(value) }.max() ?? 0
            if plain.contains(where: { get($0)[name] == nil }) { isComplete = false }
            return (max(total, largest), isComplete)
        }
        let whole = spec.resources
        let (request, _) = sum("cpu", { $0.milliValue }, { $0.resources.requests })
        let (cpu, cpuLimited) = sum("cpu", { $0.milliValue }, { $0.resources.limits })
        let (memory, memoryLimited) = sum("memory", { $0.value }, { $0.resources.limits })
        // What the spec says of the whole counts for the whole.
        let wholeCPU = whole?.limits["cpu"]?.milliValue
        return PodLimits(
            shares: shares(milliCPU: whole?.requests["cpu"]?.milliValue ?? request),
            quota: (wholeCPU ?? (cpuLimited ? cpu : nil)).map { quota(milliCPU: $0) },
            memory: whole?.limits["memory"]?.value ?? (memoryLimited ? memory : nil)
        )
    }
}

/// Where a pod's cgroup lies.
enum PodCgroup {
    static func path(_ pod: Pod, root: String) -> String {
        let uid = pod.metadata.uid
        switch QoSClass(pod) {
        case .guaranteed: return "\(root)/kubepods/pod\(uid)"
        case .burstable: return "\(root)/kubepods/burstable/pod\(uid)"
        case .bestEffort: return "\(root)/kubepods/besteffort/pod\(uid)"
        }
    }
}
