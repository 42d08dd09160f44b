import APIModel
import Schema
import Units
import Values

/// The behaviour of one version of a custom resource: everything follows from the definition.
///
/// Source: apiextensions-apiserver registry/customresource.
struct CustomResourceHooks: KindHooks {
    let kind: String
    let apiVersion: String
    let schema: SchemaNode
    let hasStatus: Bool
    let scale: ScalePaths?
    let columns: PrinterColumns
    let rules: RuleSet

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        if hasStatus { object["status"] = nil }
        object.set(1, at: ["metadata", "generation"])
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        if hasStatus { object["status"] = old["status"] }
        var new = object
        var before = old
        new["metadata"] = nil
        before["metadata"] = nil
        guard new != before else { return }
        let generation = old.value(at: ["metadata", "generation"])?.int ?? 0
        object.set(.integer(generation + 1), at: ["metadata", "generation"])
    }

    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        var kept = old
        kept["status"] = object["status"]
        // Who owns which field has been noted for this write already.
        let records = object.value(at: ["metadata", "managedFields"])
        object = kept
        if let records {
            object.set(records, at: ["metadata", "managedFields"])
        } else {
            object.remove(at: ["metadata", "managedFields"])
        }
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let identity = identityIssues(object)
        guard identity.isEmpty else { return identity }
        var issues = nameIssues(object)
        issues += StructuralValidator.issues(object, schema, at: nil)
        issues += scaleIssues(object, withSpec: true)
        issues += EmbeddedResourceCheck.issues(object, schema)
        issues += ListTypeCheck.issues(object, schema)
        return withRules(issues, object, old: nil)
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let identity = identityIssues(object)
        guard identity.isEmpty else { return identity }
        var issues = StructuralValidator.issues(object, old: old, schema, at: nil)
        issues += scaleIssues(object, withSpec: true)
        issues += EmbeddedResourceCheck.issues(object, schema)
        if ListTypeCheck.issues(old, schema).isEmpty { issues += ListTypeCheck.issues(object, schema) }
        return withRules(issues, object, old: old)
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let identity = identityIssues(object)
        guard identity.isEmpty else { return identity }
        var issues: [FieldIssue] = []
        if let status = object["status"], let node = schema.field("status")?.node {
            issues += StructuralValidator.issues(status, old: old["status"], node, at: FieldPath("status"))
        }
        issues += scaleIssues(object, withSpec: false)
        let lists = ListTypeCheck.issues(object, schema)
        if !lists.isEmpty, ListTypeCheck.issues(old, schema).isEmpty { issues += lists }
        return withRules(issues, object, old: old)
    }

    /// Rules are asked only of objects whose types are right.
    private func withRules(_ issues: [FieldIssue], _ object: JSONValue, old: JSONValue?) -> [FieldIssue] {
        guard !rules.isEmpty else { return issues }
        let blocking: Set<FieldIssue.Kind> = [.notSupported, .required, .tooLong, .tooMany, .typeInvalid]
        guard !issues.contains(where: { blocking.contains($0.kind) }) else {
            let words =
                "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
            return issues + [.invalid(FieldPath("<nil>"), .null, words)]
        }
        return issues + rules.issues(object, old: old)
    }

    private func identityIssues(_ object: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if object["kind"]?.string != kind {
            issues.append(.invalid(FieldPath("kind"), object["kind"] ?? "", "must be \(kind)"))
        }
        if object["apiVersion"]?.string != apiVersion {
            issues.append(.invalid(FieldPath("apiVersion"), object["apiVersion"] ?? "", "must be \(apiVersion)"))
        }
        return issues
    }

    private func nameIssues(_ object: JSONValue) -> [FieldIssue] {
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        guard !name.isEmpty else { return [] }
        return Names.dns1123SubdomainIssues(name).map { .invalid(FieldPath("metadata.name"), .string(name), $0) }
    }

    // MARK: Scale

    private func scaleIssues(_ object: JSONValue, withSpec: Bool) -> [FieldIssue] {
        guard let scale else { return [] }
        var issues: [FieldIssue] = []
        if withSpec { issues += replicaIssues(object, scale.specReplicas) }
        issues += replicaIssues(object, scale.statusReplicas)
        if !scale.labelSelector.isEmpty, let selector = object.value(at: scale.labelSelector), selector.string == nil {
            let words = NestedMember.mismatch(scale.labelSelector, selector, "string")
            issues.append(.invalid(FieldPath("." + scale.labelSelector.joined(separator: ".")), "", words))
        }
        return issues
    }

    private func replicaIssues(_ object: JSONValue, _ path: [String]) -> [FieldIssue] {
        guard let value = object.value(at: path) else { return [] }
        let field = FieldPath("." + path.joined(separator: "."))
        guard case .integer(let number) = value else {
            return [.invalid(field, 0, NestedMember.mismatch(path, value, "int64"))]
        }
        if number < 0 { return [.invalid(field, value, "should be a non-negative integer")] }
        if number > Int64(Int32.max) { return [.invalid(field, value, "should be less than or equal to \(Int32.max)")] }
        return []
    }

    // MARK: The rest

    private static let knownFinalizers: Set<String> = ["orphan", "foregroundDeletion", "kubernetes"]

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        func finalizers(_ object: JSONValue?) -> [String] {
            object?.value(at: ["metadata", "finalizers"])?.array?.compactMap(\.string) ?? []
        }
        let added = Set(finalizers(object)).subtracting(finalizers(old)).sorted()
        return added.flatMap { name -> [String] in
            let prefix = "metadata.finalizers: \(GoQuote.quote(name)): "
            var warnings = Names.qualifiedNameIssues(name).map { prefix + $0 }
            guard !name.contains("/"), !Self.knownFinalizers.contains(name) else { return warnings }
            let path = name.contains(".") ? " including a path (/)" : ""
            warnings.append(
                prefix + "prefer a domain-qualified finalizer name\(path) to avoid accidental conflicts with other finalizer writers"
            )
            return warnings
        }
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? { columns.cells(object, now: now) }
}

