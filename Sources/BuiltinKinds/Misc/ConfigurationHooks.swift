import APIModel
import Schema
import Units
import Values

/// The most bytes of data a ConfigMap or Secret may hold.
private let dataLimit = 1 << 20

/// The behaviour of ConfigMaps.
struct ConfigMapHooks: KindHooks {
    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var size = 0
        for field in ["data", "binaryData"] {
            for (key, value) in object[field]?.object ?? [:] {
                issues += Names.configMapKeyIssues(key).map { .invalid(FieldPath(field).key(key), .string(key), $0) }
                size += value.string?.utf8.count ?? 0
                if field == "binaryData", object["data"]?[key] != nil {
                    issues.append(.invalid(FieldPath("data").key(key), .string(key), "duplicate of key present in binaryData"))
                }
            }
        }
        if size > dataLimit { issues.append(.tooLong(.root, maximum: dataLimit)) }
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        Immutability.issues(object, old: old, fields: ["data", "binaryData"]) + validate(object, context)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let count = (object["data"]?.object?.count ?? 0) + (object["binaryData"]?.object?.count ?? 0)
        return [Cells.name(object), .integer(Int64(count)), Cells.age(object, now: now)]
    }
}

/// The behaviour of Secrets.
struct SecretHooks: KindHooks {
    private static let required: [String: [String]] = [
        "kubernetes.io/dockercfg": [".dockercfg"], "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
        "kubernetes.io/tls": ["tls.crt", "tls.key"], "kubernetes.io/ssh-auth": ["ssh-privatekey"],
    ]

    func defaults(_ object: inout JSONValue) {
        if object["type"]?.string?.isEmpty ?? true { object["type"] = "Opaque" }
        guard let plain = object["stringData"]?.object else { return }
        for (key, value) in plain {
            object.set(.string(Base64.encode(Array((value.string ?? "").utf8))), at: ["data", key])
        }
        object["stringData"] = nil
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var size = 0
        for (key, value) in object["data"]?.object ?? [:] {
            issues += Names.configMapKeyIssues(key).map { .invalid(FieldPath("data").key(key), .string(key), $0) }
            size += (value.string?.utf8.count ?? 0) / 4 * 3
        }
        if size > dataLimit { issues.append(.tooLong(FieldPath("data"), maximum: dataLimit)) }
        for key in Self.required[object["type"]?.string ?? ""] ?? [] where object["data"]?[key] == nil {
            issues.append(.required(FieldPath("data").key(key), ""))
        }
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues = Immutability.issues(object, old: old, fields: ["data", "stringData"])
        if object["type"] != old["type"] { issues.append(.invalid(FieldPath("type"), object["type"], "field is immutable")) }
        return issues + validate(object, context)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), object["type"] ?? "", .integer(Int64(object["data"]?.object?.count ?? 0)), Cells.age(object, now: now)]
    }
}

/// `immutable: true`, which cannot be taken back.
private enum Immutability {
    static func issues(_ object: JSONValue, old: JSONValue, fields: [String]) -> [FieldIssue] {
        guard old["immutable"]?.bool == true else { return [] }
        var issues: [FieldIssue] = []
        if object["immutable"]?.bool != true {
            issues.append(.forbidden(FieldPath("immutable"), "field is immutable when `immutable` is set"))
        }
        for field in fields where object[field] != old[field] {
            issues.append(.forbidden(FieldPath(field), "field is immutable when `immutable` is set"))
        }
        return issues
    }
}

/// The behaviour of service accounts.
struct ServiceAccountHooks: KindHooks {
    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), .integer(Int64(object["secrets"]?.array?.count ?? 0)), Cells.age(object, now: now)]
    }
}

/// The behaviour of leases.
struct LeaseHooks: KindHooks {
    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), object.value(at: ["spec", "holderIdentity"]) ?? "", Cells.age(object, now: now)]
    }
}
