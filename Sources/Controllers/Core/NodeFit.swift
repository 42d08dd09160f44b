import APIModel
import APITypes
import Units
import Values

/// Whether a pod's own demands allow a node.
enum NodeFit {
    /// `nodeSelector` and required node affinity; terms are alternatives, their parts all count.
    static func matches(_ spec: PodSpec, _ node: Node) -> Bool {
        let labels = node.labels
        guard spec.nodeSelector.allSatisfy({ labels[$0.key] == $0.value }) else { return false }
        let required = spec.fields["affinity"]?["nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]
        guard let terms = required?["nodeSelectorTerms"]?.array else { return true }
        return terms.contains { matches($0, labels, name: node.name) }
    }

    private static func matches(_ term: JSONValue, _ labels: [String: String], name: String) -> Bool {
        let expressions = term["matchExpressions"]?.array ?? []
        let fields = term["matchFields"]?.array ?? []
        guard !expressions.isEmpty || !fields.isEmpty else { return false }
        return expressions.allSatisfy { holds($0, labels[$0["key"]?.string ?? ""]) }
            && fields.allSatisfy { $0["key"]?.string == "metadata.name" && holds($0, name) }
    }

    private static func holds(_ requirement: JSONValue, _ value: String?) -> Bool {
        let values = (requirement["values"]?.array ?? []).compactMap(\.string)
        switch requirement["operator"]?.string {
        case "In": return value.map(values.contains) ?? false
        case "NotIn": return value.map { !values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let number = value.flatMap({ Int64($0) }), let bound = values.first.flatMap({ Int64($0) }) else { return false }
            return requirement["operator"]?.string == "Gt" ? number > bound : number < bound
        default: return false
        }
    }

    /// The node a pod asks for by name, before it is placed there.
    static func target(of pod: Pod) -> String {
        if !pod.spec.nodeName.isEmpty { return pod.spec.nodeName }
        let required = pod.spec.fields["affinity"]?["nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]
        for term in required?["nodeSelectorTerms"]?.array ?? [] {
            for field in term["matchFields"]?.array ?? [] where field["key"]?.string == "metadata.name" {
                if let name = field["values"]?[0]?.string { return name }
            }
        }
        return ""
    }
}
