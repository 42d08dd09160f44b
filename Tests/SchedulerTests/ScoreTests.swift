import Testing
import Values

@testable import Scheduler

/// Which of the nodes that fit is taken, and with what scores.
@Suite struct ScoreTests {
    private func scores(_ plugin: any ScorePlugin, _ pod: SchedulingPod, _ snapshot: ClusterSnapshot) -> [Int64]? {
        var snapshot = snapshot
        snapshot.prepare(for: pod)
        guard case .scorer(let scorer) = plugin.prepareScore(pod, snapshot, snapshot.nodes) else { return nil }
        var scores = [Int64](repeating: 0, count: snapshot.nodes.count)
        scorer.score(snapshot.nodes, into: &scores)
        scorer.normalize(&scores, snapshot.nodes)
        return scores
    }

    @Test func `least allocated counts what stays free`() {
        let snapshot = cluster(
            [node("a", cpu: 4, memory: 10), node("b", cpu: 6, memory: 10)],
            [pod("x", cpu: "3", memory: "5Gi", on: "b")]
        )
        // a: (4000-3000)/4000 = 25, (10-5)/10 = 50; b: 0 and 0.
        #expect(scores(NodeResourcesFit(), pod("p", cpu: "3", memory: "5Gi"), snapshot) == [37, 0])
    }

    @Test func `a pod that asks for nothing is scored with defaults`() {
        #expect(scores(NodeResourcesFit(), pod("p"), cluster([node("a", cpu: 1, memory: 1)])) == [85])
        #expect(scores(NodeResourcesBalancedAllocation(), pod("p"), cluster([node("a")])) == nil)
    }

    @Test func `balance is judged before and after`() {
        let snapshot = cluster([node("a", cpu: 4, memory: 4), node("b", cpu: 4, memory: 4)], [pod("x", cpu: "2", on: "b")])
        // a: 100 before, 75 after; b: 75 before, 100 after; half the difference is added to 75.
        #expect(scores(NodeResourcesBalancedAllocation(), pod("p", memory: "2Gi"), snapshot) == [62, 87])
    }

    @Test func `taints that discourage count against a node`() {
        let soft = { (key: String) in NodeTaint(key: key, effect: .preferNoSchedule) }
        let snapshot = cluster([node("a"), node("b", taints: [soft("x")]), node("c", taints: [soft("x"), soft("y")])])
        #expect(scores(TaintToleration(), pod("p"), snapshot) == [100, 50, 0])
        #expect(scores(TaintToleration(), pod("p"), cluster([node("a")])) == [100])
    }

    @Test func `preferred node affinity adds up its weights`() {
        let spec = json(
            #"{"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":2,"preference":{"matchExpressions":[{"key":"d","operator":"In","values":["ssd"]}]}},{"weight":6,"preference":{"matchExpressions":[{"key":"z","operator":"Exists"}]}}]}}}"#
        )
        let snapshot = cluster([node("a", labels: ["d": "ssd"]), node("b", labels: ["d": "ssd", "z": ""]), node("c")])
        #expect(scores(NodeAffinityPlugin(), pod("p", spec: spec), snapshot) == [25, 100, 0])
    }

    @Test func `images in place draw a pod, the more the larger and the wider spread`() {
        let image = "nginx:latest"
        let snapshot = cluster([node("a", images: [image: 600 << 20]), node("b"), node("c", images: [image: 600 << 20])])
        let expected = Int64(100 * ((400 - 23) << 20)) / Int64((1_000 - 23) << 20)
        let found = scores(ImageLocality(), pod("p"), snapshot)
        #expect(found == [expected, 0, expected])
    }

    @Test func `preferred spreading prefers the emptier zone`() {
        let spec = json(
            #"{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"web"}}}]}"#
        )
        let nodes = [node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "2"]), node("c")]
        let placed = [
            pod("x", labels: ["app": "web"], on: "a"), pod("y", labels: ["app": "web"], on: "a"), pod("z", labels: ["app": "web"], on: "b"),
        ]
        let found = scores(PodTopologySpread(), pod("p", labels: ["app": "web"], spec: spec), cluster(nodes, placed))
        // Two and one times log(4), rounded: 3 and 1; the node without a zone counts for nothing.
        #expect(found == [33, 100, 0])
    }

    @Test func `preferred affinity and anti-affinity pull and push`() {
        func spec(_ kind: String) -> JSONValue {
            json(
                #"{"affinity":{"\#(kind)":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":5,"podAffinityTerm":{"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"web"}}}}]}}}"#
            )
        }
        let nodes = [node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "2"])]
        let placed = [pod("x", labels: ["app": "web"], on: "b")]
        #expect(scores(InterPodAffinity(), pod("p", spec: spec("podAffinity")), cluster(nodes, placed)) == [0, 100])
        #expect(scores(InterPodAffinity(), pod("p", spec: spec("podAntiAffinity")), cluster(nodes, placed)) == [100, 0])
        #expect(scores(InterPodAffinity(), pod("p"), cluster(nodes, placed)) == nil)
    }

    @Test func `ties are broken evenly and reproducibly`() {
        let snapshot = cluster((0..<4).map { node("n\($0)") })
        var taken: [String: Int] = [:]
        for seed in 0..<400 { taken[decide(pod("p", cpu: "1"), snapshot, seed: UInt64(seed)).node ?? "", default: 0] += 1 }
        #expect(taken.count == 4)
        #expect(taken.values.allSatisfy { $0 > 60 })
        #expect(decide(pod("p"), snapshot, seed: 7).node == decide(pod("p"), snapshot, seed: 7).node)
    }

    @Test(arguments: [(50, 50), (99, 99), (100, 100), (1_000, 420), (5_000, 500), (20_000, 1_000)])
    func `enough nodes is less than all in a large cluster`(_ nodes: Int, _ expected: Int) {
        #expect(SchedulingAlgorithm(.standard()).feasibleToFind(nodes) == expected)
    }

    @Test func `the search goes on where the last one ended`() {
        let snapshot = cluster((0..<300).map { node("n\($0)") })
        let algorithm = SchedulingAlgorithm(.standard())
        var state = SchedulingAlgorithm.State(seed: 1)
        var starts: [Int] = []
        for _ in 0..<4 {
            starts.append(state.start)
            _ = algorithm.schedule(pod("p"), snapshot, &state)
        }
        #expect(starts == [0, 144, 288, 132])
    }

    @Test func `nodes are tried zone by zone in turn`() {
        let zone = { (name: String, zone: String) in node(name, labels: ["topology.kubernetes.io/zone": zone]) }
        let snapshot = cluster([zone("a1", "a"), zone("a2", "a"), zone("a3", "a"), zone("b1", "b"), zone("c1", "c"), zone("c2", "c")])
        #expect(snapshot.nodes.map(\.name) == ["a1", "b1", "c1", "a2", "c2", "a3"])
    }
}
