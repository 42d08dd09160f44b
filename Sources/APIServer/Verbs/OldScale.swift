import APIModel
import APITypes
import Schema
import Values

/// The Scale that workloads had before `autoscaling/v1`: in `extensions/v1beta1`, `apps/v1beta1` and `apps/v1beta2` the
/// status shows the selector as a map, where a map can say it, and as text under another name.
///
/// Source: pkg/apis/apps/v1beta1/conversion.go (ScaleStatus).
enum OldScale {
    /// The kind of today.
    static let today = GroupVersionKind(group: "autoscaling", version: "v1", kind: "Scale")
    /// The versions that had it.
    static let versions: Set<String> = ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"]
    private static let todaysSchema = BuiltinSchema.node("io.k8s.api.autoscaling.v1.Scale")

    /// The type of a Scale of that kind.
    static func schema(_ kind: GroupVersionKind) -> SchemaNode { kind == today ? todaysSchema : oldSchema }

    /// Today's Scale of a workload in the words of `kind`.
    static func shown(_ scale: JSONValue, of workload: JSONValue, as kind: GroupVersionKind) -> JSONValue {
        guard kind != today else { return scale }
        var scale = scale
        scale["apiVersion"] = .string(kind.apiVersion)
        var status: JSONValue = ["replicas": scale.value(at: ["status", "replicas"]) ?? 0]
        let selector = workload.value(at: ["spec", "selector"])
        let hasExpressions = selector?["matchExpressions"]?.array?.isEmpty == false
        if !hasExpressions, let labels = selector?["matchLabels"], labels.object?.isEmpty == false { status["selector"] = labels }
        if let text = scale.value(at: ["status", "selector"]) { status["targetSelector"] = text }
        scale["status"] = status
        return scale
    }

    private static let oldSchema: SchemaNode = {
        let fields = todaysSchema.fields.map { field in
            guard field.name == "status" else { return field }
            return SchemaField(name: field.name, node: status(field.node), traits: field.traits, order: field.order, rare: field.rare)
        }
        return SchemaNode(shape: .object, body: SchemaBody(fields: fields, wire: todaysSchema.body.wire, isBuiltin: true))
    }()

    private static func status(_ node: SchemaNode) -> SchemaNode {
        let labels = SchemaNode(shape: .map, body: SchemaBody(element: .scalar(.string), isBuiltin: true))
        let fields =
            node.fields.filter { $0.name != "selector" } + [
                SchemaField(name: "selector", node: labels, order: 1),
                SchemaField(name: "targetSelector", node: .scalar(.string), order: 2),
            ]
        return SchemaNode(shape: .object, body: SchemaBody(fields: fields.sorted { $0.name < $1.name }, isBuiltin: true))
    }
}
