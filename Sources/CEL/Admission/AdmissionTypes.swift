/// The types of what expressions of admission are given.
///
/// Source: apiserver/pkg/admission/plugin/cel/compile.go, composition.go.
enum AdmissionTypes {
    /// `variables`: what a policy has given names.
    static func variables(_ named: AdmissionScope.Variables) -> CELDeclType { .object("kubernetes.variables", named.types) }

    /// Simple types stay; what has fields of its own becomes any value.
    static func declared(_ type: CELType?) -> CELDeclType {
        switch type {
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .string: .string
        case .bytes?, .null?, .uint?: .scalar(type ?? .dyn)
        case .timestamp: .scalar(.timestamp, maxElements: 32, minSerializedSize: 21)
        case .duration: .scalar(.duration, maxElements: 32, minSerializedSize: 3)
        case .list(let element): .list(declared(element))
        case .map(let key, let value):
            if case .string = key { .map(declared(value)) } else { .scalar(.map(key, declared(value).celType)) }
        default: .dyn
        }
    }

    /// `request`.
    static let request: CELDeclType = {
        let kind = texts("kubernetes.GroupVersionKind", ["group", "version", "kind"])
        let resource = texts("kubernetes.GroupVersionResource", ["group", "version", "resource"])
        let user = CELDeclType.object(
            "kubernetes.UserInfo",
            ["username": .string, "uid": .string, "groups": .list(.string), "extra": .map(.list(.string))]
        )
        let fields: [String: CELDeclType] = [
            "kind": kind, "resource": resource, "subResource": .string, "requestKind": kind, "requestResource": resource,
            "requestSubResource": .string, "name": .string, "namespace": .string, "operation": .string, "userInfo": user,
            "dryRun": .bool, "options": .dyn,
        ]
        return .object("kubernetes.AdmissionRequest", fields)
    }()

    /// `namespaceObject`.
    static let namespace: CELDeclType = {
        let time = CELDeclType.scalar(.timestamp, maxElements: 32, minSerializedSize: 21)
        let condition = CELDeclType.object(
            "kubernetes.NamespaceCondition",
            ["status": .string, "type": .string, "lastTransitionTime": time, "message": .string, "reason": .string]
        )
        let metadata: [String: CELDeclType] = [
            "name": .string, "generateName": .string, "namespace": .string, "labels": .map(.string), "annotations": .map(.string),
            "UID": .string, "creationTimestamp": time, "deletionGracePeriodSeconds": .int, "deletionTimestamp": time,
            "generation": .int, "resourceVersion": .string, "finalizers": .list(.string),
        ]
        return .object(
            "kubernetes.Namespace",
            [
                "metadata": .object("kubernetes.NamespaceMetadata", metadata),
                "spec": .object("kubernetes.NamespaceSpec", ["finalizers": .list(.string)]),
                "status": .object("kubernetes.NamespaceStatus", ["conditions": .list(condition), "phase": .string]),
            ]
        )
    }()

    private static func texts(_ name: String, _ fields: [String]) -> CELDeclType {
        .object(name, Dictionary(fields.map { ($0, .string) }, uniquingKeysWith: { $1 }))
    }
}
