import APIModel
import Negotiation
import Store
import Values

/// One kind in one of its served versions, as a request addresses it.
struct ResourceView: Sendable {
    let engine: ResourceEngine
    /// The descriptor of the group asked for; the engine's own unless two groups share one store (events).
    let descriptor: KindDescriptor
    let version: KindVersion
    /// Nil when what is stored is what is served.
    let conversion: (any VersionConversion)?
    /// Asks somebody else to convert; objects may then be stored in any version.
    var remote: (any RemoteConversion)?
    /// The kind is going: nothing can be created any more.
    var isTerminating = false

    /// The behaviour of the kind in this version.
    var engineHooks: any KindHooks { version.hooks ?? engine.descriptor.hooks }
    /// The same for what concerns one group's view of a shared store.
    var hooks: any KindHooks { version.hooks ?? descriptor.hooks }
    /// Whether hooks see objects of the version stored rather than of the version served.
    var convertsBeforeHooks: Bool { version.hooks == nil }
    /// One of the subresources of this version.
    func subresource(_ name: String) -> SubresourceDescriptor? {
        guard let own = version.subresources else { return descriptor.subresource(name) }
        return own.first { $0.name == name }
    }

    var gvk: GroupVersionKind { GroupVersionKind(group: descriptor.group, version: version.name, kind: descriptor.kind) }
    var gvr: GroupVersionResource {
        GroupVersionResource(group: descriptor.group, version: version.name, resource: descriptor.plural)
    }

    /// The served bytes of an object.
    func served(_ object: CachedObject) -> [UInt8] {
        served(object.bytes, splice: object.splice, revision: object.revision)
    }

    /// The served bytes of a stored state.
    func served(_ stored: ResourceEngine.Stored) -> [UInt8] {
        guard conversion != nil else { return stored.served }
        return served(stored.bytes, splice: 1, revision: stored.revision)
    }

    private func served(_ bytes: [UInt8], splice: Int, revision: Revision) -> [UInt8] {
        guard splice > 0 else { return bytes }
        guard let conversion else { return ObjectBytes.spliced(bytes, splice: splice, revision: revision) }
        guard let value = try? JSONParser.parse(bytes) else { return bytes }
        return ObjectBytes.spliced(conversion.fromStorage(value).encoded(), revision: revision)
    }

    /// The tree of an object as served, with resourceVersion.
    func tree(_ object: CachedObject) -> JSONValue? {
        guard object.index.damage == nil, var value = try? JSONParser.parse(object.bytes) else { return nil }
        value.set(.string(object.revision.description), at: ["metadata", "resourceVersion"])
        return conversion?.fromStorage(value) ?? value
    }

    /// What fields read as where they are absent, for those that do not read as empty.
    var absentFields: [String: String] {
        var values: [String: String] = [:]
        for field in version.selectableFields ?? descriptor.selectableFields where !field.absent.isEmpty {
            values[field.label] = field.absent
        }
        return values
    }

    /// The field labels a selector may name, and what the caches call them.
    var fieldLabels: [String: String] {
        var labels = ["metadata.name": "metadata.name"]
        if descriptor.namespaced { labels["metadata.namespace"] = "metadata.namespace" }
        let isAlias = descriptor.groupResource != engine.resource
        for field in version.selectableFields ?? descriptor.selectableFields {
            labels[field.label] = isAlias ? field.path.joined(separator: ".") : field.label
        }
        return labels
    }
}
