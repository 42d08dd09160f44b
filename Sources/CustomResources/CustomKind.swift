import APIModel
import Schema
import Values

/// A kind that a CustomResourceDefinition describes, ready to be served.
public struct CustomKind: Sendable {
    /// The kind as the engine knows it.
    public var descriptor: KindDescriptor
    /// The definition's name.
    public var name: String
    /// The definition's uid.
    public var uid: String
    /// Differs when the kind has to be served anew: other names, versions or schemas.
    public var fingerprint: String
    /// Whether discovery tells of it.
    public var isEstablished: Bool
    /// Whether its definition is being deleted.
    public var isTerminating: Bool
    /// Who converts its objects; nil when only the version's name changes.
    public var webhook: ConversionWebhook?
    /// How many bytes its schemas take before an object is looked at.
    public var schemaBytes: Int

    private static let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
    private static let terminatingVerbs = ["delete", "deletecollection", "get", "list", "watch"]

    /// The verbs that discovery tells of.
    public var announcedVerbs: [String] { isTerminating ? Self.terminatingVerbs : Self.verbs }

    /// Reads a definition; nil when it has no names or versions accepted yet.
    ///
    /// - Parameter documents: Reads the schema of a version from the definition, for OpenAPI.
    public init?(_ definition: JSONValue, documents: @escaping @Sendable (String) -> JSONValue?) {
        guard let spec = definition["spec"], let names = definition.value(at: ["status", "acceptedNames"]),
            let group = spec["group"]?.string, let plural = names["plural"]?.string, !plural.isEmpty,
            let kind = names["kind"]?.string, !kind.isEmpty, let versions = spec["versions"]?.array,
            let storage = versions.first(where: { $0["storage"]?.bool == true })?["name"]?.string
        else { return nil }
        let conditions = DefinitionConditions(definition)
        isEstablished = conditions.isTrue("Established")
        // Its condition comes a moment after the deletion; nothing may be created in between that nobody deletes.
        isTerminating = conditions.isTrue("Terminating") || DefinitionStatus.isGoing(definition)
        name = definition.value(at: ["metadata", "name"])?.string ?? ""
        uid = definition.value(at: ["metadata", "uid"])?.string ?? ""
        webhook = ConversionWebhook(definition)
        let identity: JSONValue = ["spec": spec, "names": names, "uid": .string(uid)]
        fingerprint = StableHash.hex(identity.encoded())

        var compiler = StructuralCompiler(keepsEverything: spec["preserveUnknownFields"]?.bool == true)
        let roots = versions.map { compiler.addRoot($0.value(at: ["schema", "openAPIV3Schema"])) }
        let table = compiler.table()
        schemaBytes = table.byteCount
        let nodes = roots.map { table.node($0) }
        let build = VersionBuilder(group: group, kind: kind, storage: storage, versions: versions, nodes: nodes, webhook: webhook != nil)
        let built = versions.indices.map { index in build.version(index, documents: documents) }
        let generation = definition.value(at: ["metadata", "generation"])?.int ?? 1
        let stored = definition.value(at: ["status", "storedVersions"])?.array ?? []
        var schemas: [String: SchemaNode] = [:]
        for (version, node) in zip(versions, nodes) { schemas[version["name"]?.string ?? ""] = node }
        descriptor = KindDescriptor(
            group: group,
            kind: kind,
            listKind: names["listKind"]?.string,
            plural: plural,
            singular: names["singular"]?.string,
            shortNames: names["shortNames"]?.array?.compactMap(\.string) ?? [],
            categories: names["categories"]?.array?.compactMap(\.string) ?? [],
            namespaced: spec["scope"]?.string == "Namespaced",
            verbs: Self.verbs,
            versions: built,
            storageVersion: storage,
            storageVersionHash: StorageVersionHash.of(group: group, version: storage, kind: kind),
            subresources: Self.allSubresources(built),
            selectableFields: Self.union(built),
            hooks: CustomResourceStorage(
                group: group,
                storageVersion: storage,
                schemas: schemas,
                convertsByName: webhook == nil,
                restores: generation > 1 || stored.count > 1
            )
        )
        descriptor.isCustom = true
    }

    private static func allSubresources(_ versions: [KindVersion]) -> [SubresourceDescriptor] {
        var found: [SubresourceDescriptor] = []
        for version in versions {
            for item in version.subresources ?? [] where !found.contains(where: { $0.name == item.name }) { found.append(item) }
        }
        return found
    }

    private static func union(_ versions: [KindVersion]) -> [SelectableField] {
        var fields: [SelectableField] = []
        for version in versions {
            for field in version.selectableFields ?? [] where !fields.contains(field) { fields.append(field) }
        }
        return fields
    }
}

/// Makes the versions of a kind.
private struct VersionBuilder {
    let group: String
    let kind: String
    let storage: String
    let versions: [JSONValue]
    let nodes: [SchemaNode]
    let webhook: Bool

