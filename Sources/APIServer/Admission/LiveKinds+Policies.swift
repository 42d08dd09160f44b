import APIModel
import APITypes
import DynamicAdmission
import Schema
import Store
import Values

/// What policies ask beside what matching asks.
extension LiveKinds: PolicyKinds {
    func resource(of kind: GroupVersionKind) -> (resource: GroupVersionResource, isNamespaced: Bool)? {
        let found = served.value.descriptors.first { descriptor in
            descriptor.kind == kind.kind && descriptor.group == kind.group && descriptor.stored
                && descriptor.versions.contains { $0.name == kind.version && $0.served }
        }
        guard let found else { return nil }
        let resource = GroupVersionResource(group: found.group, version: kind.version, resource: found.plural)
        return (resource, found.namespaced)
    }

    func kinds(named resource: GroupVersionResource) -> [GroupVersionKind] {
        served.value.descriptors.compactMap { descriptor in
            guard resource.group.isEmpty || descriptor.group == resource.group,
                descriptor.plural == resource.resource || descriptor.singular == resource.resource,
                descriptor.versions.contains(where: { $0.name == resource.version && $0.served })
            else { return nil }
            return GroupVersionKind(group: descriptor.group, version: resource.version, kind: descriptor.kind)
        }
    }

    func schema(of kind: GroupVersionKind) -> SchemaNode? {
        let descriptors = served.value.descriptors
        for descriptor in descriptors where descriptor.kind == kind.kind && descriptor.group == kind.group {
            if let version = descriptor.versions.first(where: { $0.name == kind.version && $0.served }) { return version.schema }
        }
        // The kinds of subresources: scales, bindings, options of connections.
        for descriptor in descriptors {
            for version in descriptor.versions {
                let all = version.subresources ?? descriptor.subresources
                guard let type = all.first(where: { $0.kind == kind })?.typeName, !type.isEmpty else { continue }
                return BuiltinSchema.node(type)
            }
        }
        return nil
    }

    func isCustom(_ kind: GroupVersionKind) -> Bool {
        served.value.descriptors.contains { $0.isCustom && $0.kind == kind.kind && $0.group == kind.group }
    }

    func object(_ resource: GroupVersionResource, namespace: String, name: String) async -> JSONValue? {
        guard let view = view(resource) else { return nil }
        let key = view.engine.key(namespace: namespace, name: name)
        if let found = view.engine.cache.get(key) { return await shown(found.bytes, found.revision, view) }
        // A cache may not have seen yet what was created a moment ago.
        guard let stored = try? await view.engine.stored(key) else { return nil }
        return await shown(stored.bytes, stored.revision, view)
    }

    func objects(_ resource: GroupVersionResource, namespace: String?) async -> [JSONValue] {
        guard let view = view(resource) else { return [] }
        var all: [JSONValue] = []
        for found in view.engine.cache.snapshot(namespace: namespace) where found.index.damage == nil {
            if let object = await shown(found.bytes, found.revision, view) { all.append(object) }
        }
        return all
    }

    private func shown(_ bytes: [UInt8], _ revision: Revision, _ view: ResourceView) async -> JSONValue? {
        guard var object = try? JSONParser.parse(bytes) else { return nil }
        object.set(.string(revision.description), at: ["metadata", "resourceVersion"])
        return try? await view.fromStorage(object)
    }
}
