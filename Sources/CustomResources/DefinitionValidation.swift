import Schema
import Units
import Values

/// Checks a CustomResourceDefinition.
///
/// Fields that all versions share are reported where upstream's internal form has them, at the top of `spec`.
///
/// Source: apiextensions validation.ValidateCustomResourceDefinition.
struct DefinitionValidation {
    private let definition: JSONValue
    private let old: JSONValue?
    private let spec: JSONValue
    private let versions: [JSONValue]
    private let path = FieldPath("spec")

    private static let selectableLimit = 8

    init(_ definition: JSONValue, old: JSONValue?) {
        self.definition = definition
        self.old = old
        spec = definition["spec"] ?? [:]
        versions = spec["versions"]?.array ?? []
    }

    /// Everything that is wrong.
    func issues() -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if old == nil { issues += ownNameIssues() }
        issues += groupAndScope()
        if spec["preserveUnknownFields"]?.bool == true, hasDefaults {
            issues.append(.invalid(path.child("preserveUnknownFields"), true, "must be false in order to use defaults in the schema"))
        }
        issues += schemaPresence()
        issues += versionIssues()
        issues += firstVersionIssues()
        issues += requiredNames()
        issues += Self.nameIssues(spec["names"] ?? [:], path.child("names"))
        issues += sharedIssues()
        issues += ConversionCheck(definition, old: old).issues(at: path.child("conversion"))
        issues += immutableFields()
        issues += Self.nameIssues(definition.value(at: ["status", "acceptedNames"]) ?? [:], FieldPath("status.acceptedNames"))
        issues += storedVersionIssues()
        issues += approvalIssues()
        if spec["preserveUnknownFields"]?.bool == true, old?.value(at: ["spec", "preserveUnknownFields"])?.bool != true {
            let words =
                "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
            issues.append(.invalid(path.child("preserveUnknownFields"), true, words))
        }
        return issues
    }

    private var hasDefaults: Bool {
        versions.contains { version in
            version.value(at: ["schema", "openAPIV3Schema"]).map { SchemaWalk.has($0) { $0["default"] != nil } } ?? false
        }
    }

    // MARK: Names

    private func ownNameIssues() -> [FieldIssue] {
        let name = definition.value(at: ["metadata", "name"])?.string ?? ""
        guard !name.isEmpty else { return [] }
        let field = FieldPath("metadata.name")
        var issues = Names.dns1123SubdomainIssues(name).map { FieldIssue.invalid(field, .string(name), $0) }
        let plural = spec.value(at: ["names", "plural"])?.string ?? ""
        if name != "\(plural).\(spec["group"]?.string ?? "")" {
            issues.append(.invalid(field, .string(name), "must be spec.names.plural+\".\"+spec.group"))
        }
        return issues
    }

    /// What names may look like.
    static func nameIssues(_ names: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        func check(_ value: JSONValue?, _ field: FieldPath, ignoresCase: Bool = false) {
            guard let text = value?.string, !text.isEmpty else { return }
            let wrong = Names.dns1035LabelIssues(ignoresCase ? text.lowercased() : text)
            guard !wrong.isEmpty else { return }
            let prefix = ignoresCase ? "may have mixed case, but should otherwise match: " : ""
            issues.append(.invalid(field, .string(text), prefix + wrong.joined(separator: ",")))
        }
        check(names["plural"], path.child("plural"))
        check(names["singular"], path.child("singular"))
        check(names["kind"], path.child("kind"), ignoresCase: true)
        check(names["listKind"], path.child("listKind"), ignoresCase: true)
        for (index, name) in (names["shortNames"]?.array ?? []).enumerated() {
            check(name, path.child("shortNames").index(index))
        }
        if let kind = names["kind"]?.string, !kind.isEmpty, kind == names["listKind"]?.string {
            issues.append(.invalid(path.child("listKind"), .string(kind), "kind and listKind may not be the same"))
        }
        for (index, name) in (names["categories"]?.array ?? []).enumerated() {
            check(name, path.child("categories").index(index))
        }
        return issues
    }

    private func requiredNames() -> [FieldIssue] {
        ["plural", "singular", "kind", "listKind"].compactMap { key in
            let name = spec.value(at: ["names", key])?.string ?? ""
            return name.isEmpty ? .required(path.child("names", key)) : nil
        }
    }

    private func groupAndScope() -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let group = spec["group"]?.string ?? ""
        let field = path.child("group")
        if group.isEmpty {
            issues.append(.required(field))
        } else {
            let wrong = Names.dns1123SubdomainIssues(group)
            if !wrong.isEmpty {
                issues.append(.invalid(field, .string(group), wrong.joined(separator: ",")))
            } else if !group.contains(".") {
                issues.append(.invalid(field, .string(group), "should be a domain with at least one dot"))
            }
        }
        let scope = spec["scope"]?.string ?? ""
        if scope.isEmpty {
            issues.append(.required(path.child("scope")))
        } else if !["Cluster", "Namespaced"].contains(scope) {
            issues.append(.notSupported(path.child("scope"), .string(scope), ["Cluster", "Namespaced"]))
        }
        return issues
    }

    private func immutableFields() -> [FieldIssue] {
        guard let old else { return [] }
        var issues: [FieldIssue] = []
        func check(_ keys: [String]) {
            let new = spec.value(at: keys)
            guard new != old.value(at: ["spec"] + keys) else { return }
            issues.append(.invalid(FieldPath("spec.\(keys.joined(separator: "."))"), new ?? "", "field is immutable"))
        }
        if DefinitionConditions(old).isTrue("Established") {
            check(["scope"])
            check(["names", "kind"])
        }
        check(["group"])
        check(["names", "plural"])
        return issues
    }

    private func approvalIssues() -> [FieldIssue] {
        guard let state = Approval.state(of: definition) else { return [] }
        if let old, Approval.state(of: old)?.kind == state.kind { return [] }
        let field = FieldPath("metadata.annotations").key(DefinitionStatus.approval)
        switch state.kind {
        case .approved, .bypassed: return []
        case .missing: return [.required(field, state.reason)]
        case .invalid:
            let text = definition.value(at: ["metadata", "annotations", DefinitionStatus.approval])
            return [.invalid(field, text ?? "", state.reason)]
        }
    }

    private func storedVersionIssues() -> [FieldIssue] {
        let stored = definition.value(at: ["status", "storedVersions"])?.array ?? []
        let field = FieldPath("status.storedVersions")
        if stored.isEmpty { return [.invalid(field, .null, "must have at least one stored version")] }
        var issues: [FieldIssue] = []
        let names = versions.compactMap { $0["name"]?.string }
        for version in versions where version["storage"]?.bool == true {
            guard let name = version["name"], !stored.contains(name) else { continue }
            issues.append(.invalid(field, .array(stored), "must have the storage version \(name.string ?? "")"))
        }
        for (index, version) in stored.enumerated() {
            guard let name = version.string, !names.contains(name) else { continue }
            let words =
                "missing from spec.versions; \(name) was previously a storage version, and must remain in spec.versions until a "
                + "storage migration ensures no data remains persisted in \(name) and removes \(name) from status.storedVersions"
            issues.append(.invalid(field.index(index), version, words))
        }
        return issues
    }

    // MARK: Versions

    /// Whether all versions say the same about something, so that it is reported once for all.
    private func isShared(_ key: String) -> Bool {
        guard let first = versions.first else { return false }
        return versions.allSatisfy { $0[key] == first[key] }
    }

    private func schemaPresence() -> [FieldIssue] {
        guard !isShared("schema") || versions.first?.value(at: ["schema", "openAPIV3Schema"]) == nil else { return [] }
        return versions.indices.compactMap { index in
            guard versions[index].value(at: ["schema", "openAPIV3Schema"]) == nil else { return nil }
            return .required(path.child("versions").index(index).child("schema").child("openAPIV3Schema"))
        }
    }

    private func versionIssues() -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var names: Set<String> = []
        var isUnique = true
        for (index, version) in versions.enumerated() {
            let field = path.child("versions").index(index)
            let name = version["name"]?.string ?? ""
            if !names.insert(name).inserted { isUnique = false }
            let wrong = Names.dns1035LabelIssues(name)
            if !wrong.isEmpty { issues.append(.invalid(field.child("name"), .string(name), wrong.joined(separator: ","))) }
            issues += deprecationIssues(version, field.child("deprecationWarning"))
            if !isShared("schema") { issues += schemaIssues(version, field.child("schema")) }
            if !isShared("subresources") { issues += subresourceIssues(version, field.child("subresources")) }
            if !isShared("additionalPrinterColumns") { issues += columnIssues(version, field.child("additionalPrinterColumns")) }
            if !isShared("selectableFields") { issues += selectableIssues(version, field.child("selectableFields")) }
        }
        let field = path.child("versions")
        if !isUnique { issues.append(shown(field, "must contain unique version names")) }
        if versions.filter({ $0["storage"]?.bool == true }).count != 1 {
            issues.append(shown(field, "must have exactly one version marked as storage version"))
        }
        return issues
    }

    /// Upstream's inner form has the first version's name at the top, too.
    private func firstVersionIssues() -> [FieldIssue] {
        guard let name = versions.first?["name"]?.string, !name.isEmpty else { return [] }
        let wrong = Names.dns1035LabelIssues(name)
        return wrong.isEmpty ? [] : [.invalid(path.child("version"), .string(name), wrong.joined(separator: ","))]
    }

    /// An issue about all versions, shown in upstream's inner form: what they share is at the top of `spec`, not with them.
    private func shown(_ field: FieldPath, _ words: String) -> FieldIssue {
        guard spec["versions"] != nil else { return .invalid(field, .null, words) }
        func text(_ value: JSONValue?) -> String { String(decoding: (value ?? .null).encoded(), as: UTF8.self) }
        let hoisted = [
            ("Schema", "schema"), ("Subresources", "subresources"), ("AdditionalPrinterColumns", "additionalPrinterColumns"),
            ("SelectableFields", "selectableFields"),
        ]
        let entries = versions.map { version -> String in
            var members = [
                "\"Name\":\(text(version["name"] ?? ""))", "\"Served\":\(text(version["served"] ?? false))",
                "\"Storage\":\(text(version["storage"] ?? false))", "\"Deprecated\":\(text(version["deprecated"] ?? false))",
                "\"DeprecationWarning\":\(text(version["deprecationWarning"]))",
            ]
            members += hoisted.map { "\"\($0)\":\(isShared($1) ? "null" : text(version[$1]))" }
            return "{\(members.joined(separator: ","))}"
        }
        return FieldIssue(kind: .invalid, path: field, detail: "[\(entries.joined(separator: ","))]: \(words)")
    }

    private func sharedIssues() -> [FieldIssue] {
        guard let first = versions.first else { return [] }
        var issues: [FieldIssue] = []
        if isShared("schema") { issues += schemaIssues(first, path.child("validation")) }
        if isShared("subresources") { issues += subresourceIssues(first, path.child("subresources")) }
        if isShared("additionalPrinterColumns") { issues += columnIssues(first, path.child("additionalPrinterColumns")) }
        if isShared("selectableFields") { issues += selectableIssues(first, path.child("selectableFields")) }
        return issues
    }

    private func schemaIssues(_ version: JSONValue, _ field: FieldPath) -> [FieldIssue] {
        guard let schema = version.value(at: ["schema", "openAPIV3Schema"]) else { return [] }
        let hasStatus = versions.contains { $0.value(at: ["subresources", "status"])?.object != nil }
        let before = old?.value(at: ["spec", "versions"])?.array ?? []
        let isUnchanged = before.contains { $0["name"] == version["name"] && $0["schema"] == version["schema"] }
        return KindSchemaCheck(schema, hasStatus: hasStatus, isUnchanged: isUnchanged).issues(at: field)
    }

    private func deprecationIssues(_ version: JSONValue, _ field: FieldPath) -> [FieldIssue] {
        guard let warning = version["deprecationWarning"]?.string else { return [] }
        let value = JSONValue.string(warning)
        guard version["deprecated"]?.bool == true else { return [.invalid(field, value, "can only be set for deprecated versions")] }
        var issues: [FieldIssue] = []
        if warning.utf8.count > 256 { issues.append(.invalid(field, value, "must be <= 256 characters long")) }
        if warning.isEmpty { issues.append(.invalid(field, value, "must not be an empty string")) }
        var offset = 0
        for scalar in warning.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                let words = "must only contain printable UTF-8 characters; non-printable character found at index \(offset)"
                return issues + [.invalid(field, value, words)]
            default: offset += String(scalar).utf8.count
            }
        }
        return issues
    }

    // MARK: What versions have

    private func subresourceIssues(_ version: JSONValue, _ field: FieldPath) -> [FieldIssue] {
        guard let scale = version.value(at: ["subresources", "scale"]), scale.object != nil else { return [] }
        var issues: [FieldIssue] = []
        func check(_ name: String, _ prefixes: [String], _ words: String, isRequired: Bool) {
            let text = scale[name]?.string ?? ""
            let place = field.child("scale.\(name)")
            if text.isEmpty {
                if isRequired { issues.append(.required(place)) }
            } else if !text.hasPrefix(".") {
                issues.append(.invalid(place, .string(text), "must be a simple json path starting with ."))
            } else if !prefixes.contains(where: { text.hasPrefix($0) }) {
                issues.append(.invalid(place, .string(text), "should be a json path under \(words)"))
            }
        }
        check("specReplicasPath", [".spec."], ".spec", isRequired: true)
        check("statusReplicasPath", [".status."], ".status", isRequired: true)
        check("labelSelectorPath", [".spec.", ".status."], "either .spec or .status", isRequired: false)
        return issues
    }

    private static let columnTypes = ["boolean", "date", "integer", "number", "string"]
    private static let columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"]

    private func columnIssues(_ version: JSONValue, _ field: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        for (index, column) in (version["additionalPrinterColumns"]?.array ?? []).enumerated() {
            let place = field.index(index)
            if (column["name"]?.string ?? "").isEmpty { issues.append(.required(place.child("name"))) }
            let type = column["type"]?.string ?? ""
            let words = "must be one of \(Self.columnTypes.joined(separator: ","))"
            if type.isEmpty {
                issues.append(.required(place.child("type"), words))
            } else if !Self.columnTypes.contains(type) {
                issues.append(.invalid(place.child("type"), .string(type), words))
            }
            if let format = column["format"]?.string, !format.isEmpty, !Self.columnFormats.contains(format) {
                let words = "must be one of \(Self.columnFormats.joined(separator: ","))"
                issues.append(.invalid(place.child("format"), .string(format), words))
            }
            let text = column["jsonPath"]?.string ?? ""
            if text.isEmpty {
                issues.append(.required(place.child("JSONPath")))
            } else if !text.hasPrefix(".") {
                issues.append(.invalid(place.child("JSONPath"), .string(text), "must be a simple json path starting with ."))
            }
        }
        return issues
    }

    private func selectableIssues(_ version: JSONValue, _ field: FieldPath) -> [FieldIssue] {
        let fields = version["selectableFields"]?.array ?? []
        guard !fields.isEmpty else { return [] }
        guard let schema = version.value(at: ["schema", "openAPIV3Schema"]) else {
            return [.invalid(field, "", "may only be set when validations.schema is included")]
        }
        var issues: [FieldIssue] = []
        var seen: Set<String> = []
        for (index, json) in fields.enumerated() {
            let text = json["jsonPath"]?.string ?? ""
            let place = field.index(index).child("jsonPath")
            let value = JSONValue.string(text)
            guard !text.isEmpty else {
                issues.append(.required(place))
                continue
            }
            do throws(SchemaPath.Problem) {
                let found = try SchemaPath.follow(text, in: schema, allowsBrackets: false)
                if found.root == "metadata" { issues.append(.invalid(place, value, "must not point to fields in metadata")) }
                if !["string", "boolean", "integer"].contains(found.schema["type"]?.string ?? "") {
                    let words =
                        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
                    issues.append(.invalid(place, value, words))
                }
                if !seen.insert(found.path.description).inserted { issues.append(.duplicate(place, value)) }
            } catch {
                issues.append(.invalid(place, value, "is an invalid path: \(error.message)"))
            }
        }
        let before = old?.value(at: ["spec", "versions"])?.array?.first { $0["name"] == version["name"] }
        if seen.count > Self.selectableLimit, before?["selectableFields"] != version["selectableFields"] {
            issues.append(.tooMany(field, actual: seen.count, maximum: Self.selectableLimit))
        }
        return issues
    }
}
