import APIModel

/// What joining machines and the network of nodes may do, by group: what kubeadm's roles give to its tokens, and what
/// the proxy, DNS and routes of a node need when they run beside its kubelet, with its certificate.
public struct JoinAuthorizer: Authorizer {
    /// The ConfigMap that anybody may read before trusting the server.
    public static let clusterInfo = (namespace: "kube-public", name: "cluster-info")
    /// The ConfigMap that tells nodes the cluster's address ranges.
    public static let clusterSettings = (namespace: "kube-system", name: "apus-cluster")
    /// What the name of a node's slice of the DNS service begins with.
    public static let dnsSlicePrefix = "kube-dns-"

    private static let requests = "certificatesigningrequests"

    /// The authorizer of joining machines.
    public init() {}

    private static let bootstrapRules = [
        PolicyRule(["create", "get", "list", "watch"], groups: ["certificates.k8s.io"], resources: [requests]),
        PolicyRule(["create"], groups: ["certificates.k8s.io"], resources: ["\(requests)/nodeclient"]),
    ]

    private static let nodeRules = [
        PolicyRule(["create"], groups: ["certificates.k8s.io"], resources: ["\(requests)/selfnodeclient"]),
        PolicyRule(ComponentAuthorizer.read, groups: [""], resources: ["nodes", "services"]),
        PolicyRule(ComponentAuthorizer.read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
    ]

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        isAllowed(attributes) ? .allow(reason: "") : .noOpinion(reason: "")
    }

    private func isAllowed(_ attributes: RequestAttributes) -> Bool {
        guard attributes.isResourceRequest else { return false }
        if attributes.verb == "get", reads(Self.clusterInfo, attributes) { return true }
        let groups = attributes.user.groups
        if groups.contains(BootstrapToken.nodeGroup), Self.bootstrapRules.contains(where: { $0.allows(attributes) }) { return true }
        guard let node = attributes.user.nodeName else { return false }
        if attributes.verb == "get", reads(Self.clusterSettings, attributes) { return true }
        return Self.nodeRules.contains { $0.allows(attributes) } || publishesDNS(node, attributes)
    }

    private func reads(_ map: (namespace: String, name: String), _ attributes: RequestAttributes) -> Bool {
        attributes.apiGroup.isEmpty && attributes.resource == "configmaps" && attributes.subresource.isEmpty
            && attributes.namespace == map.namespace && attributes.name == map.name
    }

    /// A node keeps its own slice of the DNS service. A creation does not tell its name yet: `NodeSliceRestriction` looks.
    private func publishesDNS(_ node: String, _ attributes: RequestAttributes) -> Bool {
        guard attributes.apiGroup == "discovery.k8s.io", attributes.resource == "endpointslices", attributes.subresource.isEmpty,
            attributes.namespace == BootstrapToken.namespace
        else { return false }
        return attributes.verb == "create"
            || ["update", "patch"].contains(attributes.verb) && attributes.name == Self.dnsSlicePrefix + node
    }
}

/// Keeps what a node writes of EndpointSlices to its own endpoint of the DNS service.
public struct NodeSliceRestriction: Admission {
    /// The plugin.
    public init() {}

    /// The plugin's name.
    public var name: String { "NodeSliceRestriction" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.user.nodeName != nil && request.resource.group == "discovery.k8s.io"
            && request.resource.resource == "endpointslices" && request.operation != .delete
    }

    /// Refuses a slice that is not the node's own, or speaks for other nodes.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard let node = request.user.nodeName else { return }
        let object = request.object
        guard object?.value(at: ["metadata", "name"])?.string == JoinAuthorizer.dnsSlicePrefix + node,
            object?.value(at: ["metadata", "labels", "kubernetes.io/service-name"])?.string == "kube-dns",
            (object?["endpoints"]?.array ?? []).allSatisfy({ endpoint in
                // Other nodes' pods are not to be led here.
                endpoint["nodeName"]?.string == node && endpoint.value(at: ["hints", "forNodes", "0", "name"])?.string == node
                    && endpoint.value(at: ["hints", "forNodes", "1"]) == nil
            })
        else {
            throw request.forbidden("node \"\(node)\" can only write its own endpoint of the service kube-dns")
        }
    }
}
