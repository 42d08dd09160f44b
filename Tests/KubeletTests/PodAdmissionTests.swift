import APITypes
import Testing
import Units
import Values

@testable import Kubelet

@Suite struct PodAdmissionTests {
    private func pod(
        _ name: String = "p",
        cpu: String? = nil,
        memory: String? = nil,
        hostPort: Int = 0,
        _ change: (inout Pod) -> Void = { _ in }
    ) -> Pod {
        var pod = Pod(name: name, namespace: "default")
        var container = Container {
            $0.name = "main"
            $0.image = "x"
        }
        if let cpu { container.resources.requests["cpu"] = Quantity(cpu) }
        if let memory { container.resources.requests["memory"] = Quantity(memory) }
        if hostPort > 0 {
            container.ports = [
                ContainerPort {
                    $0.hostPort = hostPort; $0.containerPort = 80
                }
            ]
        }
        pod.spec.containers = [container]
        change(&pod)
        return pod
    }

    private var node: Node {
        var node = Node(name: "n1")
        node.metadata.labels = ["kubernetes.io/os": "linux", "disk": "ssd", "cores": "8"]
        return node
    }

    private func admission(cpu: String = "2", memory: String = "1Gi", pods: String = "3") -> PodAdmission {
        let all = ["cpu": cpu, "memory": memory, "pods": pods]
        return PodAdmission(allocatable: all.compactMapValues { Quantity($0) }, node: node)
    }

