import APIModel
import Values

/// What a kubelet may do: its own node and lease, the pods bound to it, and what those pods refer to.
public struct NodeAuthorizer: Authorizer {
    private let lookup: any ClusterLookup

    /// An authorizer that looks at pods through `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    private static let leaseNamespace = "kube-node-lease"
    private static let read = ComponentAuthorizer.read

    /// The rights that do not depend on which node asks.
    private static let rules = [
        PolicyRule(["create"], groups: ["authentication.k8s.io"], resources: ["tokenreviews"]),
        PolicyRule(["create"], groups: ["authorization.k8s.io"], resources: ["subjectaccessreviews", "localsubjectaccessreviews"]),
        PolicyRule(read, groups: [""], resources: ["services"]),
        PolicyRule(["create", "update", "patch"], groups: ["", "events.k8s.io"], resources: ["events"]),
        PolicyRule(["create", "get", "list", "watch"], groups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"]),
        PolicyRule(read, groups: ["storage.k8s.io"], resources: ["csidrivers"]),
        PolicyRule(read, groups: ["node.k8s.io"], resources: ["runtimeclasses"]),
        PolicyRule(read, groups: ["networking.k8s.io"], resources: ["servicecidrs", "networkpolicies"]),
        PolicyRule(read, groups: ["discovery.k8s.io"], resources: ["endpointslices"]),
    ]

    /// The decision on one request.
    public func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        guard let node = attributes.user.nodeName, attributes.isResourceRequest else { return .noOpinion(reason: "") }
        switch (attributes.apiGroup, attributes.resource) {
        case ("", "secrets"), ("", "configmaps"): return readReferenced(node, attributes)
        case ("", "persistentvolumeclaims"): return claim(node, attributes)
        case ("", "persistentvolumes"), ("storage.k8s.io", "volumeattachments"), ("resource.k8s.io", "resourceclaims"):
            return getReferenced(node, attributes)
        case ("", "serviceaccounts"): return serviceAccount(node, attributes)
        case ("coordination.k8s.io", "leases"): return lease(node, attributes)
        case ("storage.k8s.io", "csinodes"): return csiNode(node, attributes)
        case ("", "nodes"): return ownNode(node, attributes)
        case ("", "pods"): return pod(node, attributes)
        default:
            return Self.rules.contains { $0.allows(attributes) } ? .allow(reason: "") : .noOpinion(reason: "")
        }
    }

    private func readReferenced(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        guard attributes.isReadOnly else { return .noOpinion(reason: "can only read resources of this type") }
        guard attributes.subresource.isEmpty else { return .noOpinion(reason: "cannot read subresource") }
        guard !attributes.namespace.isEmpty else {
            return .noOpinion(reason: "can only read namespaced object of this type")
        }
        return related(node, attributes)
    }

    private func getReferenced(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        guard attributes.verb == "get" else {
            return .noOpinion(reason: "can only get individual resources of this type")
        }
        guard attributes.subresource.isEmpty else { return .noOpinion(reason: "cannot get subresource") }
        return related(node, attributes)
    }

    private func claim(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        guard attributes.subresource == "status" else { return getReferenced(node, attributes) }
        guard attributes.verb == "update" || attributes.verb == "patch" else {
            return .noOpinion(reason: "can only get/update/patch this type")
        }
        return related(node, attributes)
    }

    private func related(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        guard !attributes.name.isEmpty else { return .noOpinion(reason: "No Object name found") }
        guard refers(node, attributes.resource, attributes.namespace, attributes.name) else {
            return .noOpinion(reason: "no relationship found between node '\(node)' and this object")
        }
        return .allow(reason: "")
    }

