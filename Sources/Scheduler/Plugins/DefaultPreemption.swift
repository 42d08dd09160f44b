/// Makes room for a pod by removing pods of lower priority from the node where that costs least.
package struct DefaultPreemption: PostFilterPlugin {
    package let name = "DefaultPreemption"
    /// Candidates looked at: this share of the nodes, but not fewer than the number below.
    private static let candidatePercentage = 10
    private static let minimumCandidates = 100

    package init() {}

    package var requeueHints: [RequeueHint] { [RequeueHint(.assignedPodDelete)] }

    private struct Candidate {
        let node: String
        /// Most important first.
        let victims: [SchedulingPod]
        let violations: Int
    }

    package func postFilter(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ failure: FitError,
        _ filters: [any NodeFilter]
    ) -> PostFilterResult {
        if pod.neverPreempts { return refuse("not eligible due to preemptionPolicy=Never.") }
        if waitsForVictims(pod, snapshot, failure) {
            return refuse("not eligible due to a terminating pod on the nominated node.")
        }
        var explanation = FitError(nodeCount: snapshot.nodes.count)
        explanation.absentStatus = .unresolvable("Preemption is not helpful for scheduling", name)
        let limit = max(Self.minimumCandidates, snapshot.nodes.count * Self.candidatePercentage / 100)
        var candidates: [Candidate] = []
        for node in snapshot.nodes where failure.status(of: node.name).code == .unschedulable {
            switch victims(for: pod, on: node, snapshot, filters) {
            case .success(let candidate): candidates.append(candidate)
            case .failure(let rejection): explanation.statuses[node.name] = rejection.status
            }
            if candidates.count >= limit { break }
        }
        guard let best = Self.best(candidates) else {
            let status = Status(.unschedulable, ["preemption: " + explanation.message], plugin: name)
            return PostFilterResult(status: status, nominatedNode: "")
        }
        return PostFilterResult(status: Status(.success, plugin: name), nominatedNode: best.node, victims: best.victims)
    }

    private func refuse(_ reason: String) -> PostFilterResult {
        PostFilterResult(status: .unschedulable("preemption: " + reason, name), nominatedNode: nil)
    }

    /// Pods that were told to go for its sake are still on their way out.
    private func waitsForVictims(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot, _ failure: FitError) -> Bool {
        guard !pod.nominatedNodeName.isEmpty, let node = snapshot.node(pod.nominatedNodeName) else { return false }
        if failure.status(of: node.name).code == .unschedulableAndUnresolvable { return false }
        return node.pods.contains { $0.isTerminating && $0.priority < pod.priority }
    }

    private struct Rejection: Error {
        let status: Status
    }

    /// The fewest and least important pods whose removal lets the pod onto the node.
    private func victims(
        for pod: SchedulingPod,
        on node: NodeSnapshot,
        _ snapshot: ClusterSnapshot,
        _ filters: [any NodeFilter]
    ) -> Result<Candidate, Rejection> {
        var removed = node.pods.filter { $0.priority < pod.priority }
        if removed.isEmpty {
            return .failure(Rejection(status: .unresolvable("No preemption victims found for incoming pod", name)))
        }
        if let status = Self.check(filters, node, without: removed) { return .failure(Rejection(status: status)) }
        removed.sort(by: Self.isMoreImportant)
        let (violating, harmless) = Self.split(removed, by: snapshot.disruptionBudgets)
        var victims = removed
        var violations = 0
        for (group, violates) in [(violating, true), (harmless, false)] {
            for candidate in group {
                let others = victims.filter { $0.uid != candidate.uid }
                if Self.check(filters, node, without: others) == nil {
                    victims = others
                } else if violates {
                    violations += 1
                }
            }
        }
        return .success(Candidate(node: node.name, victims: victims, violations: violations))
    }

    private static func check(_ filters: [any NodeFilter], _ node: NodeSnapshot, without pods: [SchedulingPod]) -> Status? {
        var rest = node
        for pod in pods { rest = rest.removing(uid: pod.uid) }
        for filter in filters {
            let revised = filter.revised(on: node, adding: [], removing: pods)
            if let status = revised.rejection(of: rest) { return status }
        }
        return nil
    }

    private static func isMoreImportant(_ left: SchedulingPod, _ right: SchedulingPod) -> Bool {
        if left.priority != right.priority { return left.priority > right.priority }
        switch (left.started, right.started) {
        case (let first?, let second?): return first < second
        case (nil, _?): return false
        default: return left.started != nil
        }
    }

    private static func split(
        _ pods: [SchedulingPod],
        by budgets: [DisruptionBudget]
    ) -> (violating: [SchedulingPod], harmless: [SchedulingPod]) {
        var left = budgets.map(\.allowed)
        var violating: [SchedulingPod] = []
        var harmless: [SchedulingPod] = []
        for pod in pods {
            var violates = false
            for (index, budget) in budgets.enumerated() where budget.covers(pod) {
                left[index] -= 1
                if left[index] < 0 { violates = true }
            }
            if violates { violating.append(pod) } else { harmless.append(pod) }
        }
        return (violating, harmless)
    }

    /// Fewest budgets violated, then the least important victims, the least sum of priorities, the fewest victims, the
    /// victims that started last.
    private static func best(_ candidates: [Candidate]) -> Candidate? {
        var rest = candidates
        let measures: [(Candidate) -> Int64] = [
            { -Int64($0.violations) },
            { -Int64($0.victims.first?.priority ?? .min / 2) },
            { -$0.victims.reduce(0) { $0 + Int64($1.priority) + Int64(Int32.max) + 1 } },
            { -Int64($0.victims.count) },
            { candidate in
                let top = candidate.victims.first?.priority
                let starts = candidate.victims.filter { $0.priority == top }.compactMap { $0.started?.unixSeconds }
                return starts.min() ?? .max
            },
        ]
        for measure in measures where rest.count > 1 {
            let scores = rest.map(measure)
            let most = scores.max() ?? 0
            rest = zip(rest, scores).filter { $0.1 == most }.map(\.0)
        }
        return rest.first
    }
}
