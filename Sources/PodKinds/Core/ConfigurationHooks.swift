import APIModel
import Schema
import Units
import Values

/// The most bytes of data a ConfigMap or Secret may hold.
private let dataLimit = 1 << 20

/// The behaviour of ConfigMaps.
package struct ConfigMapHooks: KindHooks {
    package init() {}

    package func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        data(object, &issues)
        return issues
    }

    private func data(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let binary = object.members("binaryData")
        var size = 0
        for (key, value) in object.members("data") {
            issues.add(Names.configMapKeyIssues(key), FieldPath("data").key(key), key)
            if binary[key] != nil { issues.invalid(FieldPath("data").key(key), .string(key), "duplicate of key present in binaryData") }
            size += value.string?.utf8.count ?? 0
        }
        for (key, value) in binary {
            issues.add(Names.configMapKeyIssues(key), FieldPath("binaryData").key(key), key)
            size += Base64Size.decoded(value)
        }
        if size > dataLimit { issues.append(.tooLong(.root, maximum: dataLimit)) }
    }

    package func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues = Immutability.issues(object, old: old, fields: ["data", "binaryData"])
        data(object, &issues)
        return issues
    }

    package func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let count = object.members("data").count + object.members("binaryData").count
        return [Cells.name(object), .integer(Int64(count)), Cells.age(object, now: now)]
    }
}

/// The size of what base64 stands for, without decoding it.
private enum Base64Size {
    static func decoded(_ value: JSONValue) -> Int {
        guard let bytes = value.string?.utf8 else { return 0 }
        let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        return max(0, bytes.count / 4 * 3 - padding)
    }
}

/// The behaviour of Secrets.
package struct SecretHooks: KindHooks {
    private static let redacted: JSONValue = "<secret contents redacted>"
    private static let accountName = "kubernetes.io/service-account.name"
    private let pairProblem: @Sendable (JSONValue) -> String?

    /// `pairProblem` says what is wrong with the certificate and the key of a secret for TLS: cause for a warning.
    package init(pairProblem: @escaping @Sendable (JSONValue) -> String? = { _ in nil }) {
        self.pairProblem = pairProblem
    }

    package func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        guard object.text("type") == "kubernetes.io/tls" else { return [] }
        return pairProblem(object).map { [$0] } ?? []
    }

    package func defaults(_ object: inout JSONValue) {
        if object.text("type").isEmpty { object["type"] = "Opaque" }
        guard let plain = object["stringData"]?.object else { return }
        for (key, value) in plain {
            object.set(.string(Base64.encode(Array((value.string ?? "").utf8))), at: ["data", key])
        }
        object["stringData"] = nil
    }

    package func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        content(object, &issues)
        return issues
    }

    private func content(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let data = object.members("data")
        let place = FieldPath("data")
        var size = 0
        for (key, value) in data {
            issues.add(Names.configMapKeyIssues(key), place.key(key), key)
            size += Base64Size.decoded(value)
        }
        if size > dataLimit { issues.append(.tooLong(place, maximum: dataLimit)) }
        switch object.text("type") {
        case "kubernetes.io/service-account-token":
            let annotation = object["metadata"]?["annotations"]?[Self.accountName]?.string ?? ""
            issues.need(annotation, FieldPath("metadata").child("annotations").key(Self.accountName))
        case "kubernetes.io/dockercfg": json(data, ".dockercfg", &issues)
        case "kubernetes.io/dockerconfigjson": json(data, ".dockerconfigjson", &issues)
        case "kubernetes.io/basic-auth":
            let keys = ["username", "password"]
            if keys.allSatisfy({ data[$0] == nil }) { for key in keys { issues.required(place.key(key)) } }
        case "kubernetes.io/ssh-auth":
            if data["ssh-privatekey"]?.string?.isEmpty ?? true { issues.required(place.key("ssh-privatekey")) }
        case "kubernetes.io/tls":
            for key in ["tls.crt", "tls.key"] where data[key] == nil { issues.required(place.key(key)) }
        default: break
        }
    }

    private func json(_ data: JSONObject, _ key: String, _ issues: inout [FieldIssue]) {
        let place = FieldPath("data").key(key)
        guard let text = data[key]?.string else { return issues.required(place) }
        do throws(JSONParseError) {
            let value = try JSONParser.parse(Base64.decode(text) ?? [])
            if value.object != nil || value.isNull { return }
            let words = "json: cannot unmarshal \(value.typeName) into Go value of type map[string]interface {}"
            issues.invalid(place, Self.redacted, words)
        } catch {
            issues.invalid(place, Self.redacted, error.message)
        }
    }

    package func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        issues.immutable(object["type"], old["type"], FieldPath("type"))
        issues += Immutability.issues(object, old: old, fields: ["data"])
        content(object, &issues)
        return issues
    }

    package func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), object["type"] ?? "", .integer(Int64(object.members("data").count)), Cells.age(object, now: now)]
    }
}

/// `immutable: true`, which cannot be taken back.
private enum Immutability {
    static func issues(_ object: JSONValue, old: JSONValue, fields: [String]) -> [FieldIssue] {
        guard old.flag("immutable") else { return [] }
        var issues: [FieldIssue] = []
        let words = "field is immutable when `immutable` is set"
        if !object.flag("immutable") { issues.forbidden(FieldPath("immutable"), words) }
        for field in fields where object.members(field) != old.members(field) { issues.forbidden(FieldPath(field), words) }
        return issues
    }
}
