import APITypes
import PodRuntime
import Units
import Values

extension PodSync {
    /// How often a resize that the node has no room for is looked at again.
    static let resizeRetryPeriod: Duration = .seconds(5)
    /// The pod's file with what it was given, below its directory.
    static let allocationFile = "resources.json"
    /// No file of ours is larger.
    private static let allocationLimit = 1 << 20

    /// Answers a change of the pod's amounts and returns the pod as if its spec wanted what it was given: that is what the
    /// node keeps it at.
    func granted(_ pod: Pod, _ observed: ObservedPod) async -> Pod {
        // What only pretends to run has at once whatever its spec says, and there is very much of it.
        guard node.runtime.runsProcesses else { return pod }
        if node.pods.record(uid)?.allocation == nil {
            let known = await savedAllocation()
            let begun = Set(observed.containers.map(\.name))
            node.pods.change(uid) { $0.allocation = known ?? PodAllocation(adopting: pod, begun) }
        }
        let before = node.pods.record(uid)?.allocation
        let isNew = node.pods.record(uid)?.wantsResize ?? false
        let (facts, now) = (node.facts.current, now)
        let event = node.pods.answerResizes(for: uid, now: now) {
            PodAdmission(allocatable: facts.allocatable, node: facts.node)
        }
        tell(event, pod)
        noteProgress(pod, observed)
        if isNew || node.pods.record(uid)?.allocation != before { await saveAllocation() }
        return node.pods.record(uid)?.allocation?.granted(pod) ?? pod
    }

    /// Brings the condition of a running resize up to date.
    func noteProgress(_ pod: Pod, _ observed: ObservedPod) {
        let now = now
        tell(node.pods.change(uid) { $0.noteProgress(observed, now: now) } ?? nil, pod)
    }

    func tell(_ event: ResizeEvent?, _ pod: Pod) {
        guard let event else { return }
        if event.isWarning {
            node.events.warning(pod, event.reason, event.message)
        } else {
            node.events.normal(pod, event.reason, event.message)
        }
    }

    /// What an earlier kubelet gave the pod, when it was ever resized.
    private func savedAllocation() async -> PodAllocation? {
        let path = "\(node.podDirectory(uid))/\(Self.allocationFile)"
        let bytes = try? await node.pool.run { try HostFiles.read(path, limit: Self.allocationLimit) }
        guard let bytes, !bytes.isEmpty, let json = try? JSONParser.parse(bytes) else { return nil }
        return PodAllocation(json: json)
    }

    /// Written whole under another name first: a crash leaves the old or the new.
    func saveAllocation() async {
        guard let allocation = node.pods.record(uid)?.allocation else { return }
        let directory = node.podDirectory(uid)
        let text = allocation.json.description
        do {
            try await node.pool.run {
                try HostFiles.makeDirectories(directory)
                try HostFiles.write("\(directory)/\(Self.allocationFile).new", text)
                try HostFiles.rename("\(directory)/\(Self.allocationFile).new", "\(directory)/\(Self.allocationFile)")
            }
        } catch {
            node.logger.warning("what a pod was given is not written", metadata: ["uid": "\(uid)", "error": "\(error)"])
        }
    }
}
