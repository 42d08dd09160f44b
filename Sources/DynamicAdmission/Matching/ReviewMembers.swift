import APIModel
import Access
import Values

/// Parts of a request as AdmissionReview and the `request` of expressions show them. Source: `k8s.io/api/admission/v1`.
enum ReviewMembers {
    static func kind(_ kind: GroupVersionKind) -> JSONValue {
        ["group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind)]
    }

    static func resource(_ resource: GroupVersionResource) -> JSONValue {
        ["group": .string(resource.group), "version": .string(resource.version), "resource": .string(resource.resource)]
    }

    /// Members without content are left out.
    static func user(_ user: UserIdentity) -> JSONValue {
        var object: JSONValue = [:]
        if !user.name.isEmpty { object["username"] = .string(user.name) }
        if !user.uid.isEmpty { object["uid"] = .string(user.uid) }
        if !user.groups.isEmpty { object["groups"] = JSONValue(user.groups) }
        guard !user.extra.isEmpty else { return object }
        let extra = user.extra.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) }
        object["extra"] = .object(JSONObject(extra))
        return object
    }
}
