import APITypes
import PodRuntime
import Units

extension PodSync {
    /// Ends a pod, step by step; may be interrupted and called again at any point.
    func terminate(_ given: PodRecord) async throws -> SyncOutcome {
        var record = given
        if record.stage < .terminating {
            node.pods.change(uid) { $0.stage = .terminating }
            record.stage = .terminating
        }
        if record.stage == .terminating {
            try await end(record)
            node.pods.change(uid) { $0.stage = .terminated }
        }
        guard let record = node.pods.record(uid) else { return .gone }
        if let pod = record.pod, !record.isRemoved {
            if pod.metadata.deletionTimestamp != nil { node.statuses.deleteWhenWritten(pod) }
            return .settled(until: nil)
        }
        try await clean(record)
        node.pods.forget(uid)
        return .gone
    }

    /// Ends all processes and the sandbox, then releases what the pod holds on the node.
    private func end(_ record: PodRecord) async throws {
        let observed = try await observe(record)
        if let pod = record.pod {
            let status = publish(pod, observed)
            node.probes.update(pod, observed, status, isTerminating: true)
            await withdraw(pod, observed, graceSeconds: record.graceSeconds)
        }
        if let withdrawn = node.endpointsWithdrawn, record.graceSeconds != 0, !record.isRemoved, !observed.live.isEmpty,
            record.pod?.spec.hostNetwork == false
        {
            await withdrawn(observed.addresses)
        }
        do {
            try await PodKiller(node: node, pod: record.pod, uid: uid).killAll(observed, graceSeconds: record.graceSeconds)
            for sandbox in observed.sandboxes { try await node.runtime.stopPodSandbox(sandbox.id) }
        } catch {
            if let pod = record.pod, !Task.isCancelled {
                node.events.warning(pod, "FailedKillPod", "error killing pod: \(error)")
            }
            throw error
        }
        let after = try await observe(node.pods.record(uid) ?? record)
        node.probes.remove(uid)
        if let pod = record.pod { publish(pod, after, isTerminal: true) }
        if node.runtime.runsProcesses {
            try await node.volumes.tearDown(uid)
            await node.cgroups.tearDown(uid: uid)
        }
        node.objects.untrack(uid)
    }

    /// A pod that serves is first taken out of its services, so that no request reaches a process that is about to end.
    private func withdraw(_ pod: Pod, _ observed: ObservedPod, graceSeconds: Int64?) async {
        guard graceSeconds != 0, observed.containers.contains(where: { $0.state == .running }), !pod.spec.hostNetwork,
            let endpointsWithdrawn = node.facts.current.endpointsWithdrawn
        else { return }
        await endpointsWithdrawn(pod.status.podIPs.map(\.ip))
    }

    /// Removes the last traces of a pod that the API server has forgotten.
    private func clean(_ record: PodRecord) async throws {
        let observed = try await observe(record)
        for container in observed.containers { try await node.runtime.removeContainer(container.id) }
        for sandbox in observed.sandboxes {
            try await node.runtime.stopPodSandbox(sandbox.id)
            try await node.runtime.removePodSandbox(sandbox.id)
        }
        node.restarts.forget(uid)
        node.images.forget(podUID: uid)
        node.statuses.forget(uid)
        node.probes.remove(uid)
        guard node.runtime.runsProcesses else { return }
        try await node.volumes.tearDown(uid)
        let root = node.settings.logRoot
        let suffix = "_\(uid)"
        try? await node.pool.run {
            for name in HostFiles.list(root) where name.hasSuffix(suffix) { try HostFiles.removeTree("\(root)/\(name)") }
        }
    }
}
