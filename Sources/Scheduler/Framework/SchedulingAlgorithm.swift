/// What a cycle decided about a pod.
package enum SchedulingPlan: Sendable {
    /// Bind it to the node.
    case place(node: String, evaluated: Int, feasible: Int)
    /// It fits nowhere; the result of PostFilter says what to do about it.
    case reject(FitError, PostFilterResult?)
    /// There are no nodes at all.
    case noNodes
}

/// A snapshot and a pod in, a plan out. Pure but for `state`, which makes the next cycle start elsewhere.
package struct SchedulingAlgorithm: Sendable {
    /// What one cycle leaves to the next.
    package struct State: Sendable {
        /// Where the search for nodes begins.
        var start = 0
        /// Breaks ties between nodes of equal score.
        var ties: UInt64

        /// A state whose tie-breaking follows from the seed.
        package init(seed: UInt64) {
            ties = seed
        }

        mutating func random(below bound: Int) -> Int {
            ties &+= 0x9E37_79B9_7F4A_7C15
            var mixed = ties
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((mixed ^ (mixed >> 31)) % UInt64(max(bound, 1)))
        }
    }

    /// Below so many nodes all are looked at.
    static let minimumFeasible = 100
    static let minimumPercentage = 5

    package let profile: SchedulingProfile

    /// The algorithm with a profile's plugins.
    package init(_ profile: SchedulingProfile) {
        self.profile = profile
    }

    /// Decides where a pod goes. The snapshot must have been prepared for the pod.
    package func schedule(_ pod: SchedulingPod, _ snapshot: ClusterSnapshot, _ state: inout State) -> SchedulingPlan {
        guard !snapshot.nodes.isEmpty else { return .noNodes }
        var failure = FitError(nodeCount: snapshot.nodes.count)
        var filters: [any NodeFilter] = []
        var restriction: (names: Set<String>, plugins: [String])?
        for plugin in profile.filters {
            switch plugin.prepareFilter(pod, snapshot) {
            case .skip:
                continue
            case .rejected(let status):
                failure.absentStatus = status
                failure.preFilterMessage = status.message
                failure.rejectors = [plugin.name]
                return reject(pod, snapshot, failure, filters)
            case .filter(let filter, let names):
                filters.append(filter)
                guard let names else { continue }
                let known = restriction
                restriction = (known.map { $0.names.intersection(names) } ?? names, (known?.plugins ?? []) + [plugin.name])
            }
        }
        if let restriction {
            let plugins = restriction.plugins.sorted().joined(separator: " ")
            failure.absentStatus = Status(
                .unschedulableAndUnresolvable,
                ["node(s) didn't satisfy plugin(s) [\(plugins)]"],
                plugin: restriction.plugins.first ?? ""
            )
            failure.rejectors = Set(restriction.plugins)
        }
        let search = Search(pod: pod, filters: filters, nominated: snapshot.nominated, named: restriction?.names)
        if !pod.nominatedNodeName.isEmpty, let node = snapshot.node(pod.nominatedNodeName), search.check(node) == nil {
            return .place(node: node.name, evaluated: 1, feasible: 1)
        }
        let found = search.run(snapshot.nodes, from: state.start, atMost: feasibleToFind(snapshot.nodes.count))
        state.start = (state.start + found.feasible.count + found.failures.count) % snapshot.nodes.count
        guard !found.feasible.isEmpty else {
            for (node, status) in found.failures {
                failure.statuses[snapshot.nodes[node].name] = status
                failure.rejectors.insert(status.plugin)
            }
            return reject(pod, snapshot, failure, filters)
        }
        let evaluated = found.feasible.count + found.failures.count
        let node = choose(pod, snapshot, found.feasible, &state)
        return .place(node: node, evaluated: evaluated, feasible: found.feasible.count)
    }

    /// How many nodes that fit are enough.
    func feasibleToFind(_ count: Int) -> Int {
        guard count >= Self.minimumFeasible else { return count }
        var percentage = profile.percentageOfNodesToScore
        if percentage == 0 { percentage = max(50 - count / 125, Self.minimumPercentage) }
        return max(count * percentage / 100, Self.minimumFeasible)
    }

    /// Scores the nodes that fit and takes one of the best.
    private func choose(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ nodes: [NodeSnapshot],
        _ state: inout State
    ) -> String {
        if nodes.count == 1 { return nodes[0].name }
        var totals = [Int64](repeating: 0, count: nodes.count)
        var scores = totals
        for (plugin, weight) in profile.scorers {
            guard case .scorer(let scorer) = plugin.prepareScore(pod, snapshot, nodes) else { continue }
            for index in scores.indices { scores[index] = 0 }
            scorer.score(nodes, into: &scores)
            scorer.normalize(&scores, nodes)
            for index in totals.indices { totals[index] += weight * scores[index] }
        }
        var best = 0
        var equals = 1
        for index in 1..<totals.count {
            if totals[index] > totals[best] {
                best = index
                equals = 1
            } else if totals[index] == totals[best] {
                equals += 1
                if state.random(below: equals) == 0 { best = index }
            }
        }
        return nodes[best].name
    }

    private func reject(
        _ pod: SchedulingPod,
        _ snapshot: ClusterSnapshot,
        _ failure: FitError,
        _ filters: [any NodeFilter]
    ) -> SchedulingPlan {
        var failure = failure
        var outcome: PostFilterResult?
        for plugin in profile.postFilters {
            let result = plugin.postFilter(pod, snapshot, failure, filters)
            outcome = result
            if result.status.isSuccess { break }
            failure.postFilterMessage = result.status.message
        }
        return .reject(failure, outcome)
    }
}

/// The walk over the nodes of one cycle.
private struct Search {
    let pod: SchedulingPod
    let filters: [any NodeFilter]
    let nominated: [String: [SchedulingPod]]
    let named: Set<String>?

    func run(
        _ nodes: [NodeSnapshot],
        from start: Int,
        atMost limit: Int
    ) -> (feasible: [NodeSnapshot], failures: [(Int, Status)]) {
        var feasible: [NodeSnapshot] = []
        feasible.reserveCapacity(min(limit, nodes.count))
        var failures: [(Int, Status)] = []
        var index = start < nodes.count ? start : 0
        for _ in 0..<nodes.count {
            let node = nodes[index]
            if named?.contains(node.name) ?? true {
                if let status = check(node) {
                    failures.append((index, status))
                } else {
                    feasible.append(node)
                    if feasible.count >= limit { break }
                }
            }
            index += 1
            if index == nodes.count { index = 0 }
        }
        return (feasible, failures)
    }

    /// Whether the pod fits, also once the pods that wait for this node have come.
    func check(_ node: NodeSnapshot) -> Status? {
        if !nominated.isEmpty, let expected = nominated[node.name] {
            let others = expected.filter { $0.uid != pod.uid && $0.priority >= pod.priority }
            if !others.isEmpty {
                let crowded = others.reduce(node) { $0.adding($1) }
                for filter in filters {
                    let revised = filter.revised(on: node, adding: others, removing: [])
                    if let status = revised.rejection(of: crowded) { return status }
                }
            }
        }
        for filter in filters {
            if let status = filter.rejection(of: node) { return status }
        }
        return nil
    }
}
