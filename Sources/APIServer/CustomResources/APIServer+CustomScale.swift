import APIModel
import APITypes
import CustomResources
import HTTPTransport
import Schema
import Values

/// `autoscaling/v1` Scale of a custom resource, read from and written to the paths its definition names.
///
/// Source: apiextensions-apiserver registry/customresource (ScaleREST).
struct CustomScale: Sendable {
    let paths: ScalePaths

    /// The scale of an object, and whether the object says how many replicas it wants.
    func scale(of object: JSONValue) throws(APIError) -> (scale: JSONValue, isSet: Bool) {
        let metadata = object["metadata"]
        var kept: JSONValue = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] { kept[field] = metadata?[field] }
        let replicas = try number(object, paths.specReplicas)
        var status: JSONValue = ["replicas": .integer(try number(object, paths.statusReplicas) ?? 0)]
        if !paths.labelSelector.isEmpty, let selector = object.value(at: paths.labelSelector) {
            guard let text = selector.string else { throw mismatch(paths.labelSelector, selector, "string") }
            if !text.isEmpty { status["selector"] = .string(text) }
        }
        let spec: JSONValue = (replicas ?? 0) == 0 ? [:] : ["replicas": .integer(replicas ?? 0)]
        let scale: JSONValue = [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": spec, "status": status,
        ]
        return (scale, replicas != nil)
    }

    /// The object with the replicas of a scale.
    func apply(_ scale: JSONValue, to object: JSONValue) throws(APIError) -> JSONValue {
        let replicas = scale.value(at: ["spec", "replicas"])?.int ?? 0
        var object = object
        object.set(.integer(replicas), at: paths.specReplicas)
        let version = scale.value(at: ["metadata", "resourceVersion"])?.string ?? ""
        if !version.isEmpty { object.set(.string(version), at: ["metadata", "resourceVersion"]) }
        return object
    }

    private func number(_ object: JSONValue, _ path: [String]) throws(APIError) -> Int64? {
        guard let value = object.value(at: path) else { return nil }
        guard case .integer(let number) = value else { throw mismatch(path, value, "int64") }
        return number
    }

    private func mismatch(_ path: [String], _ value: JSONValue, _ type: String) -> APIError {
        .badRequest(NestedMember.mismatch(path, value, type))
    }
}

extension APIServer {
    /// Get, replace or patch the scale of a custom resource.
    func customScale(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        guard let paths = subresource.scalePaths else { throw .unknownPath }
        let custom = CustomScale(paths: paths)
        var write = try writeContext(view, context)
        let schema = BuiltinSchema.node("io.k8s.api.autoscaling.v1.Scale")
        let decoding = ObjectDecoding(expected: subresource.kind, schema: schema)
        let name = write.name
        var change: ObjectChange
        switch context.info.verb {
        case "get":
            let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
            return try await scaleResponse(stored, custom, view, context, isRead: true)
        case "update":
            let scale = try decoding.object(context)
            try Self.checkName(scale, name)
            let version = scale.value(at: ["metadata", "resourceVersion"])?.string ?? ""
            change = ObjectChange(retriesConflicts: version.isEmpty) { old throws(APIError) in
                try custom.apply(scale, to: old)
            }
        default:
            let patch = try await existingFirst(view, context) { () throws(APIError) in try ObjectPatch(context, for: view) }
            if patch.kind == .apply { throw try await inapplicable(patch.content, view, write) }
            let validation = try context.fieldValidation()
            change = ObjectChange(retriesConflicts: !patch.namesVersion) { old throws(APIError) in
                let current = try custom.scale(of: old)
                var scale = try patch.apply(to: current.scale, schema: schema)
                if !current.isSet, scale.value(at: ["spec", "replicas"]) == nil {
                    let path = "." + paths.specReplicas.joined(separator: ".")
                    throw .badRequest("the spec replicas field \(GoQuote.quote(path)) cannot be empty")
                }
                try decoding.decode(patched: &scale, by: patch, named: name, validation, context.warnings)
                try Self.check(scale, name)
                return try custom.apply(scale, to: old)
            }
        }
        write.subresource = subresource.name
        // Scales carry no times over to their objects.
        write.owned?.time = ""
        change.admitted = AdmittedPart(
            kind: subresource.kind,
            show: { object throws(APIError) in try custom.scale(of: object).scale },
            apply: { scale, object throws(APIError) in try custom.apply(scale, to: object) }
        )
        let outcome = try await view.engine.update(change, view: view, write: write)
        return try await scaleResponse(outcome.stored, custom, view, context)
    }

    /// Why a scale is not applied: upstream cannot make a custom resource of one, and says so last.
    private func inapplicable(_ scale: JSONValue, _ view: ResourceView, _ write: WriteContext) async throws(APIError) -> APIError {
        guard let apiVersion = scale["apiVersion"]?.string, let kind = scale["kind"]?.string else {
            return .badRequest("invalid object type: /, Kind=")
        }
        let given = GroupVersion(apiVersion: apiVersion) ?? GroupVersion(group: "", version: apiVersion)
        guard apiVersion == "autoscaling/v1", kind == "Scale" else {
            return .badRequest("invalid object type: \(given.group)/\(given.version), Kind=\(kind)")
        }
        guard scale.value(at: FieldTracking.path)?.array == nil else { return .badRequest("metadata.managedFields must be nil") }
        _ = try await view.engine.existing(namespace: write.namespace, name: write.name)
        func own(_ field: String) -> String { scale.value(at: ["metadata", field])?.string ?? "" }
        let words =
            "failed to convert new object (\(own("namespace"))/\(own("name")); autoscaling/v1, Kind=Scale) to proper version: "
            + "request to convert CR to an invalid group/version: autoscaling/v1"
        return APIError(code: 500, reason: "", message: words)
    }

    private static func check(_ scale: JSONValue, _ name: String) throws(APIError) {
        let own = scale.value(at: ["metadata", "name"])?.string ?? ""
        guard own.isEmpty || own == name else {
            throw .badRequest("the name of the object (\(own)) does not match the name on the URL (\(name))")
        }
    }

    private func scaleResponse(
        _ stored: ResourceEngine.Stored,
        _ custom: CustomScale,
        _ view: ResourceView,
        _ context: RequestContext,
        isRead: Bool = false
    ) async throws(APIError) -> HTTPResponse {
        var object = try await view.fromStorage(try view.engine.tree(stored))
        object.set(.string(stored.revision.description), at: ["metadata", "resourceVersion"])
        let found = try custom.scale(of: object)
        if isRead, !found.isSet {
            let path = "." + custom.paths.specReplicas.joined(separator: ".")
            throw .internalError("the spec replicas field \(GoQuote.quote(path)) does not exist")
        }
        return try ScaleForm.response(found.scale, isCustom: true, context)
    }
}
