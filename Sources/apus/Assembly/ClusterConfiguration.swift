import Units

/// Everything a server or an agent is told, checked: from flags, then the configuration file, then defaults.
struct ClusterConfiguration: Sendable, Equatable {
    /// Where the cluster keeps everything.
    var dataDirectory = "/var/lib/apus"
    /// The API's port, on every address of the host.
    var httpsPort = 6443
    /// Where to write the administrator's kubeconfig besides the data directory; nil: merge into ~/.kube/config.
    var kubeconfig: String?
    /// Addresses of Services.
    var serviceCIDR = CIDR("10.96.0.0/12")
    /// Addresses of pods.
    var clusterCIDR = CIDR("10.244.0.0/16")
    /// The address of the cluster's DNS; the tenth of the service range unless given.
    var clusterDNS: IPAddress?
    /// The domain of the cluster's names.
    var clusterDomain = "cluster.local"
    /// The socket of a container runtime that somebody else runs; nil: apus starts its own.
    var containerRuntimeEndpoint: String?
    /// This node's name; nil: the host's.
    var nodeName: String?
    /// This node's address; nil: the one of the default route.
    var nodeIP: IPAddress?
    /// How many nodes to pretend; above zero nothing real runs and root is not needed.
    var hollowNodes = 0
    /// The reads the API serves at the same time; with the writes, all that priority levels share.
    var maxRequestsInFlight = 400
    /// The writes the API serves at the same time.
    var maxMutatingRequestsInFlight = 200
    /// How long the store remembers what was.
    var historyAge = Duration.seconds(300)
    /// How the log is written.
    var logFormat = LogFormat.text
    /// The least severe messages that are written.
    var logLevel = "info"

    /// The form of log lines.
    enum LogFormat: String, Sendable, CaseIterable {
        case text
        case json
    }

    /// The DNS address in force.
    var dnsAddress: IPAddress? { clusterDNS ?? serviceCIDR?.address(at: 10) }

    /// What does not fit together, worded for the user; empty when all is well.
    func problems() -> [String] {
        var problems: [String] = []
        if !(0...65535).contains(httpsPort) { problems.append("--https-port: \(httpsPort) is not a port number") }
        if !(0...65535).contains(hollowNodes) { problems.append("--hollow-nodes: \(hollowNodes) is not between 0 and 65535") }
        if let service = serviceCIDR, let cluster = clusterCIDR, service.contains(cluster.network) || cluster.contains(service.network) {
            problems.append("--service-cidr \(service) and --cluster-cidr \(cluster) overlap")
        }
        if let dns = clusterDNS, let service = serviceCIDR, !service.contains(dns) {
            problems.append("--cluster-dns \(dns) is not in --service-cidr \(service)")
        }
        if maxRequestsInFlight < 0 || maxMutatingRequestsInFlight < 0 {
            problems.append("--max-requests-inflight and --max-mutating-requests-inflight must not be negative")
        }
        if maxRequestsInFlight + maxMutatingRequestsInFlight < 1 {
            problems.append("--max-requests-inflight and --max-mutating-requests-inflight leave no place for a request")
        }
        if historyAge < .seconds(1) { problems.append("--history-age: less than a second") }
        if dataDirectory.isEmpty { problems.append("--data-dir: must not be empty") }
        return problems
    }
}
