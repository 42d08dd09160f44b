public import APITypes
import Units

/// How one kubelet is set up. Names follow the upstream configuration file where there is one.
public struct KubeletConfiguration: Sendable {
    /// The node's name.
    public var nodeName: String
    /// The host name shown as an address and label; the node's name unless set.
    public var hostname: String
    /// The node's addresses, main one first.
    public var nodeIPs: [String]
    /// Everything the kubelet keeps on disk lies below it.
    public var dataDirectory: String
    /// Logs of pods; `<data>/logs/pods` unless set.
    public var podLogsDirectory: String
    /// Name servers of pods.
    public var clusterDNS: [String] = []
    /// The cluster's DNS domain.
    public var clusterDomain = "cluster.local"
    /// The node's own resolver settings, for pods that want them.
    public var resolvConf = "/etc/resolv.conf"
    /// Put in front of `/kubepods`, so that two nodes can live on one machine.
    public var cgroupRoot = ""
    /// As many pods as the node takes.
    public var maxPods = 110
    /// Further labels of the node.
    public var nodeLabels: [String: String] = [:]
    /// Taints the node registers with.
    public var taints: [Taint] = []
    /// Shown as the node's provider id.
    public var providerID = ""
    /// The port the kubelet's own server is reached at, as the node tells the API server.
    public var port = 10250
    /// How often the node's status is computed.
    public var statusUpdateFrequency: Duration = .seconds(10)
    /// How often it is written when nothing changed.
    public var statusReportFrequency: Duration = .seconds(300)
    /// How long the node's lease lasts; renewed after a quarter of it.
    public var leaseDuration: Duration = .seconds(40)
    /// Pods whose containers name no seccomp profile get the runtime's default one.
    public var seccompDefault = false
    /// Image pulls at the same time.
    public var maximumParallelPulls = 4
    /// A container's log is rotated above this size.
    public var containerLogMaxBytes = 10 << 20
    /// Log files kept per container.
    public var containerLogMaxFiles = 5
    /// Above this share of the image disk, unused images are removed …
    public var imageGCHighPercent = 85
    /// … until it falls below this.
    public var imageGCLowPercent = 80
    /// Resources kept back from pods.
    public var reserved: [String: Quantity] = [:]
    /// Shown as the node's kubelet version.
    public var kubeletVersion = "v1.36.2"
    /// Capacity to show instead of the machine's own (hollow nodes).
    public var capacity: [String: Quantity]?

    /// Called before a pod's containers are told to end, with the pod's addresses; returns once no service of this node
    /// leads to them any more, or after a bound of its own. Nil does not wait.
    public var endpointsWithdrawn: (@Sendable (_ podIPs: [String]) async -> Void)?

    /// A configuration with upstream's defaults.
    public init(nodeName: String, nodeIPs: [String], dataDirectory: String) {
        self.nodeName = nodeName
        hostname = nodeName
        self.nodeIPs = nodeIPs
        self.dataDirectory = dataDirectory
        podLogsDirectory = "\(dataDirectory)/logs/pods"
    }
}
