import APIModel
import Schema
import Units
import Values

extension OwnedWrite {
    /// What the records of ownership need to know about a write through a view.
    static func of(_ view: ResourceView, in resources: ServedResources, subresource: String, now: Timestamp) -> OwnedWrite {
        let reset = ResetFields.fields(view, subresource: subresource)
        guard !view.descriptor.isCustom else { return ofCustom(view, reset, now) }
        let plural = view.descriptor.plural
        let engine = view.engine
        @Sendable func find(_ apiVersion: String) -> ResourceView? {
            if apiVersion == view.gvk.apiVersion { return view }
            guard let version = GroupVersion(apiVersion: apiVersion) else { return nil }
            let found = resources.view(group: version.group, version: version.version, resource: plural)
            return found?.engine === engine ? found : nil
        }
        return OwnedWrite(apiVersion: view.gvk.apiVersion, schema: view.version.schema, time: now.rfc3339, reset: reset) {
            object,
            from,
            to in
            guard let source = find(from), let target = find(to) else { return nil }
            if from == to { return (object, target.version.schema) }
            let stored = source.conversion?.toStorage(object) ?? object
            return (target.conversion?.fromStorage(stored) ?? stored, target.version.schema)
        }
    }

    /// The same for a custom resource: every version of its definition counts, served or not, and one that is gone is an error.
    private static func ofCustom(_ view: ResourceView, _ reset: FieldSet, _ now: Timestamp) -> OwnedWrite {
        let descriptor = view.descriptor
        let hub = view.gvk.apiVersion
        @Sendable func find(_ apiVersion: String) -> KindVersion? {
            if apiVersion == hub { return view.version }
            return descriptor.versions.first { GroupVersion(group: descriptor.group, version: $0.name).apiVersion == apiVersion }
        }
        let remote = view.remote
        let awaited = AwaitedConversions { object, from, to throws(APIError) in
            var object = object
            // All ways lead through the version of the request.
            for stop in from == hub ? [to] : [hub, to] {
                guard let remote, let version = find(stop) else { continue }
                let wanted = GroupVersion(group: descriptor.group, version: version.name)
                object = try await remote.convert([object], to: wanted).first ?? object
                version.schema.normalize(&object)
            }
            return object
        }
        return OwnedWrite(
            apiVersion: hub,
            schema: view.version.schema,
            time: now.rfc3339,
            reset: reset,
            awaited: awaited
        ) { object, from, to in
            guard let source = find(from), let target = find(to) else {
                let missing = find(to) == nil ? to : from
                awaited.refuse(APIError(code: 500, reason: "", message: "request to convert CR to an invalid group/version: \(missing)"))
                return nil
            }
            if from == to { return (object, target.schema) }
            if remote != nil { return (awaited.converted(object, from: from, to: to) ?? object, target.schema) }
            let stored = source.conversion?.toStorage(object) ?? object
            return (target.conversion?.fromStorage(stored) ?? stored, target.schema)
        }
    }
}
