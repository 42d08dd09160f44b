import Testing
import Units
import Values

@testable import Scheduler

/// Which nodes a pod fits on, and the words when it fits on none.
@Suite struct FilterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let pod: SchedulingPod
        let nodes: [NodeFacts]
        var pods: [SchedulingPod] = []
        /// The nodes it fits on; empty means the message is expected.
        var fits: Set<String> = []
        var message = ""
    }

    static let hopeless = "Preemption is not helpful for scheduling."

    static let cases: [Case] = [
        Case(testDescription: "room", pod: pod("p", cpu: "1", memory: "1Gi"), nodes: [node("a"), node("b", cpu: 0)], fits: ["a"]),
        Case(
            testDescription: "upstream's mixed message",
            pod: pod("p", cpu: "1"),
            nodes: [
                node("a", taints: [NodeTaint(key: "k", value: "v", effect: .noSchedule)]), node("b", cpu: 1), node("c", cpu: 1),
            ],
            pods: [pod("x", cpu: "500m", on: "b"), pod("y", cpu: "500m", on: "c")],
            message: "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
                + "preemption: 0/3 nodes are available: 1 \(hopeless.dropLast()), "
                + "2 No preemption victims found for incoming pod."
        ),
        Case(
            testDescription: "more than a node ever has",
            pod: pod("p", cpu: "64", memory: "1Ti"),
            nodes: [node("a")],
            message: "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. "
                + "preemption: 0/1 nodes are available: 1 \(hopeless)"
        ),
        Case(
            testDescription: "too many pods",
            pod: pod("p"),
            nodes: [node("a", pods: 1)],
            pods: [pod("x", on: "a")],
            message: "0/1 nodes are available: 1 Too many pods. "
                + "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        ),
        Case(
            testDescription: "extended resource",
            pod: pod("p", spec: json(#"{"containers":[{"name":"c","image":"i","resources":{"requests":{"x.io/gpu":"2"}}}]}"#)),
            nodes: [node("a", scalars: ["x.io/gpu": 4]), node("b"), node("c", scalars: ["x.io/gpu": 1])],
            fits: ["a"]
        ),
        Case(
            testDescription: "cordoned",
            pod: pod("p"),
            nodes: [node("a", isUnschedulable: true)],
            message: "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 \(hopeless)"
        ),
        Case(
            testDescription: "cordoned but tolerated",
            pod: pod("p", spec: json(#"{"tolerations":[{"operator":"Exists"}]}"#)),
            nodes: [node("a", isUnschedulable: true)],
            fits: ["a"]
        ),
        Case(
            testDescription: "tolerations by key, value and effect",
            pod: pod("p", spec: json(#"{"tolerations":[{"key":"k","operator":"Equal","value":"v","effect":"NoSchedule"}]}"#)),
            nodes: [
                node("a", taints: [NodeTaint(key: "k", value: "v", effect: .noSchedule)]),
                node("b", taints: [NodeTaint(key: "k", value: "w", effect: .noSchedule)]),
                node("c", taints: [NodeTaint(key: "k", value: "v", effect: .noExecute)]),
                node("d", taints: [NodeTaint(key: "k", value: "w", effect: .preferNoSchedule)]),
            ],
            fits: ["a", "d"]
        ),
        Case(
            testDescription: "node selector",
            pod: pod("p", spec: json(#"{"nodeSelector":{"disk":"ssd"}}"#)),
            nodes: [node("a", labels: ["disk": "ssd"]), node("b", labels: ["disk": "hdd"]), node("c")],
            fits: ["a"]
        ),
        Case(
            testDescription: "node affinity terms are alternatives, requirements are not",
            pod: pod(
                "p",
                spec: affinity(
                    #"[{"matchExpressions":[{"key":"n","operator":"Gt","values":["3"]},{"key":"x","operator":"DoesNotExist"}]},{"matchExpressions":[{"key":"z","operator":"In","values":["1","2"]}]}]"#
                )
            ),
            nodes: [
                node("a", labels: ["n": "4"]), node("b", labels: ["n": "4", "x": ""]), node("c", labels: ["n": "3"]),
                node("d", labels: ["z": "2", "x": ""]),
            ],
            fits: ["a", "d"]
        ),
        Case(
            testDescription: "node affinity by name narrows the search",
            pod: pod("p", cpu: "9", spec: affinity(#"[{"matchFields":[{"key":"metadata.name","operator":"In","values":["a"]}]}]"#)),
            nodes: [node("a"), node("b"), node("c")],
            message: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
                + "preemption: 0/3 nodes are available: 3 \(hopeless)"
        ),
        Case(
            testDescription: "no node matches the selector",
            pod: pod("p", spec: json(#"{"nodeSelector":{"disk":"ssd"}}"#)),
            nodes: [node("a"), node("b")],
            message: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. "
                + "preemption: 0/2 nodes are available: 2 \(hopeless)"
        ),
        Case(
            testDescription: "host ports",
            pod: pod("p", spec: port(80)),
            nodes: [node("a"), node("b"), node("c")],
            pods: [pod("x", on: "a", spec: port(80)), pod("y", on: "b", spec: port(81)), pod("z", on: "c", spec: port(80, "UDP"))],
            fits: ["b", "c"]
        ),
        Case(
            testDescription: "never preempts",
            pod: pod("p", cpu: "3", priority: 10, spec: json(#"{"preemptionPolicy":"Never","priority":10}"#)),
            nodes: [node("a")],
            pods: [pod("x", cpu: "3", on: "a")],
            message: "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
        ),
        Case(
            testDescription: "anti-affinity keeps away",
            pod: pod("p", labels: ["app": "web"], spec: near(anti: true, "kubernetes.io/hostname")),
            nodes: [node("a"), node("b")],
            pods: [pod("x", labels: ["app": "web"], on: "a")],
            fits: ["b"]
        ),
        Case(
            testDescription: "anti-affinity of others keeps away",
            pod: pod("p", labels: ["app": "web"]),
            nodes: [node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "1"]), node("c", labels: ["zone": "2"])],
            pods: [pod("x", labels: ["app": "db"], on: "a", spec: near(anti: true, "zone"))],
            fits: ["c"]
        ),
        Case(
            testDescription: "affinity draws near",
            pod: pod("p", labels: ["app": "api"], spec: near(anti: false, "zone")),
            nodes: [node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "2"]), node("c")],
            pods: [pod("x", labels: ["app": "web"], on: "b")],
            fits: ["b"]
        ),
        Case(
            testDescription: "the first of a kind may be anywhere with the key",
            pod: pod("p", labels: ["app": "web"], spec: near(anti: false, "zone")),
            nodes: [node("a", labels: ["zone": "1"]), node("c")],
            fits: ["a"]
        ),
        Case(
            testDescription: "nobody to be near",
            pod: pod("p", labels: ["app": "api"], spec: near(anti: false, "zone")),
            nodes: [node("a", labels: ["zone": "1"])],
            message: "0/1 nodes are available: 1 node(s) didn't match pod affinity rules. "
                + "preemption: 0/1 nodes are available: 1 \(hopeless)"
        ),
        Case(
            testDescription: "spread over zones",
            pod: pod("p", labels: ["app": "web"], spec: spread("zone")),
            nodes: [node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "2"]), node("c")],
            pods: [pod("x", labels: ["app": "web"], on: "a")],
            fits: ["b"]
        ),
        Case(
            testDescription: "spread counts only nodes of the pod's affinity",
            pod: pod("p", labels: ["app": "web"], spec: spread("zone", more: #","nodeSelector":{"zone":"1"}"#)),
            nodes: [node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "2"])],
            pods: [pod("x", labels: ["app": "web"], on: "a")],
            fits: ["a"]
        ),
    ]

    @Test(arguments: cases)
    func `a pod goes exactly where it fits`(_ test: Case) {
        let snapshot = cluster(test.nodes, test.pods)
        if test.fits.isEmpty {
            #expect(decide(test.pod, snapshot).failure?.message == test.message)
            return
        }
        // Each node by itself, in its place in the whole cluster.
        for candidate in test.nodes {
            var only = snapshot
            for other in test.nodes where other.name != candidate.name {
                only.setNode(
                    NodeFacts(name: other.name, labels: other.labels, taints: other.taints, allocatable: Resources(), allowedPods: 0)
                )
            }
            #expect((decide(test.pod, only).node == candidate.name) == test.fits.contains(candidate.name), "\(candidate.name)")
        }
        #expect(test.fits.contains(decide(test.pod, snapshot).node ?? ""))
    }

    @Test func `without nodes there is nothing to say about nodes`() {
        guard case .noNodes = decide(pod("p"), cluster([])) else {
            Issue.record("a node was found")
            return
        }
    }

    static func affinity(_ terms: String) -> JSONValue {
        json(#"{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":\#(terms)}}}}"#)
    }

    static func port(_ number: Int, _ proto: String = "TCP") -> JSONValue {
        json(#"{"containers":[{"name":"c","image":"i","ports":[{"containerPort":1,"hostPort":\#(number),"protocol":"\#(proto)"}]}]}"#)
    }

    static func near(anti: Bool, _ key: String) -> JSONValue {
        let kind = anti ? "podAntiAffinity" : "podAffinity"
        return json(
            #"{"affinity":{"\#(kind)":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"\#(key)","labelSelector":{"matchLabels":{"app":"web"}}}]}}}"#
        )
    }

    static func spread(_ key: String, more: String = "") -> JSONValue {
        json(
            #"{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"\#(key)","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}}}]\#(more)}"#
        )
    }
}
