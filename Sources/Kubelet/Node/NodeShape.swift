import APITypes
import RPC
import Units

/// Makes the node object. Pure.
struct NodeShape: Sendable {
    /// As many images as a node's status lists.
    static let maximumImages = 50
    static let maximumNamesPerImage = 5

    let configuration: KubeletConfiguration
    var machine: MachineFacts
    var runtimeVersion = ""

    var labels: [String: String] {
        var labels = [
            "kubernetes.io/hostname": configuration.hostname,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": machine.architecture,
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/arch": machine.architecture,
        ]
        labels.merge(configuration.nodeLabels) { $1 }
        return labels
    }

    /// The object to register.
    func node() -> Node {
        var node = Node(name: configuration.nodeName)
        node.metadata.labels = labels
        node.metadata.annotations = ["volumes.kubernetes.io/controller-managed-attach-detach": "true"]
        node.spec.taints = configuration.taints
        node.spec.providerID = configuration.providerID
        return node
    }

    var capacity: [String: Quantity] {
        if let given = configuration.capacity { return given }
        return [
            "cpu": Quantity(value: machine.milliCPU / 1000, format: .decimalSI),
            "memory": Quantity("\(machine.memory / 1024)Ki") ?? .zero,
            "ephemeral-storage": Quantity("\(machine.ephemeralStorage / 1024)Ki") ?? .zero,
            "pods": Quantity(value: Int64(configuration.maxPods), format: .decimalSI),
            "hugepages-1Gi": .zero,
            "hugepages-2Mi": .zero,
        ]
    }

    /// What is left for pods: less what is reserved, and on memory and disk what eviction keeps free.
    var allocatable: [String: Quantity] {
        if configuration.capacity != nil { return capacity }
        let evictionMemory = Quantity("100Mi") ?? .zero
        let evictionDisk = Quantity(value: machine.ephemeralStorage / 10, format: .decimalSI)
        var result = capacity
        for (name, quantity) in capacity {
            var left = quantity - (configuration.reserved[name] ?? .zero)
            if name == "memory" { left = left - evictionMemory }
            if name == "ephemeral-storage" { left = Quantity(value: (left - evictionDisk).value, format: .decimalSI) }
            result[name] = left < .zero ? .zero : left
        }
        return result
    }

    /// The node's status, from the one before.
    func status(previous: NodeStatus, health: NodeHealth, images: [CRIImage], now: Timestamp) -> NodeStatus {
        var status = previous
        status.capacity = capacity
        status.allocatable = allocatable
        status.addresses = addresses
        let own = health.conditions(previous: previous.conditions, now: now)
        status.conditions = previous.conditions.filter { old in !own.contains { $0.type == old.type } } + own
        status.daemonEndpoints = NodeDaemonEndpoints {
            $0.kubeletEndpoint = DaemonEndpoint { $0.Port = configuration.port }
        }
        status.nodeInfo = info
        status.images = Self.images(images)
        return status
    }

    private var addresses: [NodeAddress] {
        let internalIPs = configuration.nodeIPs.map { address in
            NodeAddress {
                $0.type = "InternalIP"
                $0.address = address
            }
        }
        let hostname = NodeAddress {
            $0.type = "Hostname"
            $0.address = configuration.hostname
        }
        return internalIPs + [hostname]
    }

    private var info: NodeSystemInfo {
        NodeSystemInfo {
            $0.machineID = machine.machineID
            $0.systemUUID = machine.systemUUID
            $0.bootID = machine.bootID
            $0.kernelVersion = machine.kernel
            $0.osImage = machine.osImage
            $0.containerRuntimeVersion = runtimeVersion
            $0.kubeletVersion = configuration.kubeletVersion
            $0.kubeProxyVersion = ""
            $0.operatingSystem = "linux"
            $0.architecture = machine.architecture
        }
    }

    private static func images(_ images: [CRIImage]) -> [ContainerImage] {
        let largest = images.sorted { ($0.size, $0.id) > ($1.size, $1.id) }.prefix(maximumImages)
        return largest.map { image in
            ContainerImage {
                $0.names = Array((image.repoDigests + image.repoTags).prefix(maximumNamesPerImage))
                $0.sizeBytes = Int(clamping: image.size)
            }
        }
    }
}
