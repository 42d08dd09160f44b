import APIModel
import Values

/// Keeps a kubelet's writes to its own node, its own pods and harmless labels.
public struct NodeRestriction: Admission {
    private let lookup: any ClusterLookup
    private static let restricted = "node-restriction.kubernetes.io"
    private static let kubeletLabels: Set<String> = [
        "kubernetes.io/hostname", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
        "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type", "kubernetes.io/os", "kubernetes.io/arch",
        "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
    ]
    private static let kubeletLabelPrefixes = ["kubelet.kubernetes.io", "node.kubernetes.io"]

    /// A plugin that looks pods up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "NodeRestriction" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool { request.user.nodeName != nil }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard let node = request.user.nodeName else { return }
        switch (request.resource.group, request.resource.resource) {
        case ("", "pods"): try admitPod(request, node)
        case ("", "nodes"): try admitNode(request, node)
        case ("", "serviceaccounts"): try admitToken(request, node)
        case ("", "persistentvolumeclaims"):
            guard request.subresource == "status" else { throw request.forbidden("may only update PVC status") }
        case ("coordination.k8s.io", "leases"): try admitLease(request, node)
        case ("storage.k8s.io", "csinodes"):
            guard Self.target(request) == node else {
                throw request.forbidden("can only access CSINode with the same name as the requesting node")
            }
        default: return
        }
    }

    private static func target(_ request: AdmissionRequest) -> String {
        request.name.isEmpty ? request.object?.value(at: ["metadata", "name"])?.string ?? "" : request.name
    }

    private func admitPod(_ request: AdmissionRequest, _ node: String) throws(APIError) {
        switch request.subresource {
        case "": try admitMirrorPod(request, node)
        case "status":
            guard request.oldObject?.value(at: ["spec", "nodeName"])?.string == node else {
                throw request.forbidden("node \"\(node)\" can only update pod status for pods with spec.nodeName set to itself")
            }
            let labels = request.object?.value(at: ["metadata", "labels"])?.object ?? [:]
            guard labels == request.oldObject?.value(at: ["metadata", "labels"])?.object ?? [:] else {
                throw request.forbidden("node \"\(node)\" cannot update labels through pod status")
            }
        case "eviction":
            let name = Self.target(request)
            let pod = lookup.object(.core("pods"), namespace: request.namespace, name: name)
            guard pod == nil || pod?.value(at: ["spec", "nodeName"])?.string == node else {
                throw request.forbidden("node \(node) can only evict pods with spec.nodeName set to itself")
            }
        default:
            throw request.forbidden(
                "unexpected pod subresource \"\(request.subresource)\", only 'status' and 'eviction' are allowed"
            )
        }
    }

    private func admitMirrorPod(_ request: AdmissionRequest, _ node: String) throws(APIError) {
        switch request.operation {
        case .delete:
            guard request.oldObject?.value(at: ["spec", "nodeName"])?.string == node else {
                throw request.forbidden("node \"\(node)\" can only delete pods with spec.nodeName set to itself")
            }
        case .create:
            guard let pod = request.object else { return }
            guard ServiceAccountAdmission.isMirror(pod) else {
                throw request.forbidden(
                    "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"\(node)\" can only create mirror pods"
                )
            }
            guard pod.value(at: ["spec", "nodeName"])?.string == node else {
                throw request.forbidden("node \"\(node)\" can only create pods with spec.nodeName set to itself")
            }
            try admitMirrorOwner(request, pod, node)
        default:
            throw request.forbidden(
                "unexpected operation \"\(request.operation.rawValue)\", node \"\(node)\" can only create and delete mirror pods"
            )
        }
    }

    private func admitMirrorOwner(_ request: AdmissionRequest, _ pod: JSONValue, _ node: String) throws(APIError) {
        let owners = pod.value(at: ["metadata", "ownerReferences"])?.array ?? []
        guard owners.count <= 1 else {
            throw request.forbidden("node \"\(node)\" can only create pods with a single owner reference set to itself")
        }
        guard let owner = owners.first else { return }
        guard owner["apiVersion"]?.string == "v1", owner["kind"]?.string == "Node", owner["name"]?.string == node else {
            throw request.forbidden("node \"\(node)\" can only create pods with an owner reference set to itself")
        }
        guard owner["controller"]?.bool == true else {
            throw request.forbidden("node \"\(node)\" can only create pods with a controller owner reference set to itself")
        }
        guard owner["blockOwnerDeletion"]?.bool != true else {
            throw request.forbidden("node \"\(node)\" must not set blockOwnerDeletion on an owner reference")
        }
    }

    private func admitNode(_ request: AdmissionRequest, _ node: String) throws(APIError) {
        let target = Self.target(request)
        guard target == node else {
            throw request.forbidden("node \"\(node)\" is not allowed to modify node \"\(target)\"")
        }
        let new = Self.labels(request.object)
        switch request.operation {
        case .create:
            let refused = Self.forbidden(Set(new.keys))
            guard refused.isEmpty else {
                let list = refused.joined(separator: ", ")
                throw request.forbidden("node \"\(node)\" is not allowed to set the following labels: \(list)")
            }
        case .update:
            guard request.object?.value(at: ["spec", "taints"]) == request.oldObject?.value(at: ["spec", "taints"]) else {
                throw request.forbidden("node \"\(node)\" is not allowed to modify taints")
            }
            let owners = ["metadata", "ownerReferences"]
            guard request.object?.value(at: owners) == request.oldObject?.value(at: owners) else {
                throw request.forbidden("node \"\(node)\" is not allowed to modify ownerReferences")
            }
            let old = Self.labels(request.oldObject)
            let changed = Set(new.keys).union(old.keys).filter { new[$0] != old[$0] }
            let refused = Self.forbidden(changed)
            guard refused.isEmpty else {
                throw request.forbidden("is not allowed to modify labels: \(refused.joined(separator: ", "))")
            }
        default: return
        }
    }

    private static func labels(_ object: JSONValue?) -> [String: String] {
        var labels: [String: String] = [:]
        for (key, value) in object?.value(at: ["metadata", "labels"])?.object ?? [:] { labels[key] = value.string ?? "" }
        return labels
    }

    private static func forbidden(_ labels: Set<String>) -> [String] {
        labels.filter { label in
            guard let slash = label.firstIndex(of: "/") else { return false }
            let space = label[..<slash]
            if space == restricted || space.hasSuffix("." + restricted) { return true }
            let isOurs = ["kubernetes.io", "k8s.io"].contains { space == $0 || space.hasSuffix("." + $0) }
            let isKubelets =
                kubeletLabels.contains(label)
                || kubeletLabelPrefixes.contains { space == $0 || space.hasSuffix("." + $0) }
            return isOurs && !isKubelets
        }.sorted()
    }

    private func admitToken(_ request: AdmissionRequest, _ node: String) throws(APIError) {
        guard request.operation == .create, request.subresource == "token" else { return }
        let reference = request.object?.value(at: ["spec", "boundObjectRef"])
        guard reference?["kind"]?.string == "Pod", let name = reference?["name"]?.string, !name.isEmpty else {
            throw request.forbidden("node requested token not bound to a pod")
        }
        guard let uid = reference?["uid"]?.string, !uid.isEmpty else {
            throw request.forbidden("node requested token with a pod binding without a uid")
        }
        guard let pod = lookup.object(.core("pods"), namespace: request.namespace, name: name) else {
            throw .notFound(.core("pods"), name)
        }
        guard pod.value(at: ["metadata", "uid"])?.string == uid else {
            throw request.forbidden(
                "the UID in the bound object reference (\(uid)) does not match the UID in record. "
                    + "The object might have been deleted and then recreated"
            )
        }
        guard pod.value(at: ["spec", "nodeName"])?.string == node else {
            throw request.forbidden("node requested token bound to a pod scheduled on a different node")
        }
    }

    private func admitLease(_ request: AdmissionRequest, _ node: String) throws(APIError) {
        guard request.namespace == "kube-node-lease" else {
            throw request.forbidden("can only access leases in the \"kube-node-lease\" system namespace")
        }
        guard Self.target(request) == node else {
            throw request.forbidden("can only access node lease with the same name as the requesting node")
        }
    }
}
