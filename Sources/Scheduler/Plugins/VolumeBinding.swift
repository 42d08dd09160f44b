/// Holds pods back until their claims have volumes. A claim whose class waits for its first consumer holds nothing back.
package struct VolumeBinding: FilterPlugin {
    package let name = "VolumeBinding"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint(.claim) { pod, event in pod.claims.contains { "\(pod.namespace)/\($0.name)" == event.claim } },
            RequeueHint(.storageClass),
        ]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        guard !pod.claims.isEmpty else { return .skip }
        if let problem = pod.claims.lazy.compactMap({ problem($0, of: pod, snapshot) }).first {
            return .rejected(.unresolvable(problem, name))
        }
        let isUnbound = pod.claims.contains { claim in
            guard let facts = snapshot.claims["\(pod.namespace)/\(claim.name)"] else { return false }
            return !facts.isBound && !snapshot.delayedClasses.contains(facts.storageClass)
        }
        return isUnbound ? .rejected(.unresolvable("pod has unbound immediate PersistentVolumeClaims", name)) : .skip
    }

    /// Why a claim can never be used as it is, in upstream's words.
    private func problem(_ claim: PodClaim, of pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> String? {
        let (namespace, name) = (pod.namespace, claim.name)
        guard let facts = snapshot.claims["\(namespace)/\(name)"] else {
            return claim.isEphemeral
                ? "waiting for ephemeral volume controller to create the persistentvolumeclaim \"\(name)\""
                : "persistentvolumeclaim \"\(name)\" not found"
        }
        if facts.isLost { return "persistentvolumeclaim \"\(name)\" bound to non-existent persistentvolume \"\(facts.volumeName)\"" }
        if facts.isTerminating { return "persistentvolumeclaim \"\(name)\" is being deleted" }
        if claim.isEphemeral, facts.ownerUID != pod.uid {
            return "PVC \(namespace)/\(name) was not created for pod \(namespace)/\(pod.name) (pod is not owner)"
        }
        return nil
    }
}