    @Test func `what does not fit beside the others is refused in upstream's words`() {
        let others = [pod("a", cpu: "1500m", memory: "512Mi"), pod("b", cpu: "100m")]
        #expect(admission().refusal(pod(cpu: "400m", memory: "512Mi"), beside: others) == nil)
        #expect(
            admission().refusal(pod(cpu: "401m"), beside: others)
                == PodFailure(
                    reason: "OutOfcpu",
                    message: "Node didn't have enough resource: cpu, requested: 401, used: 1600, capacity: 2000"
                )
        )
        let memory = admission().refusal(pod(memory: "513Mi"), beside: others)
        #expect(memory?.reason == "OutOfmemory")
        #expect(memory?.message == "Node didn't have enough resource: memory, requested: 537919488, used: 536870912, capacity: 1073741824")
        let full = others + [pod("c")]
        #expect(
            admission().refusal(pod(), beside: full)
                == PodFailure(reason: "OutOfpods", message: "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3")
        )
        #expect(
            admission().refusal(pod { $0.spec.containers[0].resources.requests["example.com/card"] = Quantity("1") }, beside: []) == nil
        )
    }

    @Test func `init containers and sidecars count as they run`() {
        func container(_ name: String, cpu: String, always: Bool = false) -> Container {
            Container {
                $0.name = name
                $0.resources.requests["cpu"] = Quantity(cpu)
                if always { $0.restartPolicy = "Always" }
            }
        }
        var big = pod(cpu: "1")
        big.spec.initContainers = [container("first", cpu: "3")]
        #expect(PodRequests(big).amounts["cpu"] == 3000)
        big.spec.initContainers = [container("side", cpu: "1", always: true), container("then", cpu: "2")]
        #expect(PodRequests(big).amounts["cpu"] == 3000)
        big.spec.initContainers = [container("side", cpu: "3", always: true)]
        big.spec.overhead = ["cpu": Quantity("250m")].compactMapValues { $0 }
        #expect(PodRequests(big).amounts["cpu"] == 4250)
    }

    @Test func `a pod for another sort of node is refused`() {
        let affinity = PodFailure(
            reason: "NodeAffinity",
            message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
        )
        #expect(admission().refusal(pod { $0.spec.nodeSelector = ["disk": "hdd"] }, beside: []) == affinity)
        #expect(admission().refusal(pod { $0.spec.nodeSelector = ["disk": "ssd"] }, beside: []) == nil)
        func required(_ key: String, _ word: String, _ values: [String]) -> Pod {
            pod {
                $0.spec.affinity = Affinity {
                    $0.nodeAffinity = NodeAffinity {
                        $0.requiredDuringSchedulingIgnoredDuringExecution = NodeSelector {
                            $0.nodeSelectorTerms = [
                                NodeSelectorTerm {
                                    $0.matchExpressions = [
                                        NodeSelectorRequirement {
                                            $0.key = key
                                            $0.operator = word
                                            $0.values = values
                                        }
                                    ]
                                }
                            ]
                        }
                    }
                }
            }
        }
        for (key, word, values, fits) in [
            ("disk", "In", ["ssd", "nvme"], true), ("disk", "NotIn", ["ssd"], false), ("gpu", "NotIn", ["a"], true),
            ("gpu", "Exists", [], false),
            ("gpu", "DoesNotExist", [], true), ("cores", "Gt", ["4"], true), ("cores", "Lt", ["4"], false), ("disk", "Gt", ["4"], false),
            ("disk", "Unknown", ["ssd"], false),
        ] as [(String, String, [String], Bool)] {
            #expect(admission().refusal(required(key, word, values), beside: []) == (fits ? nil : affinity), "\(key) \(word) \(values)")
        }
        #expect(
            admission().refusal(pod { $0.metadata.labels["kubernetes.io/os"] = "windows" }, beside: [])?.reason
                == "PodOSSelectorNodeLabelDoesNotMatch"
        )
        #expect(admission().refusal(pod { $0.spec.os = PodOS { $0.name = "windows" } }, beside: [])?.reason == "PodOSNotSupported")
    }

    @Test func `taken host ports and taints that evict refuse a pod`() {
        #expect(admission().refusal(pod(hostPort: 80), beside: [pod("a", hostPort: 81)]) == nil)
        let port = admission().refusal(pod(hostPort: 80), beside: [pod("a", hostPort: 80)])
        #expect(port?.message == "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports")
        var tainted = admission()
        tainted.node?.spec.taints = [
            Taint {
                $0.key = "a"; $0.value = "b"; $0.effect = "NoExecute"
            },
            Taint {
                $0.key = "c"; $0.effect = "NoSchedule"
            },
        ]
        #expect(
            tainted.refusal(pod(), beside: [])?.message
                == "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
        )
        let tolerant = pod {
            $0.spec.tolerations = [
                Toleration {
                    $0.key = "a"; $0.operator = "Equal"; $0.value = "b"
                }
            ]
        }
        #expect(tainted.refusal(tolerant, beside: []) == nil)
        #expect(tainted.refusal(pod { $0.spec.tolerations = [Toleration { $0.operator = "Exists" }] }, beside: []) == nil)
    }

    @Test func `what the API server does not have any more takes no place, though it still ends`() {
        let table = PodTable()
        for uid in ["a", "b"] { _ = table.updated(pod(uid, cpu: "1500m") { $0.metadata.uid = uid }) }
        let admission = admission()
        #expect(table.admit("a", hasBegun: false) { admission } == nil)
        #expect(table.admit("b", hasBegun: false) { admission }?.reason == "OutOfcpu")
        _ = table.removed("a", graceSeconds: 30)
        #expect(table.record("a")?.stage == .syncing)
        #expect(table.admit("b", hasBegun: false) { admission } == nil)
    }

    @Test func `pods are taken one at a time, and those that have begun stay`() {
        let table = PodTable()
        for (uid, cpu) in [("a", "1500m"), ("b", "1500m"), ("c", "1500m")] {
            _ = table.updated(pod(uid, cpu: cpu) { $0.metadata.uid = uid })
        }
        let admission = admission()
        #expect(table.admit("a", hasBegun: false) { admission } == nil)
        #expect(table.admit("b", hasBegun: false) { admission }?.reason == "OutOfcpu")
        #expect(table.admit("c", hasBegun: true) { admission } == nil)
        #expect(table.admit("a", hasBegun: false) { admission } == nil)
        _ = table.failed("a", PodFailure(reason: "x", message: ""), graceSeconds: nil)
        _ = table.failed("c", PodFailure(reason: "x", message: ""), graceSeconds: nil)
        #expect(table.admit("b", hasBegun: false) { admission } == nil)
    }
}
