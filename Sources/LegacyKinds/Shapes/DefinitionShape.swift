import Schema
import Values

/// `apiextensions.k8s.io/v1beta1`: one schema, one set of subresources and columns for all versions, and fields that no
/// schema knows were kept.
extension LegacyShape {
    /// Keeps the old words that today's have no room for. They count as long as they still lead to what is stored.
    private static let wordsKey = "apus.dev/v1beta1-definition"

    static let resourceDefinition = LegacyShape(
        edit: SchemaEdit(below: [
            "spec": SchemaEdit(
                added: { addedFields($0) },
                below: [
                    "versions": SchemaEdit(below: ["additionalPrinterColumns": column]),
                    "conversion": SchemaEdit(
                        removed: ["webhook"],
                        added: { conversion in
                            guard let webhook = conversion.field("webhook")?.node else { return [] }
                            var fields: [SchemaField] = []
                            if let client = webhook.field("clientConfig") {
                                fields.append(.old("webhookClientConfig", client.node, "How the conversion webhook is reached."))
                            }
                            if let versions = webhook.field("conversionReviewVersions") {
                                fields.append(.old("conversionReviewVersions", versions.node, "The reviews the webhook understands."))
                            }
                            return fields
                        }
                    ),
                ]
            )
        ]),
        defaults: complete,
        up: { object in
            guard let spec = object["spec"], spec.object != nil else { return }
            let (today, rest) = DefinitionSpec.toToday(spec)
            object["spec"] = today
            if let rest { object.annotate(wordsKey, rest.description) }
        },
        down: { object in
            guard let spec = object["spec"], spec.object != nil else { return }
            let words = object.takeAnnotation(wordsKey).flatMap { try? JSONParser.parse($0) }
            object["spec"] = DefinitionSpec.toPast(spec, words)
        }
    )

    private static let column = SchemaEdit(
        removed: ["jsonPath"],
        added: { _ in [.old("JSONPath", .scalar(.string), "Where the column's value is found.", number: 6, type: "string")] }
    )

    private static func addedFields(_ spec: SchemaNode) -> [SchemaField] {
        guard let version = spec.field("versions")?.node.element else { return [] }
        var fields = [SchemaField.old("version", .scalar(.string), "The version served, when there is but one.", number: 2, type: "string")]
        if let node = version.field("schema")?.node { fields.append(.old("validation", node, "The schema of all versions.", number: 6)) }
        if let node = version.field("subresources")?.node {
            fields.append(.old("subresources", node, "The subresources of all versions.", number: 7))
        }
        if let list = version.field("additionalPrinterColumns")?.node, let today = list.element {
            let path = SchemaField.old("JSONPath", .scalar(.string), "Where the column's value is found.", number: 6, type: "string")
            let kept = today.fields.filter { $0.name != "jsonPath" }
            let element = SchemaNode(
                shape: .object,
                body: SchemaBody(fields: (kept + [path]).sorted { $0.name < $1.name }, isBuiltin: true)
            )
            let node = SchemaNode(shape: .list, body: SchemaBody(element: element))
            fields.append(.old("additionalPrinterColumns", node, "The columns of all versions.", number: 8))
        }
        return fields
    }

    private static func complete(_ object: inout JSONValue) {
        guard var spec = object["spec"], spec.object != nil else { return }
        if spec["scope"]?.string?.isEmpty ?? true { spec["scope"] = "Namespaced" }
        let kind = spec.value(at: ["names", "kind"])?.string ?? ""
        if spec.value(at: ["names", "singular"])?.string?.isEmpty ?? true {
            spec.set(.string(kind.lowercased()), at: ["names", "singular"])
        }
        if !kind.isEmpty, spec.value(at: ["names", "listKind"])?.string?.isEmpty ?? true {
            spec.set(.string(kind + "List"), at: ["names", "listKind"])
        }
        let version = spec["version"]?.string ?? ""
        if spec["versions"]?.array?.isEmpty ?? true, !version.isEmpty {
            spec["versions"] = [["name": .string(version), "served": true, "storage": true]]
        }
        if version.isEmpty, let first = spec["versions"]?.array?.first?["name"] { spec["version"] = first }
        spec.fill(["conversion"], ["strategy": "None"])
        if spec.value(at: ["conversion", "strategy"])?.string == "Webhook",
            spec.value(at: ["conversion", "conversionReviewVersions"])?.array?.isEmpty ?? true
        {
            spec.set(["v1beta1"], at: ["conversion", "conversionReviewVersions"])
        }
        spec.fill(["preserveUnknownFields"], true)
        object["spec"] = spec
    }
}

