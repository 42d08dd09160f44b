import APIModel
import APITypes
import HTTPTransport
import Schema
import Units
import Values

/// `autoscaling/v1` Scale of a workload, read from and written to its replicas.
enum ScaleView {
    /// The scale of a workload with resourceVersion, in today's version or one of the past.
    static func scale(of object: JSONValue, as kind: GroupVersionKind) -> JSONValue {
        let metadata = object["metadata"]
        var kept: JSONValue = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] { kept[field] = metadata?[field] }
        let replicas = object.value(at: ["spec", "replicas"])?.int ?? 1
        var status: JSONValue = ["replicas": object.value(at: ["status", "replicas"]) ?? 0]
        let selector = selectorText(object)
        if !selector.isEmpty { status["selector"] = .string(selector) }
        let scale: JSONValue = [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept,
            "spec": replicas == 0 ? [:] : ["replicas": .integer(replicas)], "status": status,
        ]
        return OldScale.shown(scale, of: object, as: kind)
    }

    /// Admission sees the scale of a workload, not the workload.
    static func admitted(_ kind: GroupVersionKind, _ resource: GroupResource) -> AdmittedPart {
        AdmittedPart(
            kind: kind,
            show: { object throws(APIError) in scale(of: object, as: kind) },
            apply: { scale, object throws(APIError) in try apply(scale, to: object, resource: resource) }
        )
    }

    private static func selectorText(_ object: JSONValue) -> String {
        guard let selector = object.value(at: ["spec", "selector"]) else { return "" }
        if object["kind"]?.string == "ReplicationController" {
            let pairs = (selector.object ?? [:]).map { "\($0.key)=\($0.value.string ?? "")" }
            return pairs.joined(separator: ",")
        }
        return (try? LabelSelector(json: selector))?.description ?? ""
    }

    /// The workload with the replicas of a scale.
    static func apply(_ scale: JSONValue, to object: JSONValue, resource: GroupResource) throws(APIError) -> JSONValue {
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        try APIServer.checkName(scale, name)
        let replicas = scale.value(at: ["spec", "replicas"])?.int ?? 0
        guard replicas >= 0 else {
            let issue = FieldIssue.invalid(
                FieldPath("spec.replicas"),
                .integer(replicas),
                "must be greater than or equal to 0"
            )
            throw .invalid(GroupKind(group: "autoscaling", kind: "Scale"), name, [issue])
        }
        var object = object
        object.set(.integer(replicas), at: ["spec", "replicas"])
        object.set(scale.value(at: ["metadata", "resourceVersion"]) ?? "", at: ["metadata", "resourceVersion"])
        if let uid = scale.value(at: ["metadata", "uid"])?.string, !uid.isEmpty {
            object.set(.string(uid), at: ["metadata", "uid"])
        }
        return object
    }
}

extension APIServer {
    /// Get, replace or patch the scale of a workload.
    func scale(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let write = try writeContext(view, context)
        let resource = view.descriptor.groupResource
        let kind = subresource.kind
        let schema = OldScale.schema(kind)
        let decoding = ObjectDecoding(expected: kind, schema: schema)
        var change: ObjectChange
        switch context.info.verb {
        case "get":
            let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
            return try scaleResponse(stored, kind, view, context)
        case "update":
            let scale = try decoding.object(context)
            try Self.checkName(scale, write.name)
            let version = scale.value(at: ["metadata", "resourceVersion"])?.string ?? ""
            change = ObjectChange(retriesConflicts: version.isEmpty) { old throws(APIError) in
                try ScaleView.apply(scale, to: old, resource: resource)
            }
        default:
            let patch = try await existingFirst(view, context) { () throws(APIError) in try ObjectPatch(context) }
            guard patch.kind != .apply else {
                var change = try await existingFirst(view, context) { () throws(APIError) in
                    try appliedScale(kind, view, patch, context)
                }
                change.admitted = ScaleView.admitted(kind, resource)
                let outcome = try await view.engine.update(change, view: view, write: write)
                return try scaleResponse(outcome.stored, kind, view, context)
            }
            let validation = try context.fieldValidation()
            change = ObjectChange(retriesConflicts: !patch.namesVersion) { old throws(APIError) in
                var scale = try patch.apply(to: ScaleView.scale(of: old, as: kind), schema: schema)
                try decoding.decode(patched: &scale, by: patch, named: context.info.name, validation, context.warnings)
                return try ScaleView.apply(scale, to: old, resource: resource)
            }
        }
        change.admitted = ScaleView.admitted(kind, resource)
        let outcome = try await view.engine.update(change, view: view, write: write)
        return try scaleResponse(outcome.stored, kind, view, context)
    }

    /// Applying a scale is applying the replicas, and only these, to the workload.
    private func appliedScale(
        _ kind: GroupVersionKind,
        _ view: ResourceView,
        _ patch: ObjectPatch,
        _ context: RequestContext
    ) throws(APIError) -> ObjectChange {
        let scale = patch.content
        let gvk = view.gvk
        guard scale["apiVersion"]?.string == kind.apiVersion, scale["kind"]?.string == kind.kind else {
            throw .badRequest("invalid object type: \(scale["apiVersion"]?.string ?? ""), Kind=\(scale["kind"]?.string ?? "")")
        }
        let name = scale.value(at: ["metadata", "name"])?.string ?? ""
        guard name.isEmpty || name == context.info.name else {
            throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(context.info.name))")
        }
        var reduced: JSONValue = [
            "apiVersion": .string(gvk.apiVersion), "kind": .string(gvk.kind), "metadata": ["name": .string(context.info.name)],
        ]
        if let records = scale.value(at: FieldTracking.path) { reduced.set(records, at: FieldTracking.path) }
        if let replicas = scale.value(at: ["spec", "replicas"]) {
            if let number = replicas.int, number < 0 {
                let issue = FieldIssue.invalid(FieldPath("spec.replicas"), replicas, "must be greater than or equal to 0")
                throw .invalid(GroupKind(group: "autoscaling", kind: "Scale"), context.info.name, [issue])
            }
            reduced.set(replicas, at: ["spec", "replicas"])
        }
        return try applied(view, context, patch.with(content: reduced), shownAs: kind.apiVersion)
    }

    private func scaleResponse(
        _ stored: ResourceEngine.Stored,
        _ kind: GroupVersionKind,
        _ view: ResourceView,
        _ context: RequestContext
    ) throws(APIError) -> HTTPResponse {
        var object = try view.engine.tree(stored)
        object.set(.string(stored.revision.description), at: ["metadata", "resourceVersion"])
        return try ScaleForm.response(ScaleView.scale(of: object, as: kind), isCustom: false, context)
    }
}