/// Upstream's words about a member that has another type than expected.
///
/// Source: apimachinery unstructured.NestedInt64, NestedString.
public enum NestedMember {
    /// What is wrong with the value at a path.
    public static func mismatch(_ path: [String], _ value: JSONValue, _ type: String) -> String {
        let found: String
        switch value {
        case .null: found = "<nil>"
        case .bool: found = "bool"
        case .integer: found = "int64"
        case .number: found = "float64"
        case .string: found = "string"
        case .array: found = "[]interface {}"
        case .object: found = "map[string]interface {}"
        }
        let shown = value.string ?? value.description
        return ".\(path.joined(separator: ".")) accessor error: \(shown) is of the type \(found), expected \(type)"
    }
}

/// What a custom resource as a whole does whatever the version: brings stored objects to what the definition says now.
struct CustomResourceStorage: KindHooks {
    let group: String
    let storageVersion: String
    /// The schemas by version.
    let schemas: [String: SchemaNode]
    /// Whether only the name of a version has to change.
    let convertsByName: Bool
    /// Whether the definition ever changed; objects written under this one need nothing.
    let restores: Bool

    func restore(_ object: inout JSONValue) -> Bool {
        guard let text = object["apiVersion"]?.string, let stored = GroupVersion(apiVersion: text),
            let schema = schemas[stored.version]
        else { return false }
        let before = object
        schema.normalize(&object)
        schema.applyDefaults(&object)
        if convertsByName, stored.version != storageVersion, let target = schemas[storageVersion] {
            object["apiVersion"] = .string("\(group)/\(storageVersion)")
            target.normalize(&object)
        }
        if (object.value(at: ["metadata", "generation"])?.int ?? 0) == 0 { object.set(1, at: ["metadata", "generation"]) }
        return object != before
    }
}

/// Versions that differ by name, each with a schema of its own: fields one of them does not have are dropped.
struct StructuralConversion: VersionConversion {
    let served: String
    let stored: String
    let servedSchema: SchemaNode
    let storedSchema: SchemaNode

    func toStorage(_ object: JSONValue) -> JSONValue { convert(object, stored, storedSchema) }
    func fromStorage(_ object: JSONValue) -> JSONValue { convert(object, served, servedSchema) }

    private func convert(_ object: JSONValue, _ version: String, _ schema: SchemaNode) -> JSONValue {
        var object = object
        object["apiVersion"] = .string(version)
        schema.normalize(&object)
        return object
    }
}
