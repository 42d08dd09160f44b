import APIModel
import APITypes
import Channels
import Units
import Values

let epoch = Timestamp(unixSeconds: 1_700_000_000, nanoseconds: 0)

func makeDeployment(
    _ replicas: Int = 3,
    surge: IntOrString = .int(1),
    unavailable: IntOrString = .int(1),
    image: String = "v1",
    strategy: String = "RollingUpdate"
) -> Deployment {
    var deployment = Deployment(name: "web", namespace: "default")
    deployment.metadata.uid = "d-uid"
    deployment.metadata.generation = 1
    deployment.spec.replicas = replicas
    deployment.spec.strategy.type = strategy
    if strategy == "RollingUpdate" {
        var rolling = RollingUpdateDeployment()
        rolling.maxSurge = surge
        rolling.maxUnavailable = unavailable
        deployment.spec.strategy.rollingUpdate = rolling
    }
    deployment.fields["spec"]?.set(["app": "web"], at: ["selector", "matchLabels"])
    deployment.spec.template = makeTemplate(image)
    deployment.spec.progressDeadlineSeconds = 600
    deployment.spec.revisionHistoryLimit = 10
    return deployment
}

func makeTemplate(_ image: String) -> PodTemplateSpec {
    PodTemplateSpec {
        $0.metadata.labels = ["app": "web"]
        $0.spec.containers = [
            Container {
                $0.name = "main"
                $0.image = image
            }
        ]
    }
}

func makePod(
    _ name: String,
    labels: [String: String] = ["app": "web"],
    node: String = "n1",
    phase: String = "Running",
    ready: Bool = true,
    readyAt: Timestamp = epoch,
    created: Timestamp = epoch,
    ip: String? = nil
) -> Pod {
    var pod = Pod(name: name, namespace: "default")
    pod.metadata.uid = "uid-\(name)"
    pod.metadata.labels = labels
    pod.metadata.creationTimestamp = created
    pod.spec.nodeName = node
    pod.status.phase = phase
    pod.status.conditions = [
        PodCondition {
            $0.type = "Ready"
            $0.status = ready ? "True" : "False"
            $0.lastTransitionTime = readyAt
        }
    ]
    if let ip {
        pod.status.podIP = ip
        pod.status.podIPs = [PodIP { $0.ip = ip }]
    }
    return pod
}

func makeReplicaSet(_ name: String, _ replicas: Int, image: String = "v1") -> ReplicaSet {
    var set = ReplicaSet(name: name, namespace: "default")
    set.metadata.uid = "uid-\(name)"
    set.metadata.generation = 1
    set.spec.replicas = replicas
    set.spec.template = makeTemplate(image)
    set.status.observedGeneration = 1
    return set
}

func makeNode(_ name: String, ready: String? = "True", heartbeat: Timestamp = epoch) -> Node {
    var node = Node(name: name)
    node.metadata.uid = "uid-\(name)"
    node.metadata.creationTimestamp = epoch
    if let ready {
        node.status.conditions = [
            NodeCondition {
                $0.type = "Ready"
                $0.status = ready
                $0.reason = "KubeletReady"
                $0.lastHeartbeatTime = heartbeat
                $0.lastTransitionTime = epoch
            }
        ]
    }
    return node
}
