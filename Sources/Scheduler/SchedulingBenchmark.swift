import APIModel
import APITypes
import Units
import Values

/// Upstream's scheduler benchmarks, on the algorithm and the queue alone: no API, no I/O. For `Benchmarks`.
public struct SchedulingBenchmark: Sendable {
    /// What the pods ask for.
    public enum Workload: String, Sendable, CaseIterable {
        /// SchedulingBasic: cpu and memory.
        case basic
        /// SchedulingPodAffinity: near pods of the same label, by zone.
        case affinity
        /// SchedulingPodAntiAffinity: away from pods of the same label, by host.
        case antiAffinity
        /// TopologySpreading: evenly over zones.
        case spread
    }

    /// How a run went.
    public struct Report: Sendable {
        /// What the pods ask for.
        public let workload: Workload
        /// How many nodes.
        public let nodes: Int
        /// Pods given a node.
        public let scheduled: Int
        /// Pods that fit nowhere.
        public let unschedulable: Int
        /// How long all of it took.
        public let duration: Duration

        /// Pods decided a second.
        public var podsPerSecond: Double {
            let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
            return Double(scheduled + unschedulable) / max(seconds, 1e-9)
        }
    }

    /// What the pods ask for.
    public let workload: Workload
    /// How many nodes.
    public let nodes: Int
    /// How many pods.
    public let pods: Int

    /// A run over so many nodes and pods.
    public init(_ workload: Workload = .basic, nodes: Int = 5_000, pods: Int = 10_000) {
        self.workload = workload
        self.nodes = nodes
        self.pods = pods
    }

    /// Schedules all pods one after the other, each seeing those before it.
    public func run(clock: ContinuousClock = ContinuousClock()) -> Report {
        var snapshot = ClusterSnapshot((0..<nodes).map { NodeSnapshot(Self.node($0)) })
        let profile = SchedulingProfile.standard()
        let algorithm = SchedulingAlgorithm(profile)
        var state = SchedulingAlgorithm.State(seed: 1)
        var queue = SchedulingQueue(profile)
        let waiting = (0..<pods).map { SchedulingPod(pod($0)) }
        var scheduled = 0
        let start = clock.now
        for pod in waiting { queue.update(pod, now: .zero) }
        while let next = queue.pop(now: .zero) {
            snapshot.prepare(for: next.pod)
            if case .place(let node, _, _) = algorithm.schedule(next.pod, snapshot, &state) {
                snapshot.addPod(SchedulingPod(next.pod, on: node), to: node)
                scheduled += 1
            }
            queue.finish(next.pod.uid)
        }
        return Report(
            workload: workload,
            nodes: nodes,
            scheduled: scheduled,
            unschedulable: pods - scheduled,
            duration: clock.now - start
        )
    }

    private static func node(_ number: Int) -> NodeFacts {
        NodeFacts(
            name: "node-\(number)",
            labels: [
                "kubernetes.io/hostname": "node-\(number)",
                "topology.kubernetes.io/zone": "zone-\(number % 10)",
            ],
            allocatable: Resources(milliCPU: 4_000, memory: 32 << 30)
        )
    }

    private func pod(_ number: Int) -> Pod {
        var pod = Pod(name: "pod-\(number)", namespace: "default")
        pod.metadata.uid = "uid-\(number)"
        pod.metadata.labels = ["app": workload == .antiAffinity ? "group-\(number / max(nodes, 1))" : "app"]
        var container = Container()
        container.name = "pause"
        container.image = "registry.k8s.io/pause:3.10"
        container.resources.requests = ["cpu": Quantity(milli: 100), "memory": Quantity(value: 500 << 20)]
        pod.spec.containers = [container]
        pod.spec.schedulerName = "default-scheduler"
        var selector = MetaLabelSelector()
        selector.matchLabels = pod.metadata.labels
        var term = PodAffinityTerm()
        term.labelSelector = selector
        switch workload {
        case .basic:
            break
        case .affinity:
            term.topologyKey = "topology.kubernetes.io/zone"
            pod.spec.affinity = Affinity { affinity in
                affinity.podAffinity = PodAffinity { $0.requiredDuringSchedulingIgnoredDuringExecution = [term] }
            }
        case .antiAffinity:
            term.topologyKey = "kubernetes.io/hostname"
            pod.spec.affinity = Affinity { affinity in
                affinity.podAntiAffinity = PodAntiAffinity { $0.requiredDuringSchedulingIgnoredDuringExecution = [term] }
            }
        case .spread:
            pod.spec.topologySpreadConstraints = [
                TopologySpreadConstraint {
                    $0.maxSkew = 1
                    $0.topologyKey = "topology.kubernetes.io/zone"
                    $0.whenUnsatisfiable = "DoNotSchedule"
                    $0.labelSelector = selector
                }
            ]
        }
        return pod
    }
}