    func version(_ index: Int, documents: @escaping @Sendable (String) -> JSONValue?) -> KindVersion {
        let json = versions[index]
        let name = json["name"]?.string ?? ""
        let node = nodes[index]
        let subresources = subresources(json, name)
        let scale = subresources.lazy.compactMap(\.scalePaths).first
        let columns = PrinterColumns(json["additionalPrinterColumns"]?.array ?? [])
        let schema = json.value(at: ["schema", "openAPIV3Schema"])
        return KindVersion(
            name: name,
            served: json["served"]?.bool ?? false,
            schema: node,
            columns: columns.definitions,
            deprecationWarning: warning(json, name),
            conversion: conversion(name, node),
            hooks: CustomResourceHooks(
                kind: kind,
                apiVersion: "\(group)/\(name)",
                schema: node,
                hasStatus: subresources.contains { $0.name == "status" },
                scale: scale,
                columns: columns,
                rules: RuleSet(node)
            ),
            subresources: subresources,
            selectableFields: selectable(json),
            document: Self.document(schema) { documents(name) }
        )
    }

    /// Where the schema is found again. What is found may be that of a later definition; it is not this one's then.
    private static func document(_ schema: JSONValue?, _ load: @escaping @Sendable () -> JSONValue?) -> SchemaDocument {
        guard let schema else { return SchemaDocument(tag: "", load: { nil }) }
        let tag = StableHash.hex(schema.encoded())
        return SchemaDocument(tag: tag, load: { load().flatMap { StableHash.hex($0.encoded()) == tag ? $0 : nil } })
    }

    private func conversion(_ name: String, _ node: SchemaNode) -> (any VersionConversion)? {
        guard !webhook, name != storage, let place = versions.firstIndex(where: { $0["name"]?.string == storage }) else { return nil }
        return StructuralConversion(
            served: "\(group)/\(name)",
            stored: "\(group)/\(storage)",
            servedSchema: node,
            storedSchema: nodes[place]
        )
    }

    private func subresources(_ json: JSONValue, _ version: String) -> [SubresourceDescriptor] {
        let verbs = ["get", "patch", "update"]
        var found: [SubresourceDescriptor] = []
        if json.value(at: ["subresources", "status"])?.object != nil {
            let own = GroupVersionKind(group: group, version: version, kind: kind)
            found.append(SubresourceDescriptor(name: "status", kind: own, verbs: verbs))
        }
        if let scale = json.value(at: ["subresources", "scale"]), scale.object != nil {
            func path(_ name: String) -> [String] {
                scale[name]?.string?.split(separator: ".").map(String.init) ?? []
            }
            found.append(
                SubresourceDescriptor(
                    name: "scale",
                    kind: GroupVersionKind(group: "autoscaling", version: "v1", kind: "Scale"),
                    verbs: verbs,
                    typeName: "io.k8s.api.autoscaling.v1.Scale",
                    scalePaths: ScalePaths(
                        specReplicas: path("specReplicasPath"),
                        statusReplicas: path("statusReplicasPath"),
                        labelSelector: path("labelSelectorPath")
                    )
                )
            )
        }
        return found
    }

    private func selectable(_ json: JSONValue) -> [SelectableField] {
        (json["selectableFields"]?.array ?? []).compactMap { field in
            guard let text = field["jsonPath"]?.string else { return nil }
            let path = text.split(separator: ".").map(String.init)
            return SelectableField(label: path.joined(separator: "."), path: path)
        }
    }

    private func warning(_ json: JSONValue, _ name: String) -> String? {
        guard json["deprecated"]?.bool == true else { return nil }
        if let own = json["deprecationWarning"]?.string { return own }
        let better = versions.compactMap { other -> String? in
            guard let version = other["name"]?.string, other["served"]?.bool == true, other["deprecated"]?.bool != true,
                VersionRank(name) < VersionRank(version)
            else { return nil }
            return version
        }
        let text = "\(group)/\(name) \(kind) is deprecated"
        guard let best = better.max(by: { VersionRank($0) < VersionRank($1) }) else { return text }
        return "\(text); use \(group)/\(best) \(kind)"
    }
}

/// Upstream's order of versions: stable above beta above alpha, newer above older, all else below.
struct VersionRank: Comparable {
    private let rank: [Int]
    private let text: String

    init(_ version: String) {
        text = version
        let rest = version.dropFirst()
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let tail = rest.dropFirst(digits.count)
        guard version.first == "v", let major = Int(digits), major > 0 else {
            rank = [0, 0, 0]
            return
        }
        for (word, level) in [("", 3), ("beta", 2), ("alpha", 1)] where tail.hasPrefix(word) {
            if word.isEmpty, !tail.isEmpty { continue }
            guard word.isEmpty || Int(tail.dropFirst(word.count)) != nil else { continue }
            rank = [level, major, Int(tail.dropFirst(word.count)) ?? 0]
            return
        }
        rank = [0, 0, 0]
    }

    static func < (a: VersionRank, b: VersionRank) -> Bool {
        if a.rank != b.rank { return a.rank.lexicographicallyPrecedes(b.rank) }
        // Of names without an order the alphabetically first counts as newest.
        return a.rank == [0, 0, 0] ? a.text > b.text : false
    }
}

/// A short fingerprint that is the same in every run. Not for security.
enum StableHash {
    static func hex(_ bytes: [UInt8]) -> String {
        var first: UInt64 = 0xcbf2_9ce4_8422_2325
        var second: UInt64 = 0x8422_2325_cbf2_9ce4
        for byte in bytes {
            first = (first ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            second = (second ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return String(first, radix: 16) + String(second, radix: 16)
    }
}
