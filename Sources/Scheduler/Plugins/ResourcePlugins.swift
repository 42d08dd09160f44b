/// Whether a node has room for what a pod asks, and prefers the emptier nodes.
package struct NodeResourcesFit: FilterPlugin, ScorePlugin {
    package let name = "NodeResourcesFit"

    package init() {}

    package var requeueHints: [RequeueHint] {
        [
            RequeueHint([.assignedPodDelete, .assignedPodScaleDown]),
            RequeueHint([.nodeAdd, .nodeAllocatable]) { pod, event in
                event.node.map { Room.couldEverFit(pod, $0) } ?? true
            },
            RequeueHint(.podUpdate),
        ]
    }

    package func prepareFilter(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> FilterPreparation {
        .filter(Room(requests: pod.requests, plugin: name))
    }

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        .scorer(LeastAllocated(milliCPU: pod.scoredMilliCPU, memory: pod.scoredMemory))
    }

    struct Room: NodeFilter {
        let requests: Resources
        let hasScalars: Bool
        let isZero: Bool
        let plugin: String

        init(requests: Resources, plugin: String) {
            self.requests = requests
            self.plugin = plugin
            hasScalars = !requests.scalars.isEmpty
            isZero = requests.isZero
        }

        static func couldEverFit(_ pod: SchedulingPod, _ node: NodeFacts) -> Bool {
            let (wanted, offered) = (pod.requests, node.allocatable)
            return wanted.milliCPU <= offered.milliCPU && wanted.memory <= offered.memory
                && wanted.ephemeralStorage <= offered.ephemeralStorage
                && wanted.scalars.allSatisfy { $0.value <= offered.scalars[$0.key] ?? 0 }
        }

        func rejection(of node: NodeSnapshot) -> Status? {
            let hasPlace = node.hasPlace
            if isZero && hasPlace { return nil }
            let fits =
                hasPlace && requests.milliCPU <= node.allocatableMilliCPU - node.requested.milliCPU
                && requests.memory <= node.allocatableMemory - node.requested.memory
                && (requests.ephemeralStorage == 0 || ephemeralFits(node))
                && (!hasScalars || scalarsFit(node))
            // Zero amounts are not asked for, even of a node that is over-committed.
            return fits ? nil : explain(node)
        }

        private func ephemeralFits(_ node: NodeSnapshot) -> Bool {
            requests.ephemeralStorage <= node.facts.allocatable.ephemeralStorage - node.requested.ephemeralStorage
        }

        private func scalarsFit(_ node: NodeSnapshot) -> Bool {
            requests.scalars.allSatisfy { name, amount in
                amount == 0 || amount <= (node.facts.allocatable.scalars[name] ?? 0) - (node.requested.scalars[name] ?? 0)
            }
        }

        private func explain(_ node: NodeSnapshot) -> Status? {
            var reasons: [String] = []
            var isHopeless = false
            func check(_ name: String, _ wanted: Int64, _ used: Int64, _ offered: Int64) {
                guard wanted > 0, wanted > offered - used else { return }
                reasons.append("Insufficient \(name)")
                isHopeless = isHopeless || wanted > offered
            }
            if node.pods.count + 1 > node.facts.allowedPods { reasons.append("Too many pods") }
            let (used, offered) = (node.requested, node.facts.allocatable)
            check("cpu", requests.milliCPU, used.milliCPU, offered.milliCPU)
            check("memory", requests.memory, used.memory, offered.memory)
            check("ephemeral-storage", requests.ephemeralStorage, used.ephemeralStorage, offered.ephemeralStorage)
            for (name, wanted) in requests.scalars.sorted(by: { $0.key < $1.key }) {
                check(name, wanted, used.scalars[name] ?? 0, offered.scalars[name] ?? 0)
            }
            if reasons.isEmpty { return nil }
            return Status(isHopeless ? .unschedulableAndUnresolvable : .unschedulable, reasons, plugin: plugin)
        }
    }

    /// The share of cpu and memory that stays free, each counting the same.
    struct LeastAllocated: NodeScorer {
        let milliCPU: Int64
        let memory: Int64

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() {
                var sum: Int64 = 0
                var weight: Int64 = 0
                if node.allocatableMilliCPU > 0 {
                    sum += free(node.scoredMilliCPU + milliCPU, of: node.allocatableMilliCPU)
                    weight += 1
                }
                if node.allocatableMemory > 0 {
                    sum += free(node.scoredMemory + memory, of: node.allocatableMemory)
                    weight += 1
                }
                scores[index] = weight == 0 ? 0 : sum / weight
            }
        }

        @inline(__always)
        private func free(_ requested: Int64, of capacity: Int64) -> Int64 {
            requested > capacity ? 0 : (capacity - requested) * maximumNodeScore / capacity
        }
    }
}

/// Prefers nodes on which cpu and memory are used in like measure after the pod has come.
package struct NodeResourcesBalancedAllocation: ScorePlugin {
    package let name = "NodeResourcesBalancedAllocation"

    package init() {}

    package func prepareScore(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot]
    ) -> ScorePreparation {
        // Pods that ask for nothing would all go to one node.
        if pod.requests.milliCPU == 0 && pod.requests.memory == 0 { return .skip }
        return .scorer(Balance(milliCPU: pod.requests.milliCPU, memory: pod.requests.memory))
    }

    struct Balance: NodeScorer {
        let milliCPU: Int64
        let memory: Int64

        func score(_ nodes: [NodeSnapshot], into scores: inout [Int64]) {
            for (index, node) in nodes.enumerated() {
                let cpu = node.allocatableMilliCPU
                let bytes = node.allocatableMemory
                let after = Self.evenness(node.requested.milliCPU + milliCPU, cpu, node.requested.memory + memory, bytes)
                let before = Self.evenness(node.requested.milliCPU, cpu, node.requested.memory, bytes)
                scores[index] = maximumNodeScore / 2 + (maximumNodeScore / 2 + after - before) / 2
            }
        }

        /// 100 when both are used in like measure, 50 when one is full and the other empty.
        @inline(__always)
        private static func evenness(_ cpu: Int64, _ ofCPU: Int64, _ memory: Int64, _ ofMemory: Int64) -> Int64 {
            guard ofCPU > 0, ofMemory > 0 else { return maximumNodeScore }
            let first = min(Double(cpu) / Double(ofCPU), 1)
            let second = min(Double(memory) / Double(ofMemory), 1)
            return Int64((1 - abs(first - second) / 2) * Double(maximumNodeScore))
        }
    }
}
