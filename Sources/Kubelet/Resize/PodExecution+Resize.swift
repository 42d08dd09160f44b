import APITypes
import PodRuntime
import Units

/// New amounts that would not hold what already runs.
struct ResizeProblem: Error, CustomStringConvertible {
    let description: String

    init(_ problems: [String]) {
        let text = problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]"
        description = "cannot decrease memory limits: \(text)"
    }
}

extension PodExecution {
    /// Gives what runs the amounts that the pod was given. The pod's own cgroup grows before its containers and shrinks after
    /// them, so that at no time they have more than it. What failed is told, and tried again.
    mutating func resize(_ plan: PodPlan) async {
        guard let allocation = sync.node.pods.record(sync.uid)?.allocation else { return }
        let (before, after) = (LinuxResources.pod(allocation.actual(pod)), LinuxResources.pod(pod))
        do {
            try await checkUsage(plan, allocation, before, after)
            try await sync.node.cgroups.resize(pod, to: before.union(after))
            for name in plan.containersToResize { try await resize(name) }
            try await sync.node.cgroups.resize(pod, to: after)
            sync.node.pods.change(sync.uid) { $0.allocation?.actualWhole = allocation.grantedWhole }
        } catch {
            if Task.isCancelled { return }
            let (problem, now) = ("\(error)", sync.now)
            self.problem = problem
            sync.tell(sync.node.pods.change(sync.uid) { $0.resizeFailed(problem, now: now) } ?? nil, pod)
        }
        await sync.saveAllocation()
    }

    private func resize(_ name: String) async throws {
        let node = sync.node
        guard let seen = observed.latest(name), seen.state == .running,
            let container = (pod.spec.initContainers + pod.spec.containers).first(where: { $0.name == name })
        else { return }
        var resources = LinuxResources.container(container, in: pod, memoryCapacity: node.settings.memoryCapacity)
        // What has no limit any more must say so: left out, it would stay as it was.
        if resources.cpuQuota == 0 {
            resources.cpuPeriod = LinuxResources.cpuPeriod
            resources.cpuQuota = -1
        }
        try await node.runtime.updateContainerResources(seen.id, resources)
        node.pods.change(sync.uid) { $0.allocation?.actual[name] = container.resources }
    }

    /// The kernel would end processes of a container whose limit falls below what it uses.
    private func checkUsage(
        _ plan: PodPlan,
        _ allocation: PodAllocation,
        _ before: LinuxResources.PodLimits,
        _ after: LinuxResources.PodLimits
    ) async throws {
        var shrinking: [String: Int64] = [:]
        for container in pod.spec.initContainers + pod.spec.containers where plan.containersToResize.contains(container.name) {
            guard let limit = container.resources.limits["memory"]?.value, limit > 0 else { continue }
            let old = allocation.actual[container.name]?.limits["memory"]?.value ?? 0
            if old == 0 || limit < old { shrinking[container.name] = limit }
        }
        let podLimit = after.memory.flatMap { new in before.memory.map { new < $0 } ?? true ? new : nil }
        guard podLimit != nil || !shrinking.isEmpty else { return }
        var usage: [String: Int64] = [:]
        for stats in try await sync.node.runtime.listContainerStats() {
            guard let seen = observed.containers.first(where: { $0.id == stats.attributes.id }), seen.state == .running else { continue }
            usage[seen.name] = Int64(clamping: stats.memory.usageBytes.value)
        }
        var problems: [String] = []
        let all = usage.values.reduce(0, +)
        if let podLimit, all >= podLimit {
            problems.append("attempting to set pod memory limit (\(podLimit)) below current usage (\(all))")
        }
        for (name, limit) in shrinking.sorted(by: { $0.key < $1.key }) {
            guard let used = usage[name], used >= limit else { continue }
            problems.append("attempting to set container \"\(name)\" memory limit (\(limit)) below current usage (\(used))")
        }
        if !problems.isEmpty { throw ResizeProblem(problems) }
    }
}
