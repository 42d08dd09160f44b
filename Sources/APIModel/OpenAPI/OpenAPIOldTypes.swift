import Schema
import Values

/// The types that the old versions of workloads had besides the workloads: a Scale each, and what a deployment is rolled back
/// with. They are not in the table of all types, which is of today.
///
/// Source: the documents of the releases up to 1.15.
enum OpenAPIOldTypes {
    private static let scaled = ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"]
    private static let rolledBack = ["apps/v1beta1", "extensions/v1beta1"]
    private static let today = "io.k8s.api.autoscaling.v1.Scale"

    private static func versions(of kind: String) -> [String] {
        switch kind {
        case "Scale", "ScaleSpec", "ScaleStatus": scaled
        case "DeploymentRollback", "RollbackConfig": rolledBack
        default: []
        }
    }

    /// The name of a kind's type; nil for kinds that are not of the past.
    static func name(of kind: GroupVersionKind) -> String? {
        versions(of: kind.kind).contains(kind.apiVersion) ? "io.k8s.api.\(kind.group).\(kind.version).\(kind.kind)" : nil
    }

    /// The type of that name; nil when it is not of the past.
    static func node(_ name: String, _ types: SchemaTable) -> SchemaNode? {
        let parts = name.split(separator: ".").map(String.init)
        guard parts.count == 6, Array(parts.prefix(3)) == ["io", "k8s", "api"] else { return nil }
        let kind = GroupVersionKind(group: parts[3], version: parts[4], kind: parts[5])
        guard self.name(of: kind) == name else { return nil }
        let (fields, description) = contents(kind, types)
        // Only these two are sent by themselves.
        let isWhole = kind.kind == "Scale" || kind.kind == "DeploymentRollback"
        let kinds = isWhole ? [(group: kind.group, version: kind.version, kind: kind.kind)] : []
        let sorted = fields.sorted { $0.name < $1.name }
        let body = SchemaBody(fields: sorted, description: description, kinds: kinds, isBuiltin: true)
        return SchemaNode(shape: .object, name: name, body: body)
    }

    private static func contents(_ kind: GroupVersionKind, _ types: SchemaTable) -> (fields: [SchemaField], description: String) {
        func inner(_ name: String) -> SchemaNode {
            self.node("io.k8s.api.\(kind.group).\(kind.version).\(name)", types) ?? .anything
        }
        let texts = SchemaNode(shape: .map, body: SchemaBody(element: .scalar(.string), isBuiltin: true))
        let count = SchemaNode.scalar(.integer, format: "int32")
        let head = types.node(today)?.fields.filter { ["apiVersion", "kind", "metadata"].contains($0.name) } ?? []
        switch kind.kind {
        case "Scale":
            let spec = field("spec", inner("ScaleSpec"), "What is wanted.", zero: [:])
            let status = field("status", inner("ScaleStatus"), "What is there. Read only.", zero: [:])
            return (head + [spec, status], "How many pods a workload has, and shall have.")
        case "ScaleSpec": return ([field("replicas", count, "How many pods there shall be.")], "How many pods are wanted.")
        case "ScaleStatus":
            let replicas = field("replicas", count, "How many pods there are.", [.required], zero: 0)
            let selector = field("selector", texts, "The labels of the pods, where pairs can say it.")
            let target = field("targetSelector", .scalar(.string), "The selector of the pods as text, where pairs cannot say it.")
            return ([replicas, selector, target], "How many pods there are.")
        case "DeploymentRollback":
            let name = field("name", .scalar(.string), "The deployment that returns.", [.required], order: 1, zero: "")
            let words = "Where it returns to."
            let target = field("rollbackTo", inner("RollbackConfig"), words, [.required], order: 2, zero: [:])
            let annotations = field("updatedAnnotations", texts, "Annotations that the deployment gets.")
            let identity = head.filter { $0.name != "metadata" }
            return (identity + [name, target, annotations], "Returns a deployment to an earlier revision.")
        default:
            let revision = SchemaNode.scalar(.integer, format: "int64")
            return ([field("revision", revision, "The revision to return to; 0 is the one before.")], "A revision to return to.")
        }
    }

    private static func field(
        _ name: String,
        _ node: SchemaNode,
        _ description: String,
        _ traits: SchemaField.Traits = [.omitEmpty],
        order: Int = 0,
        zero: JSONValue? = nil
    ) -> SchemaField {
        SchemaField(name: name, node: node, traits: traits, order: order, rare: .init(defaultValue: zero, description: description))
    }
}
