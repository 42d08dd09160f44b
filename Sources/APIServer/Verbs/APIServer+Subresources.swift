import APIModel
import APITypes
import Access
import HTTPTransport
import Negotiation
import Schema
import Units
import Values

extension APIServer {
    /// Serves a request for a subresource of a stored kind.
    func respondToSubresource(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let info = context.info
        guard let subresource = view.subresource(info.subresource) else {
            guard view.descriptor.isCustom else { throw .unknownPath }
            throw .notFound(view.descriptor.groupResource, info.name)
        }
        let verb = subresource.name == "proxy" || subresource.verbs.contains(info.verb) ? info.verb : ""
        switch subresource.name {
        case "log": return try await podLog(view, context)
        case "exec", "attach", "portforward": return try await podStream(view, context)
        case "proxy": return try await proxy(view, context)
        default: break
        }
        guard !verb.isEmpty else { throw .methodNotAllowed() }
        context.warnings.add(view.version.deprecationWarning ?? "")
        try context.checkOptions()
        switch (info.resource, subresource.name) {
        case (_, "status"): return try await part(view, context, .status) { $1 }
        case (_, "scale") where subresource.scalePaths != nil: return try await customScale(view, subresource, context)
        case (_, "scale"): return try await scale(view, subresource, context)
        case ("deployments", "rollback"): return try await rollBack(view, subresource, context)
        case ("namespaces", "finalize"): return try await finalize(view, context)
        case ("pods", "binding"): return try await bind(view, subresource, context)
        case ("pods", "eviction"): return try await evict(view, subresource, context)
        case ("pods", "ephemeralcontainers"):
            return try await part(view, context, .subresource) { old, new in Self.withEphemeralContainers(old, new) }
        case ("pods", "resize"): return try await part(view, context, .subresource) { old, new in Self.resized(old, new) }
        case ("certificatesigningrequests", "approval"):
            // The kind's hooks keep all but the decision and the metadata.
            return try await part(view, context, .subresource) { $1 }
        case ("serviceaccounts", "token"): return try await requestToken(view, subresource, context)
        default: throw .unknownPath
        }
    }

    /// Get, replace or patch one part of an object; `merge` picks that part from the new object.
    private func part(
        _ view: ResourceView,
        _ context: RequestContext,
        _ part: ObjectChange.Part,
        merge: @escaping @Sendable (_ old: JSONValue, _ new: JSONValue) throws(APIError) -> JSONValue
    ) async throws(APIError) -> HTTPResponse {
        let write = try writeContext(view, context)
        var change: ObjectChange
        // Upstream's strategy for a service's status is the service's own in this.
        var creates = part == .status && view.descriptor.groupResource == .core("services")
        switch context.info.verb {
        case "get":
            let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
            return try await render(stored, view, context)
        case "update":
            let object = try ObjectDecoding(view).object(context)
            change = try Self.replacement(object, name: write.name, context.warnings)
        default:
            let patch = try await existingFirst(view, context) { () throws(APIError) in try ObjectPatch(context, for: view) }
            change = patch.kind == .apply ? try applied(view, context, patch) : try patched(view, context, patch)
            creates = creates && patch.kind == .apply
        }
        let apply = change.apply
        change.part = part
        change.creates = creates
        // Go writes the status of a built-in kind even when there is none: patches find it.
        let hasStatus = part == .status && view.version.schema.body.isBuiltin
        change.apply = { old throws(APIError) in
            var shown = old
            if hasStatus, old["status"] == nil { shown["status"] = [:] }
            return try merge(old, try apply(shown))
        }
        let outcome = try await view.engine.update(change, view: view, write: write)
        return try await render(outcome.stored, view, context, status: outcome.isCreated ? 201 : 200)
    }

    /// The old object with the new one's metadata that says which state the client saw.
    private static func keeping(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        var object = old
        object.set(new.value(at: ["metadata", "resourceVersion"]) ?? "", at: ["metadata", "resourceVersion"])
        if let uid = new.value(at: ["metadata", "uid"]) { object.set(uid, at: ["metadata", "uid"]) }
        if let records = new.value(at: FieldTracking.path) { object.set(records, at: FieldTracking.path) }
        return object
    }

    private static func withEphemeralContainers(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        var object = keeping(old, new)
        if let containers = new.value(at: ["spec", "ephemeralContainers"]) {
            object.set(containers, at: ["spec", "ephemeralContainers"])
        } else {
            object.remove(at: ["spec", "ephemeralContainers"])
        }
        return object
    }

    private static func resized(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        var object = keeping(old, new)
        for list in ["containers", "initContainers"] {
            let path = ["spec", list]
            let containers = resized(old.value(at: path)?.array ?? [], to: new.value(at: path)?.array ?? [])
            if containers.isEmpty { object.remove(at: path) } else { object.set(.array(containers), at: path) }
        }
        if let whole = new.value(at: ["spec", "resources"]) {
            object.set(whole, at: ["spec", "resources"])
        } else {
            object.remove(at: ["spec", "resources"])
        }
        return object
    }

    /// Containers that come, go, move or are renamed are kept as they are wanted: validation has the words for it.
    private static func resized(_ old: [JSONValue], to new: [JSONValue]) -> [JSONValue] {
        guard old.count == new.count, zip(old, new).allSatisfy({ $0["name"] == $1["name"] }) else { return new }
        return zip(old, new).map { known, wanted in
            var known = known
            for field in ["resources", "resizePolicy"] { known[field] = wanted[field] }
            return known
        }
    }

    private func finalize(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        try await part(view, context, .other) { old, new throws(APIError) in
            try Self.checkFinalizers(new, context.info.name)
            var object = old
            // The metadata are the new object's, as upstream has it.
            if let metadata = new["metadata"] { object["metadata"] = metadata }
            if let finalizers = new.value(at: ["spec", "finalizers"])?.array, !finalizers.isEmpty {
                object.set(.array(finalizers), at: ["spec", "finalizers"])
            } else {
                object.remove(at: ["spec", "finalizers"])
            }
            return object
        }
    }

    private static func checkFinalizers(_ namespace: JSONValue, _ name: String) throws(APIError) {
        let issues = ObjectMetadata.finalizerNameIssues(namespace["spec"], FieldPath("spec").child("finalizers"))
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "", kind: "Namespace"), name, issues) }
    }

    /// A request body of a subresource's own kind.
    func body(_ subresource: SubresourceDescriptor, _ context: RequestContext) throws(APIError) -> JSONValue {
        let schema = subresource.typeName.isEmpty ? SchemaNode.anything : BuiltinSchema.node(subresource.typeName)
        return try ObjectDecoding(expected: subresource.kind, schema: schema).object(context)
    }

    /// `Status` Success with the code, as subresources that leave no object answer.
    static func success(_ code: Int, _ context: RequestContext) -> HTTPResponse {
        var status = APIError.success()
        status["code"] = .integer(Int64(code))
        return Responses.value(status, status: code, form: context.form)
    }
}
