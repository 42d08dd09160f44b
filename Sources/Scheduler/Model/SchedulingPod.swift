import APIModel
import APITypes
import ControllerRuntime
import Units

/// A port a pod wants on the host.
package struct HostPort: Sendable, Hashable {
    /// The address; `0.0.0.0` is all.
    package let ip: String
    /// TCP, UDP or SCTP.
    package let proto: String
    /// The number.
    package let port: Int

    /// A port with its defaults filled in.
    package init(ip: String = "", proto: String = "", port: Int) {
        self.ip = ip.isEmpty ? "0.0.0.0" : ip
        self.proto = proto.isEmpty ? "TCP" : proto
        self.port = port
    }

    /// Whether both cannot be had at once.
    func conflicts(with other: HostPort) -> Bool {
        port == other.port && proto == other.proto && (ip == other.ip || ip == "0.0.0.0" || other.ip == "0.0.0.0")
    }
}

/// What scheduling needs to know of a pod, decoded once. Immutable.
package final class SchedulingPod: Sendable {
    package let namespace: String
    package let name: String
    package let uid: String
    package let labels: [String: String]
    package let schedulerName: String
    /// Where it runs; empty while it is pending.
    package let nodeName: String
    package let nominatedNodeName: String
    package let priority: Int
    /// It may not preempt others.
    package let neverPreempts: Bool
    package let created: Timestamp?
    package let started: Timestamp?
    package let isTerminating: Bool
    /// It has run to its end and needs nothing any more.
    package let isFinished: Bool
    package let generation: Int
    package let requests: Resources
    /// What scoring counts: the requests, or a default where a container names none.
    package let scoredMilliCPU: Int64
    package let scoredMemory: Int64
    package let hostPorts: [HostPort]
    package let tolerations: [PodToleration]
    package let nodeSelector: [String: String]
    package let requiredNodeTerms: [NodeTerm]?
    package let preferredNodeTerms: [WeightedNodeTerm]
    /// Image names with their tags, once for each container.
    package let images: [String]
    package let containerCount: Int
    package let schedulingGates: [String]
    /// The claims of its volumes, in order.
    package let claims: [PodClaim]
    package let spreadConstraints: [SpreadConstraint]
    package let affinity: PodAffinityTerms
    /// The conditions as they stand, to tell whether a new one says anything new.
    package let scheduledCondition: PodCondition?

    /// `namespace/name`.
    package var key: String { namespace + "/" + name }

    /// Reads a pod. Of `summary`, what an informer keeps of it anyway is shared.
    package init(_ pod: Pod, summary: ObjectSummary? = nil) {
        let meta = pod.metadata
        let spec = pod.spec
        let status = pod.status
        namespace = summary?.namespace ?? meta.namespace
        name = summary?.name ?? meta.name
        uid = summary?.uid ?? meta.uid
        let labels = summary?.labels ?? meta.labels
        self.labels = labels
        schedulerName = SharedPodParts.names.shared(spec.schedulerName)
        nodeName = spec.nodeName
        nominatedNodeName = status.nominatedNodeName
        priority = spec.priority ?? 0
        neverPreempts = spec.preemptionPolicy == "Never"
        created = meta.creationTimestamp
        started = status.startTime
        isTerminating = meta.deletionTimestamp != nil
        isFinished = status.phase == "Succeeded" || status.phase == "Failed"
        generation = meta.generation
        let amounts = PodRequests(spec, status)
        requests = amounts.requests
        scoredMilliCPU = amounts.nonZeroMilliCPU
        scoredMemory = amounts.nonZeroMemory
        let containers = spec.containers
        let starting = spec.initContainers
        hostPorts = (containers + starting.filter { $0.restartPolicy == "Always" }).flatMap { container in
            container.ports.filter { $0.hostPort > 0 }.map { HostPort(ip: $0.hostIP, proto: $0.protocol, port: $0.hostPort) }
        }
        tolerations = SharedPodParts.tolerations.shared(spec.tolerations.map(PodToleration.init))
        nodeSelector = spec.nodeSelector
        let affinity = spec.affinity
        let node = affinity?.nodeAffinity
        requiredNodeTerms = node?.requiredDuringSchedulingIgnoredDuringExecution.map { $0.nodeSelectorTerms.map(NodeTerm.init) }
        preferredNodeTerms = (node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map {
            WeightedNodeTerm(weight: Int64($0.weight), term: NodeTerm($0.preference))
        }
        images = SharedPodParts.images.shared((starting + containers).map { Self.normalized($0.image) })
        containerCount = containers.count + starting.count
        schedulingGates = spec.schedulingGates.map(\.name)
        claims = PodClaim.all(name, spec.volumes)
        spreadConstraints = spec.topologySpreadConstraints.map { SpreadConstraint($0, labels: labels) }
        self.affinity = PodAffinityTerms(affinity, namespace: namespace, labels: labels)
        scheduledCondition = status.conditions.first { $0.type == "PodScheduled" }
    }

    /// A copy that stands on a node: how an assumed pod is counted.
    package init(_ pod: SchedulingPod, on node: String) {
        namespace = pod.namespace
        name = pod.name
        uid = pod.uid
        labels = pod.labels
        schedulerName = pod.schedulerName
        nodeName = node
        nominatedNodeName = pod.nominatedNodeName
        priority = pod.priority
        neverPreempts = pod.neverPreempts
        created = pod.created
        started = pod.started
        isTerminating = pod.isTerminating
        isFinished = pod.isFinished
        generation = pod.generation
        requests = pod.requests
        scoredMilliCPU = pod.scoredMilliCPU
        scoredMemory = pod.scoredMemory
        hostPorts = pod.hostPorts
        tolerations = pod.tolerations
        nodeSelector = pod.nodeSelector
        requiredNodeTerms = pod.requiredNodeTerms
        preferredNodeTerms = pod.preferredNodeTerms
        images = pod.images
        containerCount = pod.containerCount
        schedulingGates = pod.schedulingGates
        claims = pod.claims
        spreadConstraints = pod.spreadConstraints
        affinity = pod.affinity
        scheduledCondition = pod.scheduledCondition
    }

    /// The name with a tag: what the node reports.
    static func normalized(_ image: String) -> String {
        let colon = image.utf8.lastIndex(of: UInt8(ascii: ":"))
        let slash = image.utf8.lastIndex(of: UInt8(ascii: "/"))
        if let colon, slash.map({ colon > $0 }) ?? true { return image }
        return image + ":latest"
    }
}
