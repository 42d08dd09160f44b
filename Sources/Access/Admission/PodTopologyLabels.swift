import APIModel
import Values

/// Tells a pod by labels in which zone and region its node is.
public struct PodTopologyLabels: Admission {
    private let lookup: any ClusterLookup
    private static let labels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"]

    /// A plugin that looks nodes up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "PodTopologyLabels" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .create && (request.writes(core: "pods") || request.writes(core: "pods", subresource: "binding"))
    }

    /// Copies the node's labels to a pod that is made for it, or to the binding that assigns one.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        let node: String?
        if request.subresource.isEmpty {
            node = request.object?.value(at: ["spec", "nodeName"])?.string
        } else {
            guard request.object?.value(at: ["target", "kind"])?.string == "Node" else { return }
            node = request.object?.value(at: ["target", "name"])?.string
        }
        guard let node, !node.isEmpty,
            let known = lookup.object(.core("nodes"), namespace: "", name: node)?.value(at: ["metadata", "labels"])
        else { return }
        for label in Self.labels {
            if let value = known[label] { request.object?.set(value, at: ["metadata", "labels", label]) }
        }
    }
}