/// The spec of a definition, between the two versions.
enum DefinitionSpec {
    /// What all versions share, under its old name and under the one it has in each version.
    private static let shared = [
        ("validation", "schema"), ("subresources", "subresources"), ("additionalPrinterColumns", "additionalPrinterColumns"),
    ]

    /// Today's spec, and what has to be remembered to find the old one again.
    static func toToday(_ old: JSONValue) -> (spec: JSONValue, rest: JSONValue?) {
        var spec = old
        let keepsAll = spec.take("preserveUnknownFields")?.bool ?? true
        spec["version"] = nil
        for (name, _) in shared { spec[name] = nil }
        var rest: JSONValue = [:]
        for name in ["preserveUnknownFields", "version", "validation", "subresources", "additionalPrinterColumns", "versions"] {
            if let value = old[name], !value.isNull { rest[name] = value }
        }
        spec["versions"] = .array((old["versions"]?.array ?? []).map { version(of: $0, old, keepsAll: keepsAll) })
        if var conversion = spec["conversion"] {
            let client = conversion.take("webhookClientConfig")
            let reviews = conversion.take("conversionReviewVersions")
            if client != nil || conversion["strategy"]?.string == "Webhook" {
                var webhook: JSONValue = [:]
                if let client { webhook["clientConfig"] = client }
                if let reviews { webhook["conversionReviewVersions"] = reviews }
                conversion["webhook"] = webhook
            }
            spec["conversion"] = conversion
        }
        return (spec, rest)
    }

    private static func version(of old: JSONValue, _ spec: JSONValue, keepsAll: Bool) -> JSONValue {
        var version = old
        for (name, today) in shared {
            if version[today] == nil || version[today] == .null, let value = spec[name], !value.isNull { version[today] = value }
        }
        version.forEach(at: ["additionalPrinterColumns"]) { $0.rename("JSONPath", "jsonPath") }
        let schema = version.value(at: ["schema", "openAPIV3Schema"]) ?? [:]
        version.set(StructuralForm(keepsAll: keepsAll).root(schema), at: ["schema", "openAPIV3Schema"])
        return version
    }

    /// The old spec. `words` are used when they lead to what is stored; else today's are put in the old places.
    static func toPast(_ today: JSONValue, _ words: JSONValue?) -> JSONValue {
        var spec = today
        if var conversion = spec["conversion"] {
            if let webhook = conversion.take("webhook") {
                if let client = webhook["clientConfig"] { conversion["webhookClientConfig"] = client }
                if let reviews = webhook["conversionReviewVersions"] { conversion["conversionReviewVersions"] = reviews }
            }
            spec["conversion"] = conversion
        }
        if let words {
            var old = spec
            for (name, value) in words.object ?? [:] { old[name] = value }
            if toToday(old).spec["versions"] == today["versions"] { return old }
        }
        var versions = today["versions"]?.array ?? []
        for index in versions.indices {
            versions[index].forEach(at: ["additionalPrinterColumns"]) { $0.rename("jsonPath", "JSONPath") }
        }
        spec["preserveUnknownFields"] = today["preserveUnknownFields"] ?? false
        for (name, own) in shared {
            let values = versions.map { $0[own] }
            // What all versions have in common is said once.
            guard let first = values.first, let common = first, values.allSatisfy({ $0 == common }) else { continue }
            spec[name] = common
            for index in versions.indices { versions[index][own] = nil }
        }
        if let name = versions.first?["name"] { spec["version"] = name }
        spec["versions"] = .array(versions)
        return spec
    }
}
