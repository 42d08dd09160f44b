import APIModel
import APITypes
import DynamicAdmission
import Schema
import Values

/// The kinds being served, as webhooks and policies ask about them.
struct LiveKinds: AdmissionKinds {
    let served: ServedResourcesBox

    func equivalents(of resource: GroupVersionResource, subresource: String) -> [GroupVersionResource] {
        let all = served.value.equivalents(of: resource)
        guard !subresource.isEmpty else { return all }
        return all.filter { kind(of: $0, subresource: subresource) != nil }
    }

    func kind(of resource: GroupVersionResource, subresource: String) -> GroupVersionKind? {
        guard let view = view(resource) else { return virtualKind(resource)?.kind }
        guard !subresource.isEmpty else { return view.gvk }
        guard let found = view.subresource(subresource)?.kind else { return nil }
        // A status is the object itself, in the version asked for.
        return found.kind == view.gvk.kind && found.group == view.gvk.group ? view.gvk : found
    }

    func convert(
        _ object: JSONValue,
        to kind: GroupVersionKind,
        of resource: GroupVersionResource
    ) async throws(APIError) -> JSONValue {
        let own = object["apiVersion"]?.string ?? ""
        guard own != kind.apiVersion, let target = view(resource), target.gvk == kind,
            let version = GroupVersion(apiVersion: own), object["kind"]?.string == kind.kind
        else { return object }
        let number = object.value(at: ["metadata", "resourceVersion"])
        let descriptor = target.engine.descriptor
        var stored = object
        if version != GroupVersion(group: descriptor.group, version: descriptor.storageVersion) {
            let source = view(version.resource(resource.resource))
            guard let source, source.engine === target.engine else { return object }
            stored = try await source.toStorage(object)
        }
        var converted = try await target.fromStorage(stored)
        if let number { converted.set(number, at: ["metadata", "resourceVersion"]) }
        return converted
    }

    func decode(_ object: JSONValue, as kind: GroupVersionKind, of resource: GroupVersionResource) throws(APIError) -> JSONValue {
        let apiVersion = object["apiVersion"]?.string ?? ""
        let own = object["kind"]?.string ?? ""
        guard apiVersion == kind.apiVersion, own == kind.kind else {
            let version = GroupVersion(apiVersion: apiVersion)?.version ?? apiVersion
            let group = kind.group.isEmpty ? "core" : kind.group.prefix { $0 != "." }
            let words = "converting (\(version).\(own)) to (\(group).\(kind.kind)): unknown conversion"
            throw APIError(code: 500, reason: "", message: words)
        }
        guard let decoding = decoding(kind, resource) else { return object }
        var value = object
        do throws(SchemaDecodeError) { _ = try decoding.decodeFields(of: &value) } catch { throw .internalError(error.message) }
        value["apiVersion"] = .string(kind.apiVersion)
        value["kind"] = .string(kind.kind)
        decoding.schema.applyDefaults(&value)
        decoding.hooks.defaults(&value)
        return value
    }

    private func decoding(_ kind: GroupVersionKind, _ resource: GroupVersionResource) -> ObjectDecoding? {
        guard let view = view(resource) else {
            return virtualKind(resource).map { ObjectDecoding(expected: kind, schema: $0.schema) }
        }
        if view.gvk == kind { return ObjectDecoding(view) }
        let all = view.version.subresources ?? view.descriptor.subresources
        guard let type = all.first(where: { $0.kind == kind })?.typeName, !type.isEmpty else { return nil }
        return ObjectDecoding(expected: kind, schema: BuiltinSchema.node(type))
    }

    func view(_ resource: GroupVersionResource) -> ResourceView? {
        served.value.view(group: resource.group, version: resource.version, resource: resource.resource)
    }

    private func virtualKind(_ resource: GroupVersionResource) -> (kind: GroupVersionKind, schema: SchemaNode)? {
        let found = served.value.virtualKind(group: resource.group, version: resource.version, resource: resource.resource)
        guard let (descriptor, version) = found else { return nil }
        return (GroupVersionKind(group: descriptor.group, version: version.name, kind: descriptor.kind), version.schema)
    }
}
