import CEL
import Schema

/// The types of what expressions of admission are given.
///
/// Source: apiserver/pkg/admission/plugin/cel.
enum RequestTypes {
    /// `request`.
    static let request = declared("kubernetes.AdmissionRequest", requestFields)
    /// `namespaceObject`.
    static let namespace = declared("kubernetes.Namespace", namespaceFields)

    /// `variables`: any value under each name.
    static func variables(_ names: [String]) -> CELDeclType? {
        declared("kubernetes.variables", names.map { ($0, anything) })
    }

    private static let text = SchemaNode.scalar(.string)
    private static let number = SchemaNode.scalar(.integer)
    private static let time = SchemaNode.scalar(.time)
    /// A value of a type that is not known.
    private static let anything = SchemaNode.scalar(.intOrString)
    private static let texts = SchemaNode(shape: .list, body: SchemaBody(element: text))
    private static let textByName = SchemaNode(shape: .map, body: SchemaBody(element: text))

    private static let requestFields: [(String, SchemaNode)] = {
        let kind = object([("group", text), ("version", text), ("kind", text)])
        let resource = object([("group", text), ("version", text), ("resource", text)])
        let extra = SchemaNode(shape: .map, body: SchemaBody(element: texts))
        let user = object([("username", text), ("uid", text), ("groups", texts), ("extra", extra)])
        return [
            ("kind", kind), ("resource", resource), ("subResource", text), ("requestKind", kind), ("requestResource", resource),
            ("requestSubResource", text), ("name", text), ("namespace", text), ("operation", text), ("userInfo", user),
            ("dryRun", SchemaNode.scalar(.boolean)), ("options", anything),
        ]
    }()

    private static let namespaceFields: [(String, SchemaNode)] = {
        let condition = object([("status", text), ("type", text), ("lastTransitionTime", time), ("message", text), ("reason", text)])
        let conditions = SchemaNode(shape: .list, body: SchemaBody(element: condition))
        let metadata = object([
            ("name", text), ("generateName", text), ("namespace", text), ("labels", textByName), ("annotations", textByName),
            ("UID", text), ("creationTimestamp", time), ("deletionGracePeriodSeconds", number), ("deletionTimestamp", time),
            ("generation", number), ("resourceVersion", text), ("finalizers", texts),
        ])
        return [
            ("metadata", metadata), ("spec", object([("finalizers", texts)])),
            ("status", object([("conditions", conditions), ("phase", text)])),
        ]
    }()

    private static func object(_ fields: [(String, SchemaNode)]) -> SchemaNode {
        SchemaNode(shape: .object, body: SchemaBody(fields: fields.map { SchemaField(name: $0.0, node: $0.1) }))
    }

    private static func declared(_ name: String, _ fields: [(String, SchemaNode)]) -> CELDeclType? {
        CELDeclType.from(schema: object(fields), name: name)
    }
}
