import APITypes
import PodRuntime
import RPC

/// The node-wide settings that sandboxes and containers are made with.
struct ContainerSettings: Sendable {
    var logRoot: String
    var cgroupRoot: String
    var dns: PodDNS.Cluster
    var seccompDefault: Bool
    var memoryCapacity: Int64
    /// The node's name in the network, for pods in the host's network.
    var hostname: String
    /// Whether a container that runs out of memory ends as a whole (version 2 of cgroups).
    var endsTogether = false

    func logDirectory(_ pod: Pod) -> String {
        "\(logRoot)/\(pod.metadata.namespace)_\(pod.metadata.name)_\(pod.metadata.uid)"
    }
}

extension Pod {
    static let maximumHostnameLength = 63

    /// Host name and domain of the pod's containers.
    func hostname(clusterDomain: String) -> (name: String, domain: String) {
        var name = spec.hostname.isEmpty ? String(metadata.name.prefix(Self.maximumHostnameLength)) : spec.hostname
        while let last = name.last, last == "-" || last == "." { name.removeLast() }
        let domain = spec.subdomain.isEmpty ? "" : "\(spec.subdomain).\(metadata.namespace).svc.\(clusterDomain)"
        return (name, domain)
    }
}

extension ContainerSettings {
    /// What the runtime is told about a pod's sandbox.
    func sandbox(_ pod: Pod, attempt: UInt32) -> CRIPodSandboxConfig {
        let meta = pod.metadata
        let spec = pod.spec
        var config = CRIPodSandboxConfig()
        config.metadata = .with {
            $0.name = meta.name
            $0.uid = meta.uid
            $0.namespace = meta.namespace
            $0.attempt = attempt
        }
        if !spec.hostNetwork {
            let (name, domain) = pod.hostname(clusterDomain: dns.domain)
            config.hostname = spec.setHostnameAsFQDN == true && !domain.isEmpty ? "\(name).\(domain)" : name
        }
        config.logDirectory = logDirectory(pod)
        config.dnsConfig = PodDNS(spec, namespace: meta.namespace, cluster: dns).message
        config.portMappings = Self.ports(spec)
        config.labels = meta.labels.merging(Self.identity(pod)) { $1 }
        config.annotations = meta.annotations
        config.linux = .with {
            $0.cgroupParent = PodCgroup.path(pod, root: cgroupRoot)
            $0.securityContext = SecurityContexts.sandbox(pod, seccompDefault: seccompDefault)
            for sysctl in spec.securityContext?.sysctls ?? [] { $0.sysctls[sysctl.name] = sysctl.value }
        }
        return config
    }

    static func identity(_ pod: Pod) -> [String: String] {
        [
            Labels.podName: pod.metadata.name,
            Labels.podNamespace: pod.metadata.namespace,
            Labels.podUID: pod.metadata.uid,
        ]
    }

    private static func ports(_ spec: PodSpec) -> [CRIPortMapping] {
        if spec.hostNetwork { return [] }
        return (spec.containers + spec.initContainers.filter(\.isRestartableInit)).flatMap(\.ports).map { port in
            .with {
                $0.containerPort = Int32(clamping: port.containerPort)
                $0.hostPort = Int32(clamping: port.hostPort)
                $0.hostIp = port.hostIP
                switch port.`protocol` {
                case "UDP": $0.`protocol` = .udp
                case "SCTP": $0.`protocol` = .sctp
                default: $0.`protocol` = .tcp
                }
            }
        }
    }
}
