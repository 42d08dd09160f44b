import APIModel
import Schema
import Units
import Values

/// The behaviour of the kind CustomResourceDefinition.
///
/// Source: apiextensions-apiserver registry/customresourcedefinition, apis/apiextensions/v1 defaults.
public struct DefinitionHooks: KindHooks {
    /// Makes the hooks.
    public init() {}

    /// Fills in names and settings that follow from others.
    public func defaults(_ object: inout JSONValue) {
        guard var spec = object["spec"], spec.object != nil else { return }
        let kind = spec.value(at: ["names", "kind"])?.string ?? ""
        if (spec.value(at: ["names", "singular"])?.string ?? "").isEmpty, !kind.isEmpty {
            spec.set(.string(kind.lowercased()), at: ["names", "singular"])
        }
        if (spec.value(at: ["names", "listKind"])?.string ?? "").isEmpty, !kind.isEmpty {
            spec.set(.string(kind + "List"), at: ["names", "listKind"])
        }
        if spec["conversion"]?.object == nil { spec["conversion"] = ["strategy": "None"] }
        let service = ["conversion", "webhook", "clientConfig", "service"]
        if let found = spec.value(at: service), found.object != nil, found["port"] == nil {
            spec.set(443, at: service + ["port"])
        }
        object["spec"] = spec
        guard (object.value(at: ["status", "storedVersions"])?.array ?? []).isEmpty, object["status"]?.object != nil else { return }
        noteStorage(&object)
    }

    /// Adds the version that is stored to those that ever were.
    private func noteStorage(_ object: inout JSONValue) {
        let versions = object.value(at: ["spec", "versions"])?.array ?? []
        guard let storage = versions.first(where: { $0["storage"]?.bool == true })?["name"] else { return }
        var stored = object.value(at: ["status", "storedVersions"])?.array ?? []
        if !stored.contains(storage) { stored.append(storage) }
        object.set(.array(stored), at: ["status", "storedVersions"])
    }

    /// Begins the status anew and notes the version that is stored.
    public func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = [
            "conditions": .null, "acceptedNames": ["plural": "", "kind": ""], "storedVersions": .null,
        ]
        object.set(1, at: ["metadata", "generation"])
        noteStorage(&object)
    }

    /// Keeps the status; the generation rises when the spec changes.
    public func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        object["status"] = old["status"]
        if object["spec"] != old["spec"] {
            let generation = old.value(at: ["metadata", "generation"])?.int ?? 0
            object.set(.integer(generation + 1), at: ["metadata", "generation"])
        }
        noteStorage(&object)
    }

    /// Keeps the spec.
    public func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        object["spec"] = old["spec"]
    }

    /// Checks a new definition.
    public func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        DefinitionValidation(object, old: nil).issues()
    }

    /// Checks a changed definition.
    public func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        DefinitionValidation(object, old: old).issues()
    }

    /// Checks a changed status.
    public func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        DefinitionValidation.nameIssues(object.value(at: ["status", "acceptedNames"]) ?? [:], FieldPath("status.acceptedNames"))
    }

    /// Warns of formats that nobody checks.
    public func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        let before = Set(old.map(unknownFormats) ?? [])
        return unknownFormats(object).filter { !before.contains($0) }.map { "unrecognized format \(GoQuote.quote($0))" }
    }

    private func unknownFormats(_ object: JSONValue) -> [String] {
        var found: [String] = []
        for version in object.value(at: ["spec", "versions"])?.array ?? [] {
            guard let schema = version.value(at: ["schema", "openAPIV3Schema"]) else { continue }
            SchemaWalk.visit(schema) { node in
                guard let format = node["format"]?.string, !format.isEmpty else { return }
                if !StringFormat.isRecognized(format, type: node["type"]?.string ?? "") { found.append(format) }
            }
        }
        return found
    }

    /// Adds the finalizer that keeps the definition until its objects are gone.
    public func prepareForDeletion(_ object: inout JSONValue, now: Timestamp) {
        var finalizers = object.value(at: ["metadata", "finalizers"])?.array ?? []
        let own = JSONValue.string(DefinitionStatus.cleanupFinalizer)
        if !finalizers.contains(own) { finalizers.append(own) }
        object.set(.array(finalizers), at: ["metadata", "finalizers"])
        var conditions = DefinitionConditions(object)
        conditions.set(
            .init(
                type: "Terminating",
                status: "True",
                reason: "InstanceDeletionPending",
                message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
            ),
            now: now
        )
        object.set(.array(conditions.json), at: ["status", "conditions"])
        // Marked here, a definition keeps its generation, as upstream's registry has it.
        object.set(.string(now.rfc3339), at: ["metadata", "deletionTimestamp"])
    }

    /// The name and the age.
    public func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [object.value(at: ["metadata", "name"]) ?? "", object.value(at: ["metadata", "creationTimestamp"]) ?? .null]
    }
}

/// Visits a schema and all schemas in it.
enum SchemaWalk {
    static func visit(_ schema: JSONValue, _ body: (JSONValue) -> Void) {
        body(schema)
        for child in children(schema) { visit(child, body) }
    }

    /// Whether any of the schemas is like that.
    static func has(_ schema: JSONValue, _ test: (JSONValue) -> Bool) -> Bool {
        test(schema) || children(schema).contains { has($0, test) }
    }

    private static func children(_ schema: JSONValue) -> [JSONValue] {
        var children: [JSONValue] = []
        for key in ["items", "not", "additionalProperties", "additionalItems"] {
            guard let child = schema[key] else { continue }
            if child.object != nil { children.append(child) }
            if key == "items" { children += child.array ?? [] }
        }
        for key in ["allOf", "anyOf", "oneOf"] { children += schema[key]?.array ?? [] }
        for key in ["properties", "patternProperties", "definitions", "dependencies"] {
            children += (schema[key]?.object?.values ?? []).filter { $0.object != nil }
        }
        return children
    }
}
