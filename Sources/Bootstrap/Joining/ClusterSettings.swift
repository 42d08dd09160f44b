import APITypes
import Access
import Units

/// What every node of a cluster must know to fit in: kept as the ConfigMap `apus-cluster` in `kube-system`.
public struct ClusterSettings: Sendable, Hashable {
    /// Addresses of pods.
    public var clusterCIDR: CIDR
    /// Addresses of Services.
    public var serviceCIDR: CIDR
    /// The address of the cluster's DNS.
    public var clusterDNS: IPAddress?
    /// The domain of the cluster's names.
    public var clusterDomain: String

    /// Settings.
    public init(clusterCIDR: CIDR, serviceCIDR: CIDR, clusterDNS: IPAddress?, clusterDomain: String) {
        self.clusterCIDR = clusterCIDR
        self.serviceCIDR = serviceCIDR
        self.clusterDNS = clusterDNS
        self.clusterDomain = clusterDomain
    }

    /// Reads the ConfigMap's data. Throws a `JoinError` that names what is missing.
    public init(data: [String: String]) throws {
        func range(_ key: String) throws -> CIDR {
            guard let value = data[key].flatMap({ CIDR($0) }) else {
                throw JoinError("the cluster's settings have no usable \(key)")
            }
            return value
        }
        clusterCIDR = try range("clusterCIDR")
        serviceCIDR = try range("serviceCIDR")
        clusterDNS = data["clusterDNS"].flatMap { IPAddress($0) }
        clusterDomain = data["clusterDomain"] ?? "cluster.local"
    }

    /// The ConfigMap's data.
    public var data: [String: String] {
        var data = ["clusterCIDR": "\(clusterCIDR)", "serviceCIDR": "\(serviceCIDR)", "clusterDomain": clusterDomain]
        data["clusterDNS"] = clusterDNS?.description
        return data
    }

    /// The ConfigMap.
    var configMap: ConfigMap {
        var map = ConfigMap(name: JoinAuthorizer.clusterSettings.name, namespace: JoinAuthorizer.clusterSettings.namespace)
        map.data = data
        return map
    }
}

/// Why a machine could not join, in words for the user.
public struct JoinError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public let description: String
    /// Trying again cannot help.
    public let isFinal: Bool

    /// A failure.
    public init(_ description: String, isFinal: Bool = false) {
        self.description = description
        self.isFinal = isFinal
    }
}
