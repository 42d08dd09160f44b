import APIModel
import Schema
import Values

/// The kinds that upstream serves, without behaviour: BuiltinKinds attaches the hooks.
public enum BuiltinResources {
    /// An API group as discovery lists it.
    public struct Group: Sendable, Hashable {
        /// The group; empty for the core group.
        public var name: String
        /// The version clients should use.
        public var preferredVersion: String
        /// All its versions that are served by default, in order of preference.
        public var versions: [String]
    }

    /// One descriptor per kind that is on by default, in upstream's order. A kind served in several versions has them
    /// all, the preferred one first.
    public static var all: [KindDescriptor] { loaded.kinds }

    /// The groups that have a version on by default, in upstream's order.
    public static var groups: [Group] { loaded.groups }

    /// The columns of a `Scale` in a table.
    public static var scaleColumns: [ColumnDefinition] { loaded.scaleColumns }

    /// A kind by its group and resource.
    public static func descriptor(_ resource: GroupResource) -> KindDescriptor? {
        all.first { $0.group == resource.group && $0.plural == resource.resource }
    }

    private static let loaded = Loaded(ResourceDocument(text: BuiltinSchema.table().resourcesText))

    /// What remains of the document.
    private struct Loaded: Sendable {
        let kinds: [KindDescriptor]
        let groups: [Group]
        let scaleColumns: [ColumnDefinition]

        init(_ document: ResourceDocument) {
            kinds = document.kinds()
            groups = document.groups
            scaleColumns = document.scaleColumns
        }
    }
}

/// The resources section of the schema blob.
private struct ResourceDocument: Sendable {
    let groups: [BuiltinResources.Group]
    let entries: [ResourceEntry]
    let scaleColumns: [ColumnDefinition]

    init(text: [UInt8]) {
        guard case .object(let document)? = try? JSONParser.parse(text) else {
            preconditionFailure("the embedded resources are damaged: generate them anew with Tools/generate")
        }
        groups = document.values("groups").compactMap { item in
            guard case .object(let group) = item else { return nil }
            let versions = group.values("versions").compactMap { item -> String? in
                guard case .object(let version) = item, version.bool("enabledByDefault") else { return nil }
                return version.string("version")
            }
            guard !versions.isEmpty else { return nil }
            return BuiltinResources.Group(
                name: group.string("group"),
                preferredVersion: group.string("preferredVersion"),
                versions: versions
            )
        }
        entries = document.values("resources").compactMap { item in
            guard case .object(let object) = item else { return nil }
            return ResourceEntry(object: object)
        }
        let special = document["specialColumns"]?["scale-subresource (autoscaling/v1 Scale)"]
        if case .object(let table)? = special { scaleColumns = ResourceEntry.columns(table) } else { scaleColumns = [] }
    }

    func kinds() -> [KindDescriptor] {
        var order: [GroupResource] = []
        var found: [GroupResource: KindDescriptor] = [:]
        for entry in entries where entry.isEnabled {
            let key = GroupResource(group: entry.group, resource: entry.resource)
            if var known = found[key] {
                known.versions.append(entry.version())
                known.versions.sort { rank(key.group, $0.name) < rank(key.group, $1.name) }
                found[key] = known
            } else {
                order.append(key)
                found[key] = entry.descriptor()
            }
        }
        return order.compactMap { key in
            guard var kind = found[key] else { return nil }
            // Upstream stores some kinds in a version it no longer serves; those are stored in the one we serve.
            if kind.version(kind.storageVersion) == nil { kind.storageVersion = kind.versions[0].name }
            return kind
        }
    }

    func rank(_ group: String, _ version: String) -> Int {
        guard let group = groups.first(where: { $0.name == group }) else { return 0 }
        if version == group.preferredVersion { return -1 }
        return group.versions.firstIndex(of: version) ?? Int.max
    }
}

/// One resource in one version.
private struct ResourceEntry: Sendable {
    let object: JSONObject

    var group: String { object.string("group") }
    var resource: String { object.string("resource") }
    var isEnabled: Bool { object.bool("enabledByDefault") && !object.bool("addon") }

    func version() -> KindVersion {
        KindVersion(
            name: object.string("version"),
            schema: BuiltinSchema.node(object.string("type")),
            columns: Self.columns(object),
            deprecationWarning: DeprecatedVersions.warning(
                group: group,
                version: object.string("version"),
                kind: object.string("kind")
            )
        )
    }

    func descriptor() -> KindDescriptor {
        let verbs = object.strings("verbs")
        let stored = object["storageVersion"] != nil
        let storage = object.string("storageVersion").split(separator: "/").last.map(String.init)
        return KindDescriptor(
            group: group,
            kind: object.string("kind"),
            plural: resource,
            singular: object.string("singular"),
            shortNames: object.strings("shortNames"),
            categories: object.strings("categories"),
            namespaced: object.bool("namespaced"),
            verbs: verbs,
            versions: [version()],
            storageVersion: storage ?? object.string("version"),
            storageVersionHash: object.string("storageVersionHash"),
            subresources: subresources(),
            selectableFields: selectableFields(),
            stored: stored
        )
    }

    private func subresources() -> [SubresourceDescriptor] {
        object.values("subresources").compactMap { item in
            guard case .object(let sub) = item else { return nil }
            let version = sub.optionalString("version") ?? object.string("version")
            let kind = GroupVersionKind(
                group: sub.optionalString("group") ?? group,
                version: version,
                kind: sub.string("kind")
            )
            return SubresourceDescriptor(
                name: sub.string("name"),
                kind: kind,
                verbs: sub.strings("verbs"),
                typeName: sub.string("type")
            )
        }
    }

    /// What a selector sees where a flag or a count is left out.
    private static let absent = [
        "spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0", "status.successful": "0",
    ]

    private func selectableFields() -> [SelectableField] {
        guard case .object(let selectors)? = object["fieldSelectors"] else { return [] }
        let renamed = selectors.stringMap("internalName")
        let never = Set(selectors.strings("acceptedButNeverSet"))
        return selectors.strings("accepted").map { label in
            let path = (renamed[label] ?? label).split(separator: ".").map(String.init)
            return SelectableField(label: label, path: path, absent: Self.absent[label] ?? "", matchable: !never.contains(label))
        }
    }

    static func columns(_ object: JSONObject) -> [ColumnDefinition] {
        object.values("columns").compactMap { item in
            guard case .object(let column) = item else { return nil }
            return ColumnDefinition(
                name: column.string("name"),
                type: column.string("type"),
                format: column.string("format"),
                priority: column.int("priority")
            )
        }
    }
}

/// Versions that are served but announced to go away.
private enum DeprecatedVersions {
    private static let notes: [String: String] = [
        "/v1 ComponentStatus": "v1 ComponentStatus is deprecated in v1.19+",
        "/v1 Endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ]

    static func warning(group: String, version: String, kind: String) -> String? {
        notes["\(group)/\(version) \(kind)"]
    }
}