    private func refers(_ node: String, _ resource: String, _ namespace: String, _ name: String) -> Bool {
        switch resource {
        case "persistentvolumes":
            let claims = lookup.objects(.core("persistentvolumeclaims"), namespace: nil)
                .filter { $0.value(at: ["spec", "volumeName"])?.string == name }
            return claims.contains { claim in
                let metadata = claim["metadata"]
                guard let space = metadata?["namespace"]?.string, let claimName = metadata?["name"]?.string else { return false }
                return refers(node, "persistentvolumeclaims", space, claimName)
            }
        case "volumeattachments":
            let kind = GroupResource(group: "storage.k8s.io", resource: resource)
            return lookup.object(kind, namespace: "", name: name)?.value(at: ["spec", "nodeName"])?.string == node
        default:
            if lookup.node(node, refersTo: resource, namespace: namespace, name: name) { return true }
            let pods = lookup.objects(.core("pods"), namespace: namespace, field: "spec.nodeName", equals: node)
            return pods.contains { PodReferences.of($0, include: resource, name: name) }
        }
    }

    private func serviceAccount(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        if attributes.verb == "get", attributes.subresource.isEmpty { return related(node, attributes) }
        guard attributes.verb == "create", !attributes.name.isEmpty else {
            return .noOpinion(reason: "can only create tokens for individual service accounts")
        }
        guard attributes.subresource == "token" else {
            return .noOpinion(reason: "can only create token subresource of serviceaccount")
        }
        return related(node, attributes)
    }

    private func lease(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        guard ["get", "create", "update", "patch", "delete"].contains(attributes.verb) else {
            return .noOpinion(reason: "can only get, create, update, patch, or delete a node lease")
        }
        guard attributes.namespace == Self.leaseNamespace else {
            return .noOpinion(reason: "can only access leases in the \"\(Self.leaseNamespace)\" system namespace")
        }
        guard attributes.verb == "create" || attributes.name == node else {
            return .noOpinion(reason: "can only access node lease with the same name as the requesting node")
        }
        return .allow(reason: "")
    }

    private func csiNode(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        guard ["get", "create", "update", "patch", "delete"].contains(attributes.verb) else {
            return .noOpinion(reason: "can only get, create, update, patch, or delete a CSINode")
        }
        guard attributes.subresource.isEmpty else { return .noOpinion(reason: "cannot authorize CSINode subresources") }
        guard attributes.verb == "create" || attributes.name == node else {
            return .noOpinion(reason: "can only access CSINode with the same name as the requesting node")
        }
        return .allow(reason: "")
    }

    private func ownNode(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        switch (attributes.subresource, attributes.verb) {
        case ("", "create"), ("", "update"), ("", "patch"), ("status", "update"), ("status", "patch"):
            return .allow(reason: "")
        case ("", "get"), ("", "list"), ("", "watch"):
            if attributes.name == node { return .allow(reason: "") }
            let wanted = attributes.name.isEmpty ? "all nodes" : "'\(attributes.name)'"
            return .noOpinion(reason: "node '\(node)' cannot read \(wanted), only its own Node object")
        default: return .noOpinion(reason: "")
        }
    }

    private func pod(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        switch (attributes.subresource, attributes.verb) {
        case ("", "create"), ("", "delete"), ("status", "update"), ("status", "patch"), ("eviction", "create"):
            return .allow(reason: "")
        case ("", "get"):
            return bound(node, attributes)
        case ("", "list"), ("", "watch"):
            let terms = attributes.fieldSelector.split(separator: ",")
            if terms.contains(where: { $0 == "spec.nodeName=\(node)" || $0 == "spec.nodeName==\(node)" }) {
                return .allow(reason: "")
            }
            guard attributes.name.isEmpty else { return bound(node, attributes) }
            return .noOpinion(reason: "can only list/watch pods with spec.nodeName field selector")
        default: return .noOpinion(reason: "")
        }
    }

    private func bound(_ node: String, _ attributes: RequestAttributes) -> AuthorizationDecision {
        let pod = lookup.object(.core("pods"), namespace: attributes.namespace, name: attributes.name)
        guard pod?.value(at: ["spec", "nodeName"])?.string == node else {
            return .noOpinion(reason: "no relationship found between node '\(node)' and this object")
        }
        return .allow(reason: "")
    }
}
