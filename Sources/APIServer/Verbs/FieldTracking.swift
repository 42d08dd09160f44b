import APIModel
import HTTPTransport
import Schema
import Units
import Values

/// Server-side apply, and what other writes mean for it.
///
/// Ownership is recorded from an object's first apply on; until then nothing is stored or computed for it. What an object
/// had before belongs to `before-first-apply`, as upstream has it for objects without records.
enum FieldTracking {
    private static let firstManager = "before-first-apply"
    private static let kubectl = "kubectl"
    private static let lastApplied = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]
    static let path = ["metadata", "managedFields"]

    /// One apply of a configuration.
    struct Application: Sendable {
        let configuration: JSONValue
        let manager: ManagedFields.Manager
        let isForced: Bool
        let now: Timestamp
    }

    /// The live object with the configuration applied and the records brought up to date.
    static func apply(_ application: Application, to live: JSONValue, schema: SchemaNode) throws(APIError) -> JSONValue {
        var tracker = ManagedFields(of: live)
        var bare = live
        bare.remove(at: path)
        let isFirst = tracker.entries.isEmpty
        if isFirst, bare["metadata"] != nil {
            let before = ManagedFields.Manager(
                name: firstManager,
                operation: "Update",
                apiVersion: application.manager.apiVersion
            )
            tracker.update(from: [:], to: bare, by: before, schema: schema, now: application.now)
        }
        // Who applied on the client's side before goes on on the server's without a quarrel.
        let takesOver = isFirst && application.manager.name == kubectl && bare.value(at: lastApplied) != nil
        var result = try tracker.apply(
            application.configuration,
            to: bare,
            by: application.manager,
            schema: schema,
            now: application.now,
            force: application.isForced || takesOver
        )
        result.set(tracker.json, at: path)
        return result
    }

    /// Keeps the records of an object that has some, after a write that was no apply.
    static func note(
        _ object: inout JSONValue,
        old: JSONValue,
        by manager: ManagedFields.Manager,
        schema: SchemaNode,
        now: Timestamp
    ) {
        guard let records = old.value(at: path)?.array, !records.isEmpty else {
            object.remove(at: path)
            return
        }
        var tracker = ManagedFields(of: old)
        object.remove(at: path)
        var before = old
        before.remove(at: path)
        tracker.update(from: before, to: object, by: manager, schema: schema, now: now)
        object.set(tracker.json, at: path)
    }

    private static let maxManagerLength = 128

    /// The name under which a request writes fields: its `fieldManager`, or the first word of its user agent.
    static func manager(_ request: HTTPRequest) throws(APIError) -> String {
        if let name = request.query.first("fieldManager"), !name.isEmpty {
            guard name.utf8.count <= maxManagerLength else {
                let issue = FieldIssue.tooLong(FieldPath("fieldManager"), maximum: maxManagerLength)
                throw .invalid(GroupKind(group: "meta.k8s.io", kind: "PatchOptions"), "", [issue])
            }
            return name
        }
        let agent = request.headers["user-agent"] ?? ""
        return String(agent.prefix { $0 != "/" && $0 != " " }.prefix(maxManagerLength))
    }
}

extension APIServer {
    /// A change that applies the configuration in the body.
    func applied(_ view: ResourceView, _ context: RequestContext, _ patch: ObjectPatch) throws(APIError) -> ObjectChange {
        let query = context.request.query
        guard let asked = query.first("fieldManager"), !asked.isEmpty else {
            let issue = FieldIssue.required(FieldPath("fieldManager"), "is required for apply patch")
            throw .invalid(GroupKind(group: "meta.k8s.io", kind: "PatchOptions"), "", [issue])
        }
        var configuration = patch.content
        try check(&configuration, view, context)
        let manager = ManagedFields.Manager(
            name: try FieldTracking.manager(context.request),
            operation: "Apply",
            apiVersion: view.gvk.apiVersion,
            subresource: context.info.subresource
        )
        let application = FieldTracking.Application(
            configuration: configuration,
            manager: manager,
            isForced: RequestInfo.flag(query.first("force")),
            now: context.now
        )
        let schema = view.version.schema
        let decoding = ObjectDecoding(view)
        let warnings = context.warnings
        var change = ObjectChange { old throws(APIError) in
            var object = try FieldTracking.apply(application, to: old, schema: schema)
            let records = object.value(at: FieldTracking.path)
            try decoding.decode(&object, .ignore, warnings)
            if let records { object.set(records, at: FieldTracking.path) }
            return object
        }
        change.retriesConflicts = !patch.namesVersion
        change.isApply = true
        change.creates = context.info.subresource.isEmpty
        return change
    }

    private func check(
        _ configuration: inout JSONValue,
        _ view: ResourceView,
        _ context: RequestContext
    ) throws(APIError) {
        guard configuration.object != nil else { throw .badRequest("the apply configuration is not an object") }
        guard configuration.value(at: FieldTracking.path) == nil else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let apiVersion = configuration["apiVersion"]?.string ?? ""
        let kind = configuration["kind"]?.string ?? ""
        guard apiVersion == view.gvk.apiVersion, kind == view.gvk.kind else {
            throw .badRequest(
                "invalid object type: \(apiVersion), Kind=\(kind); expected \(view.gvk.apiVersion), Kind=\(view.gvk.kind)"
            )
        }
        let name = configuration.value(at: ["metadata", "name"])?.string ?? ""
        guard name.isEmpty || name == context.info.name else {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(context.info.name))"
            )
        }
        configuration.set(.string(context.info.name), at: ["metadata", "name"])
        let unknown = view.version.schema.prune(&configuration)
        guard !unknown.isEmpty else { return }
        switch try context.fieldValidation() {
        case .ignore: return
        case .warn: unknown.forEach(context.warnings.add)
        case .strict:
            throw .cannotHandle(view.gvk, "strict decoding error: \(unknown.joined(separator: ", "))")
        }
    }
}
